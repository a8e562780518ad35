//! Claude Code, by its bidirectional stream-json protocol (observed on 2.1.329).
//!
//! The process is held open over the turns of a session: prompts, interrupts and answers to permission questions go
//! to its stdin, everything it says comes as one JSON object a line. `initialize` is sent first.
//!
//! Its traps, and what is done about them:
//!
//! - A text or thinking block arrives twice, as deltas and whole in an `assistant` line: what was streamed is
//!   subtracted from the whole, so each word is said once and none is lost where no deltas came.
//! - Failures of the API come as `subtype: "success"` with `is_error: true`, and their text as the model's words:
//!   only `is_error` counts, and such an `assistant` line is not passed on as text.
//! - `total_cost_usd` and `modelUsage` grow over the turns of a process: differences are reported.
//! - A held-open process may run turns of its own (a background task reports back). Their results have an `origin`;
//!   besides, user lines carry a `uuid`, and a result is taken for ours only after `command_lifecycle` said that
//!   ours was started.
//! - When the API's stream breaks, claude abandons what it streamed and begins the message again, the last time
//!   without deltas: the status `abandoned` tells that the text since the message began is void.
//! - Subagents send no deltas; their tools and results carry `parent_tool_use_id`.
//! - `init` is repeated on every turn, and an interrupt before it is a false success.
//! - Types that are not known are normal and become `unparsed`; a result line ends the turn however odd its numbers.

mod delta;
mod dialect;
mod launch;
mod usage;
mod wire;

pub(super) use dialect::ClaudeDialect;
pub(super) use launch::{Claude, common_args};
