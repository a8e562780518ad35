//! What a turn used, whichever way an agent tells it.

use super::wire::{Cost, TokenUsage};
use crate::usage::{CostSource, Usage};

/// Gathers what is told in the course of a turn.
#[derive(Debug, Default)]
pub(super) struct UsageMeter {
    model: String,
    /// The tokens of the turn.
    tokens: Usage,
    /// What the turn has cost, where the agent tells.
    cost: Option<f64>,
    /// What the conversation has cost, where that is known.
    conversation_cost: Option<f64>,
}

impl UsageMeter {
    /// Which model answers from now on.
    pub(super) fn runs_on(&mut self, model: &str) {
        model.clone_into(&mut self.model);
    }

    /// A conversation is begun, which has cost nothing yet.
    pub(super) fn begins_anew(&mut self) {
        self.conversation_cost = Some(0.0);
    }

    /// A turn begins.
    pub(super) fn turn_begins(&mut self) {
        self.tokens = Usage::default();
        self.cost = None;
    }

    /// A request to the model has been answered: the turn's usage so far.
    pub(super) fn requested(&mut self, tokens: TokenUsage) -> Usage {
        self.used(Usage { requests: 1, ..tokens.usage() });
        self.so_far()
    }

    fn used(&mut self, mut more: Usage) {
        if !self.model.is_empty() {
            more.attribute_to(&self.model);
        }
        self.tokens = self.tokens.plus(&more);
    }

    /// What the conversation has cost so far: the turn's usage, if that is news about it.
    pub(super) fn costs(&mut self, cost: &Cost) -> Option<Usage> {
        let total = cost.amount.filter(|amount| amount.is_finite() && *amount >= 0.0)?;
        if cost.currency.as_deref().is_some_and(|currency| currency != "USD") {
            return None;
        }
        // Of a conversation that was resumed it is not known what it had cost before.
        let before = self.conversation_cost.replace(total).unwrap_or(total);
        self.cost = Some(self.cost.unwrap_or(0.0) + (total - before).max(0.0));
        (total > before).then(|| self.so_far())
    }

    /// The turn is over: what it used. `tokens` is what the agent says of it in the end, which counts where nothing was
    /// said before.
    pub(super) fn turn_ended(&mut self, tokens: Option<TokenUsage>) -> Usage {
        let told = tokens.filter(|tokens| self.tokens.is_nothing() && tokens.usage().tokens() > 0);
        if let Some(tokens) = told {
            self.used(tokens.usage());
        }
        let usage = self.so_far();
        self.turn_begins();
        usage
    }

    fn so_far(&self) -> Usage {
        let cost_source = self.cost.map(|_| CostSource::Agent);
        Usage { cost_usd: self.cost, cost_source, ..self.tokens.clone() }
    }
}

impl TokenUsage {
    /// Tokens of the cache, and those of thinking, are counted apart or as a part of the others: the total tells.
    fn usage(self) -> Usage {
        let (input, output) = (self.input.unwrap_or(0), self.output.unwrap_or(0));
        let (read, write) = (self.cached_read.unwrap_or(0), self.cached_write.unwrap_or(0));
        let apart = [output, read, write].into_iter().fold(input, u64::saturating_add);
        let cached_is_input = self.total.is_some_and(|total| total < apart);
        let thought = self.thought.unwrap_or(0);
        let thought_is_apart = self.total.is_some_and(|total| total >= apart.saturating_add(thought));
        Usage {
            input: if cached_is_input { input.saturating_sub(read).saturating_sub(write) } else { input },
            output: if thought_is_apart { output.saturating_add(thought) } else { output },
            cache_read: read,
            cache_write: write,
            thinking: self.thought,
            ..Usage::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(input: u64, output: u64, cached_read: u64, thought: u64, total: Option<u64>) -> TokenUsage {
        TokenUsage {
            input: Some(input),
            output: Some(output),
            cached_read: Some(cached_read),
            thought: Some(thought),
            total,
            ..TokenUsage::default()
        }
    }

    #[test]
    fn the_total_tells_what_is_counted_in_what() {
        for (told, expected) in [
            (tokens(32, 15, 7, 0, Some(47)), [25, 15, 7]),
            (tokens(25, 15, 7, 0, Some(47)), [25, 15, 7]),
            (tokens(25, 15, 7, 4, Some(51)), [25, 19, 7]),
            (tokens(25, 15, 7, 4, Some(47)), [25, 15, 7]),
            (tokens(25, 15, 7, 4, None), [25, 15, 7]),
        ] {
            let usage = told.usage();
            assert_eq!([usage.input, usage.output, usage.cache_read], expected, "{told:?}");
        }
    }

    #[test]
    fn what_was_told_of_each_request_is_not_counted_again_in_the_end() {
        let mut meter = UsageMeter::default();
        meter.runs_on("m");
        meter.requested(tokens(1, 2, 0, 0, None));
        assert_eq!(meter.requested(tokens(3, 4, 0, 0, None)).requests, 2);
        let usage = meter.turn_ended(Some(tokens(3, 4, 0, 0, None)));
        assert_eq!((usage.input, usage.output, usage.requests), (4, 6, 2));
        assert_eq!(usage.models["m"].input, 4);

        let usage = meter.turn_ended(Some(tokens(5, 6, 0, 0, None)));
        assert_eq!((usage.input, usage.output, usage.requests), (5, 6, 0), "nobody says how many there were");
        assert!(meter.turn_ended(Some(TokenUsage::default())).is_nothing());
    }

    #[test]
    fn what_a_resumed_conversation_had_cost_is_not_counted() {
        let cost = |amount| Cost { amount: Some(amount), currency: Some("USD".to_owned()) };
        let mut meter = UsageMeter::default();
        assert_eq!(meter.costs(&cost(5.0)), None);
        assert_eq!(meter.costs(&cost(5.5)).and_then(|usage| usage.cost_usd), Some(0.5));
        assert_eq!(meter.costs(&Cost { amount: Some(9.0), currency: Some("EUR".to_owned()) }), None);
        assert_eq!(meter.costs(&cost(f64::NAN)), None);
    }

    proptest! {
        #[test]
        fn the_costs_of_the_turns_add_up(totals in proptest::collection::vec(0.0_f64..100.0, 1..8)) {
            let mut meter = UsageMeter::default();
            meter.begins_anew();
            let (mut highest, mut sum) = (0.0_f64, 0.0);
            for total in totals {
                highest = highest.max(total);
                meter.turn_begins();
                meter.costs(&Cost { amount: Some(highest), currency: None });
                sum += meter.turn_ended(None).cost_usd.unwrap_or(0.0);
            }
            prop_assert!((sum - highest).abs() < 1e-6);
        }

        #[test]
        fn no_figures_overflow(input: u64, output: u64, read: u64, thought: u64, total: Option<u64>) {
            let mut meter = UsageMeter::default();
            meter.requested(tokens(input, output, read, thought, total));
            meter.requested(tokens(input, output, read, thought, total));
            meter.turn_ended(None);
        }
    }
}
