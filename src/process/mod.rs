//! Bytes and processes; nothing here knows what an agent says.
//!
//! A [`CommandSpec`] is plain data: who is started, how and where. [`Process::spawn`] makes it run with all three
//! pipes served at the same time: writes to stdin are queued and never block the caller, stderr is drained into a
//! bounded tail, and stdout is read by the one who owns the [`Process`]. Everything that the process starts ends with
//! it: see [`Supervision`]; [`Process::terminate`] waits for that.

mod child;
mod command;
mod exit;
mod probe;
mod stderr;
mod stdout;
mod supervisor;

pub use child::{Activity, Process};
pub(crate) use command::check_directory;
pub use command::{CommandSpec, EnvChange};
pub use exit::Exit;
pub use probe::{IsEnough, Probed, probe};
pub use supervisor::Supervision;
