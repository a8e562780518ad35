//! Why a turn is stopped, how hard, and when harder.
//!
//! The agent is first asked by its own protocol, which keeps its process and its conversation; if the turn has not
//! settled by a deadline, the process is asked to end, and after a grace it is killed.

use std::time::Duration;

use tokio::time::Instant;

use super::budget::Exceeded;
use crate::error::ErrorKind;

/// The deadlines of a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancelTimes {
    /// From the interrupt to SIGTERM.
    pub settle: Duration,
    /// From SIGTERM to SIGKILL.
    pub grace: Duration,
}

impl Default for CancelTimes {
    fn default() -> Self {
        Self { settle: Duration::from_secs(2), grace: Duration::from_secs(5) }
    }
}

/// What is done to a process whose agent did not heed the interrupt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measure {
    /// Ask the process to end.
    Terminate,
    /// End the process.
    Kill,
}

/// Why a turn is stopped before its end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum StopCause {
    /// Somebody asked for it.
    Asked,
    /// A watchdog: what was missed, and the limit.
    Timeout(ErrorKind, Duration),
    /// A budget was exceeded, by what was known then.
    Budget(Exceeded),
}

impl StopCause {
    /// As the log calls it.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Timeout(kind, _) => kind.code(),
            Self::Budget(_) => ErrorKind::BudgetExceeded.code(),
        }
    }
}

/// A cancellation under way.
#[derive(Debug)]
pub(super) struct Cancellation {
    cause: StopCause,
    times: CancelTimes,
    interrupted: bool,
    last: Option<Measure>,
    deadline: Instant,
}

impl Cancellation {
    /// A cancellation that is asked for now; its first measure waits until the agent can be interrupted.
    pub(super) fn new(cause: StopCause, times: CancelTimes, now: Instant) -> Self {
        Self { cause, times, interrupted: false, last: None, deadline: now + times.settle }
    }

    /// Why the turn is stopped.
    pub(super) fn cause(&self) -> StopCause {
        self.cause
    }

    /// When [`Self::escalate`] is to be called next.
    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The agent can be interrupted: whether that is to be done. It is done once, and not when it is too late.
    pub(super) fn interrupt(&mut self) -> bool {
        self.last.is_none() && !std::mem::replace(&mut self.interrupted, true)
    }

    /// The deadline has passed: what comes next.
    pub(super) fn escalate(&mut self, now: Instant) -> Measure {
        let next = match self.last {
            None => Measure::Terminate,
            Some(_) => Measure::Kill,
        };
        self.last = Some(next);
        self.deadline = now
            + match next {
                Measure::Terminate => self.times.grace,
                // A kill needs no grace; it is only repeated, and never so often that nothing else is looked at.
                Measure::Kill => self.times.grace.max(Duration::from_secs(1)),
            };
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_asks_then_terminates_then_kills() {
        let now = Instant::now();
        let times = CancelTimes::default();
        let mut cancellation = Cancellation::new(StopCause::Asked, times, now);
        assert_eq!(cancellation.deadline(), now + times.settle);
        assert!(cancellation.interrupt());
        assert!(!cancellation.interrupt(), "an agent is interrupted once");
        assert_eq!(cancellation.escalate(now), Measure::Terminate);
        assert_eq!(cancellation.deadline(), now + times.grace);
        assert_eq!(cancellation.escalate(now), Measure::Kill);
        assert_eq!(cancellation.escalate(now), Measure::Kill);
    }

    #[test]
    fn an_agent_that_never_gets_ready_is_terminated_all_the_same() {
        let now = Instant::now();
        let mut cancellation = Cancellation::new(StopCause::Asked, CancelTimes::default(), now);
        assert_eq!(cancellation.escalate(now), Measure::Terminate);
        assert!(!cancellation.interrupt(), "too late to ask");
    }
}
