//! Totals that grow, as differences.

use super::Usage;

/// Turns the cumulative figures of an agent into what was used since the last time.
///
/// A total that has shrunk anywhere is one that was begun anew (another process, another thread): all of it is new. One
/// without any figures says nothing, and is as if it had not come.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    before: Usage,
}

impl Meter {
    /// What was used since the last total; `None` for a total that says nothing.
    pub fn since(&mut self, total: Usage) -> Option<Usage> {
        if total.is_nothing() {
            return None;
        }
        let before =
            if shrank(&self.before, &total) { Usage::default() } else { std::mem::take(&mut self.before) };
        let difference = total.minus(&before);
        self.before = total;
        Some(difference)
    }

    /// The last total.
    pub fn total(&self) -> &Usage {
        &self.before
    }
}

impl From<Usage> for Meter {
    /// A meter that has seen this total.
    fn from(total: Usage) -> Self {
        Self { before: total }
    }
}

fn shrank(before: &Usage, total: &Usage) -> bool {
    let tokens = |usage: &Usage| [usage.input, usage.output, usage.cache_read, usage.cache_write];
    tokens(before).into_iter().zip(tokens(total)).any(|(before, now)| now < before)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::usage::usage::tests::any_usage;

    proptest! {
        #[test]
        fn the_differences_add_up_to_the_last_total(turns in proptest::collection::vec(any_usage(), 1..8)) {
            let mut meter = Meter::default();
            let mut total = Usage::default();
            let mut sum = Usage::default();
            for turn in &turns {
                total = total.plus(turn);
                let difference = meter.since(total.clone());
                prop_assert!(difference.is_some() || total.is_nothing());
                let difference = difference.unwrap_or_default();
                prop_assert_eq!(difference.tokens(), turn.tokens());
                sum = sum.plus(&difference);
            }
            prop_assert_eq!(sum.tokens(), total.tokens());
            prop_assert!((sum.cost_usd.unwrap_or(0.0) - total.cost_usd.unwrap_or(0.0)).abs() < 1e-6);
            for (model, usage) in &total.models {
                let tokens = sum.models.get(model).map_or(0, Usage::tokens);
                prop_assert_eq!(tokens, usage.tokens());
            }
        }

        #[test]
        fn a_difference_is_never_more_than_the_total(totals in proptest::collection::vec(any_usage(), 1..8)) {
            let mut meter = Meter::default();
            for total in totals {
                if let Some(difference) = meter.since(total.clone()) {
                    prop_assert!(difference.tokens() <= total.tokens());
                    prop_assert!(difference.cost_usd.unwrap_or(0.0) <= total.cost_usd.unwrap_or(0.0) + 1e-9);
                }
            }
        }
    }

    #[test]
    fn a_total_that_was_begun_anew_is_all_new() {
        let mut meter = Meter::default();
        let total = |input| Usage { input, ..Usage::default() };
        assert_eq!(meter.since(total(100)).unwrap().input, 100);
        assert_eq!(meter.since(total(150)).unwrap().input, 50);
        assert_eq!(meter.since(total(30)).unwrap().input, 30);
    }

    #[test]
    fn an_empty_total_does_not_make_the_next_one_count_twice() {
        let mut meter = Meter::default();
        let total = |input| Usage { input, ..Usage::default() };
        meter.since(total(100));
        assert_eq!(meter.since(Usage::default()), None);
        assert_eq!(meter.since(total(120)).unwrap().input, 20);
    }
}
