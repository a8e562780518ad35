//! Gemini CLI by `gemini --output-format stream-json` (observed on 0.61.0), for versions that do not speak ACP, and for who
//! asks for it by name.
//!
//! Every turn has a process, which is given its prompt on stdin: as an argument it could have 128 KiB at most. The first line
//! (`init`) names the conversation, which the next process goes on with by `--resume`; the last (`result`) has the tokens of
//! this process. Between them come pieces of the answer and the tools that are used.
//!
//! Its traps, and what is done about them:
//!
//! - It asks nobody: what it would ask about, it does not do, see [`policy`].
//! - What it thinks is not told, nor what its subagents do, nor that it waits for a limit to pass.
//! - Why the API refused is told as JSON inside of the message, see [`failure`].
//! - An answer that is empty or broken is a `result` with `error` as its status and nothing else: the reason came as an
//!   `error` before.

mod dialect;
mod failure;
mod launch;
mod policy;
mod wire;

pub(super) use launch::Gemini;
