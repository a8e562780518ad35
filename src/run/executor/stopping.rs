//! How the turn under way is stopped.

use std::time::Duration;

use tokio::time::Instant;

use super::{Executor, Live};
use crate::error::ErrorKind;
use crate::run::cancel::{Cancellation, Measure, StopCause};

impl Executor {
    pub(super) fn timed_out(&mut self, kind: ErrorKind) {
        let Some(turn) = &self.turn else { return };
        let limit = match kind {
            ErrorKind::StartTimeout => turn.timeouts.start,
            ErrorKind::IdleTimeout => turn.timeouts.idle,
            _ => turn.timeouts.total,
        };
        self.stop(StopCause::Timeout(kind, limit));
    }

    /// Begins to stop the turn under way; the first cause is the one that counts.
    pub(super) fn stop(&mut self, cause: StopCause) {
        let Some(turn) = &mut self.turn else {
            for done in self.cancelled.drain(..) {
                let _ = done.send(());
            }
            return;
        };
        let times = self.options.cancel;
        self.journal.stopping(cause.word());
        turn.cancellation.get_or_insert_with(|| Cancellation::new(cause, times, Instant::now()));
        if turn.pause.is_some() {
            // Nothing runs that would have to be stopped.
            return self.abandon_turn();
        }
        self.with_live(Self::interrupt_if_cancelled);
    }

    pub(super) fn interrupt_if_cancelled(&mut self, live: &mut Live) {
        let Some(turn) = &mut self.turn else { return };
        let Some(cancellation) = &mut turn.cancellation else { return };
        if !turn.interruptible || !cancellation.interrupt() {
            return;
        }
        match live.dialect.interrupt() {
            Some(interrupt) => live.process.write(interrupt),
            // An agent that cannot be asked is not waited for.
            None => take_measure(cancellation.escalate(Instant::now()), self.options.cancel.grace, live),
        }
    }

    pub(super) fn escalate(&mut self) {
        let (Some(turn), Some(live)) = (&mut self.turn, &mut self.live) else { return };
        if let Some(cancellation) = &mut turn.cancellation {
            take_measure(cancellation.escalate(Instant::now()), self.options.cancel.grace, live);
        }
    }
}

fn take_measure(measure: Measure, grace: Duration, live: &mut Live) {
    match measure {
        Measure::Terminate => live.process.ask_to_end(grace),
        Measure::Kill => live.process.kill(),
    }
}
