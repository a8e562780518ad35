//! The real [`Session`](locus_exec::run::Session) with real child processes. The agents are the executables of
//! `tests/agents`, each named for what it does.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "the helpers of a test fail by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod acp;
mod cancel;
mod codex;
mod end;
mod endings;
mod flow;
mod gemini;
mod hanging_disk;
mod images;
mod launch;
mod otherwise;
mod permission;
mod recording;
mod resume;
mod retry;
mod spending;
mod turns;
mod watchdog;
