//! The runner's guard: the parent of an agent, whose whole process tree ends with it (Linux).
//!
//! An agent starts shells, servers and daemons, and not all of them end when they are asked or stay where they can be
//! found. The guard is a *child subreaper*: whatever an orphaned descendant does, it becomes the guard's child, so
//! killing children until `waitpid` says that there are none left (`ECHILD`) leaves nobody behind.
//!
//! ```text
//! host ── link (a socket) ──┬─▶ watch ── parent of ──▶ guard ── parent of ──▶ agent ─▶ its tools …
//!                           └───────────────────────────▲ (orders and reports)
//! ```
//!
//! - The *link* is the lifeline: when the host dies, however, the socket closes and the guard ends everything.
//! - *Orders* (end with a grace, kill) and *reports* (started, failed, exited) are lines of text on it.
//! - The *watch* is the same again with the guard in the place of the agent: if somebody kills the guard, the tree
//!   falls to the watch, which ends it; if somebody kills the watch, the guard is told by a signal. So no single kill
//!   leaves anything alive, and the host need not become a subreaper, which would hand it orphans that it does not
//!   know.
//! - The agent's stdin, stdout and stderr are inherited: no byte of them passes through here.
//!
//! Ending is always the same: SIGTERM to the agent's process group and to every orphan, a grace, then SIGSTOP and
//! SIGKILL to every child until none is left. All is done by one thread that waits in `poll`; a child's pid cannot be
//! reused before this thread reaps it, so a signal cannot hit a stranger.

#[expect(clippy::module_inception, reason = "a file is named after its main type")]
mod guard;
mod link;
mod tree;
mod watch;

pub use guard::{GuardArgs, run_guard};
pub use link::{LINK_FD, Order, Report, inherited_link};
pub use watch::run_watch;
