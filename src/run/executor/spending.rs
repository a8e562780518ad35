//! What turns use: their budgets, and the line that each leaves in the ledger.

use super::{Executor, Live, status};
use crate::error::{Error, Result};
use crate::run::budget::{Account, Budget, Exceeded};
use crate::run::cancel::{Cancellation, StopCause};
use crate::run::turn::{Ended, Turn};
use crate::usage::{Entry, Ledger, PriceTable};

use tokio::time::Instant;

impl Executor {
    /// The budgets of a turn that has this one.
    pub(super) fn account(&self, turn: Budget) -> Account {
        Account { turn, session: self.options.budget, before: self.spent.clone() }
    }

    /// Reads what models cost in this project, if that was not done.
    pub(super) fn read_prices(&mut self) -> Result<()> {
        if !std::mem::replace(&mut self.priced, true) {
            let prices = PriceTable::of_project(&self.options.agent.cwd);
            self.priced = prices.is_ok();
            self.dispatcher.price_by(prices?, self.options.agent.model.clone());
        }
        Ok(())
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

    /// Writes down what a turn used, where its session is written down.
    pub(super) fn counted(&self, ended: &Ended) -> impl Future<Output = Result<()>> + use<> {
        // What could not even be opened had no agent, and its failure is told already.
        let record = self.options.record.as_ref().filter(|_| self.dispatcher.is_recording());
        let entry = record.map(|record| {
            (
                record,
                Entry {
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
                },
            )
        });
        let line = entry.map(|(record, entry)| (Ledger::beside(record.store.folder()), entry));
        async move {
            let Some((ledger, entry)) = line else { return Ok(()) };
            let writing = tokio::task::spawn_blocking(move || ledger.append(&entry));
            writing.await.map_err(|error| Error::Internal(error.to_string().into()))?
        }
    }
}
