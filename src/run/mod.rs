//! Running turns: one actor owns the process of a session and decides everything; its [`Session`] handle only sends
//! it messages.
//!
//! - `session.rs`: the handle and its messages.
//! - `sink.rs`: takes what a dialect understood to the dispatcher.
//! - `executor.rs`: the actor; between turns it waits, in a turn it moves bytes from the process through the dialect to
//!   the dispatcher, and acts on signals, messages and deadlines. `executor/`: one file for each thing that it does.
//! - `dispatcher.rs`: the one place that stamps events.
//! - `answer.rs`: what was said in the turn under way.
//! - `replay.rs`: the same for what an agent printed once, without a process.
//! - `recognition.rs`: who printed it, and how it was spoken to.
//! - `turn.rs`: what is known of the turn under way.
//! - `budget.rs`: what a turn and a session may use; pure.
//! - `cancel.rs`: how hard a turn is to be stopped, and when harder; pure.
//! - `disk_times.rs`: how long a disk is waited for.
//! - `journal.rs`: what goes into the log.
//! - `retry.rs`: whether a turn that failed is tried again, when and how; pure.
//! - `watchdog.rs`: when a turn has taken too long; pure.

mod answer;
mod budget;
mod cancel;
mod disk_times;
mod dispatcher;
mod executor;
mod journal;
mod recognition;
mod replay;
mod retry;
mod session;
mod sink;
mod turn;
mod watchdog;

pub use budget::{Budget, Exceeded, Figures, Scope};
pub use cancel::CancelTimes;
pub use disk_times::DiskTimes;
pub use replay::Replay;
pub use retry::{AfterChanges, Failure, Progress, RetryContext, RetryDecision, RetryPolicy, Way, decide};
pub use session::{RecordOptions, Session, SessionOptions, TurnOptions};
pub use watchdog::Timeouts;
