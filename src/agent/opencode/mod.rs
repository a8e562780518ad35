//! opencode by `opencode run --format json` (observed on 1.18.33): for versions, and for places, where its ACP is not
//! there. A process for every turn, which is given its prompt on stdin and says each thing when it is complete.
//!
//! Its traps, and what is done about them:
//!
//! - Nothing says that a turn is over: the process ends. After a tool that was refused the last thing said is that a step
//!   ended with `tool-calls`. So a turn ends in [`Dialect::ended`](super::Dialect::ended).
//! - An `error` need not be the end: where the window is full, opencode says so, compacts, and goes on.
//! - Parts are told again when something about them changes, for example when old results are pruned: each counts once.
//! - It is silent until the model answers, while it waits for a limit to pass, too.
//! - Questions are refused by itself and end the turn, or all are answered with yes (`--auto`). So who may do what is told
//!   beforehand, as rules in a variable (`permissions`).
//! - It works in the folder that `PWD` names, and not in the one that it is started in.
//! - It has the model think of a title for every conversation, a request of which it tells nothing; it is given one.
//! - A `--agent` that it does not know is replaced by another one with a warning.

mod failure;
mod launch;
mod permissions;
mod run;
mod wire;

pub(super) use launch::Opencode;
