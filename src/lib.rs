//! The engine under `locus exec`: runs agent CLIs as supervised child processes and turns what they print into a
//! typed, ordered stream of events while they print it.
//!
//! The straight path, and the module that owns each step:
//!
//! ```text
//! agent process ─ bytes ─▶ frame ─ line ─▶ dialect ─ Chunk ─▶ run ─ Event(seq) ─▶ consumers
//!    process               stream::frame   agent              run    event        stream::EventQueue,
//!                                                                                 history
//! ```
//!
//! Imports go backwards along this line only. [`run::Session`] is where to begin: it is the handle of one
//! conversation with one agent, whose events come out of the [`stream::EventQueue`] that it was given. Nothing in
//! this crate knows of Node; the crate `locus-exec-binding` is the border.

pub mod agent;
pub mod error;
pub mod event;
#[cfg(target_os = "linux")]
pub mod guard;
pub mod history;
pub mod log;
pub mod process;
pub mod run;
pub mod stream;
pub mod terminal;
pub mod usage;

pub use error::{Error, ErrorKind, Result};
