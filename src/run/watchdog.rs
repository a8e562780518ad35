//! When a turn has taken too long; pure.

use std::time::Duration;

use tokio::time::Instant;

use crate::error::ErrorKind;

/// How long a turn may take; zero means for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// From the start of the process until it says that it is ready.
    pub start: Duration,
    /// Without any output in the middle of a turn. Time in which a person is asked, or in which the consumer does not
    /// consume, does not count.
    pub idle: Duration,
    /// The whole turn.
    pub total: Duration,
}

impl Default for Timeouts {
    /// A minute to start; a quarter of an hour of silence, which is more than claude gives its longest command.
    fn default() -> Self {
        Self { start: Duration::from_secs(60), idle: Duration::from_secs(15 * 60), total: Duration::ZERO }
    }
}

/// What the watchdogs look at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vitals {
    pub(super) started: Instant,
    /// When the agent was given the prompt, the last time.
    pub(super) attempted: Instant,
    pub(super) ready: bool,
    pub(super) last_output: Instant,
    /// Whether silence is not the agent's fault.
    pub(super) excused: bool,
    /// Whether nothing runs until the next attempt.
    pub(super) paused: bool,
}

impl Timeouts {
    /// The next deadline of a turn and what it means to miss it.
    pub(super) fn next(&self, vitals: &Vitals) -> Option<(Instant, ErrorKind)> {
        let limit = |from: Instant, limit: Duration, kind| (!limit.is_zero()).then(|| (from + limit, kind));
        let silence = if vitals.paused {
            None
        } else if !vitals.ready {
            limit(vitals.attempted, self.start, ErrorKind::StartTimeout)
        } else if vitals.excused {
            None
        } else {
            limit(vitals.last_output, self.idle, ErrorKind::IdleTimeout)
        };
        let total = limit(vitals.started, self.total, ErrorKind::TurnTimeout);
        silence.into_iter().chain(total).min_by_key(|(deadline, _)| *deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn each_phase_has_its_own_deadline() {
        let now = Instant::now();
        let timeouts = Timeouts { start: SECOND, idle: 2 * SECOND, total: 10 * SECOND };
        let starting = Vitals {
            started: now,
            attempted: now,
            ready: false,
            last_output: now,
            excused: false,
            paused: false,
        };
        assert_eq!(timeouts.next(&starting), Some((now + SECOND, ErrorKind::StartTimeout)));
        let again = Vitals { attempted: now + 3 * SECOND, ..starting };
        assert_eq!(timeouts.next(&again), Some((now + 4 * SECOND, ErrorKind::StartTimeout)));
        let silent = Vitals { ready: true, last_output: now + SECOND, ..starting };
        assert_eq!(timeouts.next(&silent), Some((now + 3 * SECOND, ErrorKind::IdleTimeout)));
        let asking = Vitals { excused: true, ..silent };
        assert_eq!(timeouts.next(&asking), Some((now + 10 * SECOND, ErrorKind::TurnTimeout)));
        let paused = Vitals { paused: true, ..starting };
        assert_eq!(timeouts.next(&paused), Some((now + 10 * SECOND, ErrorKind::TurnTimeout)));
        let long = Vitals { last_output: now + 9 * SECOND, ..silent };
        assert_eq!(timeouts.next(&long), Some((now + 10 * SECOND, ErrorKind::TurnTimeout)));
    }

    #[test]
    fn zero_means_for_ever() {
        let now = Instant::now();
        let never = Timeouts { start: Duration::ZERO, idle: Duration::ZERO, total: Duration::ZERO };
        for ready in [false, true] {
            assert_eq!(
                never.next(&Vitals {
                    started: now,
                    attempted: now,
                    ready,
                    last_output: now,
                    excused: false,
                    paused: false,
                }),
                None
            );
        }
    }
}
