//! What turns use: their budgets, and the line that each leaves in the ledger.

use std::time::Duration;

use tokio::time::Instant;

use super::saving::DiskTask;
use super::told::status;
use super::{Executor, Live};
use crate::error::Result;
use crate::history::unanswered;
use crate::run::budget::{Account, Budget, Exceeded};
use crate::run::cancel::{Cancellation, StopCause};
use crate::run::turn::{Ended, Turn};
use crate::usage::{Entry, Ledger};

impl Executor {
    /// The budgets of a turn that has this one.
    pub(super) fn account(&self, turn: Budget) -> Account {
        Account { turn, session: self.options.budget, before: self.spent.clone() }
    }

    /// Stops the turn under way if it has used too much.
    pub(super) fn keep_to_budget(&mut self, live: &mut Live) {
        let Some(turn) = &self.turn else { return };
        let account = self.account(turn.budget);
        let usage = self.dispatcher.usage();
        let (exceeded, is_blind) = (account.exceeded(usage), account.is_blind(usage));
        if is_blind {
            self.tell_blind();
        }
        if let Some(exceeded) = exceeded {
            self.over_budget(exceeded, live);
        }
    }

    fn over_budget(&mut self, exceeded: Exceeded, live: &mut Live) {
        let times = self.options.cancel;
        if let Some(Turn { cancellation, .. }) = &mut self.turn {
            let cause = StopCause::Budget(exceeded);
            self.journal.stopping(cause.word());
            cancellation.get_or_insert_with(|| Cancellation::new(cause, times, Instant::now()));
        }
        self.interrupt_if_cancelled(live);
    }

    /// Tells once in a turn that a limit in dollars is not kept, and why.
    fn tell_blind(&mut self) {
        let usage = self.dispatcher.usage();
        let unpriced = usage.models.iter().filter(|(_, usage)| usage.is_unpriced() || usage.cost_partial);
        let models: Vec<&str> = unpriced.map(|(model, _)| model.as_str()).collect();
        let of = if models.is_empty() { "the model".to_owned() } else { models.join(", ") };
        let message = format!(
            "the price of {of} is not known, so the limit in US dollars cannot be kept until the agent tells the cost; add it \
             to .locus/prices.json, or limit the tokens"
        );
        if self.turn.as_mut().is_some_and(|turn| !std::mem::replace(&mut turn.told_blind, true)) {
            self.dispatcher.chunk(status("cost_unknown", &[("message", &message)]));
        }
    }

    /// Begins to write down what a turn used, where its session is written down.
    pub(super) fn begin_to_count(&mut self, ended: &Ended) {
        if self.counting.is_under_way() {
            // The disk has not answered since the turn before.
            return;
        }
        // What could not even be opened had no agent, and its failure is told already.
        let Some(record) = self.options.record.as_ref().filter(|_| self.dispatcher.is_recording()) else {
            return;
        };
        let entry = Entry {
            time: self.dispatcher.now(),
            session: record.session_id.clone(),
            run: ended.run_id.clone(),
            provider: self.agent.name().to_owned(),
            model: self.options.agent.model.clone(),
            success: ended.error.is_none(),
            code: ended.error.as_ref().map(|error| error.code.to_owned()),
            duration_ms: ended.duration_ms,
            attempts: ended.attempts,
            usage: ended.usage.clone(),
        };
        let ledger = Ledger::beside(record.store.folder());
        self.counting = DiskTask::default().or_begin(move || ledger.append(&entry));
    }

    /// Waits until what a turn used is written down, which was begun with the turn's end, at `since`.
    pub(super) async fn counted(&mut self, since: Instant, patience: Duration) -> Result<()> {
        let mut counting = std::mem::take(&mut self.counting);
        if !counting.is_under_way() {
            return Ok(());
        }
        // Both are on one disk: if that has hung, all the time is used up.
        let patience = patience.saturating_sub(since.elapsed());
        let counted = self.wait_for(counting.answer(), patience, self.options.disk.hurry).await;
        self.counting = counting;
        counted.unwrap_or_else(|| {
            let folder = self.options.record.as_ref().map(|record| Ledger::beside(record.store.folder()));
            let path = folder.map(|ledger| ledger.path().to_owned()).unwrap_or_default();
            Err(unanswered("write down what was used in", path, since.elapsed()))
        })
    }
}
