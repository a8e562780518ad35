//! What the tests share: a host that runs a session with one of `tests/agents`, the events as the host sees them, and
//! fifos by which an agent and its test wait for each other.
//!
//! Nothing here sleeps. [`patiently`] only ends a test that would wait for ever.

mod events;
mod fifo;
mod host;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) use events::{Event, Turn};
pub(crate) use fifo::{Inbox, Outbox};
pub(crate) use host::{Host, set, turn};

/// Long after this a test would have gone on if it could.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for something that comes at once unless there is a defect.
pub(crate) async fn patiently<T>(what: &str, future: impl Future<Output = T>) -> T {
    let in_time = tokio::time::timeout(PATIENCE, future).await;
    in_time.unwrap_or_else(|_| panic!("waited {PATIENCE:?} for {what}"))
}

/// The executable of a fake agent.
pub(crate) fn agent(name: &str) -> PathBuf {
    let path = manifest_folder().join("tests/agents").join(name);
    assert!(path.exists(), "there is no fake agent {name}");
    path
}

/// The folder of the package.
pub(crate) fn manifest_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether a process has not been reaped yet.
pub(crate) fn exists(pid: &str) -> bool {
    let pid = rustix::process::Pid::from_raw(pid.trim().parse().expect("a pid")).expect("no zero");
    rustix::process::test_kill_process(pid).is_ok()
}
