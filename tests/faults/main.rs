//! The faults of the catalogue that concern processes, each by its number: real processes, real signals, real limits.
//! What is promised and what is not is written in `docs/supervision.md`.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "the helpers of a test fail by panicking")]

#[path = "../support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the other tests need more of it")]
mod support;

mod another_process;
mod descendants;

mod pipes;
mod spawn;
mod tree;
mod watchdogs;
