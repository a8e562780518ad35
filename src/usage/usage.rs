//! Tokens and money.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Tokens and money of one turn, all its model requests and subagents together; never cumulative over turns. What turns,
/// attempts or models used together is their [sum](Usage::plus).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Usage {
    /// Tokens sent that were not in the cache.
    pub input: u64,
    /// Tokens generated, thinking included.
    pub output: u64,
    /// Tokens read from the cache.
    pub cache_read: u64,
    /// Tokens written to the cache.
    pub cache_write: u64,
    /// Those of `cache_write` that are kept for an hour, which costs more.
    #[serde(rename = "cacheWrite1h", skip_serializing_if = "is_zero")]
    pub cache_write_1h: u64,
    /// Those of `output` that were spent on thinking; absent where the agent does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thinking: Option<u64>,
    /// Model requests that were begun; 0 where the agent does not say.
    #[serde(skip_serializing_if = "is_zero")]
    pub requests: u64,
    /// US dollars; absent where they are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Who says what it cost; absent where nobody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_source: Option<CostSource>,
    /// Whether `cost_usd` is only what is known of the cost: the price of another part is not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cost_partial: bool,
    /// The same by model, where the agent names them; they have no `models` of their own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<String, Self>,
}

/// Who says what a turn cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CostSource {
    /// The agent.
    Agent,
    /// The price table, for all of it or for a part.
    Prices,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Usage {
    /// All tokens, whatever they cost.
    pub fn tokens(&self) -> u64 {
        [self.output, self.cache_read, self.cache_write].into_iter().fold(self.input, u64::saturating_add)
    }

    /// Whether it costs something that nobody has put a price on.
    pub fn is_unpriced(&self) -> bool {
        self.cost_usd.is_none() && self.tokens() > 0
    }

    /// What both used. A cost that only one of them has is marked as a part of the whole.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let mut models = self.models.clone();
        for (model, usage) in &other.models {
            let sum = models.get(model).map_or_else(|| usage.clone(), |before| before.plus(usage));
            models.insert(model.clone(), sum);
        }
        let cost_usd = match (self.cost_usd, other.cost_usd) {
            (Some(a), Some(b)) => Some(rounded(a + b)),
            (cost, None) | (None, cost) => cost,
        };
        let known = cost_usd.is_some();
        Self {
            input: self.input.saturating_add(other.input),
            output: self.output.saturating_add(other.output),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write: self.cache_write.saturating_add(other.cache_write),
            cache_write_1h: self.cache_write_1h.saturating_add(other.cache_write_1h),
            thinking: match (self.thinking, other.thinking) {
                (Some(a), Some(b)) => Some(a.saturating_add(b)),
                (thinking, None) | (None, thinking) => thinking,
            },
            requests: self.requests.saturating_add(other.requests),
            cost_usd,
            cost_source: match (self.cost_source, other.cost_source) {
                (Some(CostSource::Prices), _) | (_, Some(CostSource::Prices)) => Some(CostSource::Prices),
                (source, None) | (None, source) => source,
                (Some(CostSource::Agent), Some(CostSource::Agent)) => Some(CostSource::Agent),
            },
            cost_partial: known
                && (self.cost_partial || other.cost_partial || self.is_unpriced() || other.is_unpriced()),
            models,
        }
    }

    /// What came on top of `before`; no figure is below zero.
    #[must_use]
    pub fn minus(&self, before: &Self) -> Self {
        let nothing = Self::default();
        let models = self
            .models
            .iter()
            .map(|(model, usage)| (model.clone(), usage.minus(before.models.get(model).unwrap_or(&nothing))));
        Self {
            input: self.input.saturating_sub(before.input),
            output: self.output.saturating_sub(before.output),
            cache_read: self.cache_read.saturating_sub(before.cache_read),
            cache_write: self.cache_write.saturating_sub(before.cache_write),
            cache_write_1h: self.cache_write_1h.saturating_sub(before.cache_write_1h),
            thinking: self.thinking.map(|thinking| thinking.saturating_sub(before.thinking.unwrap_or(0))),
            requests: self.requests.saturating_sub(before.requests),
            cost_usd: self.cost_usd.map(|cost| rounded((cost - before.cost_usd.unwrap_or(0.0)).max(0.0))),
            cost_source: self.cost_source,
            cost_partial: self.cost_partial,
            models: models.filter(|(_, usage)| !usage.is_nothing()).collect(),
        }
    }

    /// Whether nothing at all was used.
    pub fn is_nothing(&self) -> bool {
        self.tokens() == 0 && self.requests == 0 && self.cost_usd.unwrap_or(0.0) == 0.0
    }

    /// Puts all of it down to one model, where the agent names none.
    pub(crate) fn attribute_to(&mut self, model: &str) {
        if self.models.is_empty() && !self.is_nothing() {
            let whole = self.clone();
            self.models.insert(model.to_owned(), whole);
        }
    }
}

/// A sum of floats without their noise: a billionth of a dollar is far below any price.
pub(crate) fn rounded(dollars: f64) -> f64 {
    let near = (dollars * 1e9).round() / 1e9;
    if near.is_finite() { near } else { dollars }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any usage by the models `a` and `b`, as large as it gets in life.
    pub(crate) fn any_usage() -> impl Strategy<Value = Usage> {
        let tokens = || 0..1_000_000_000_u64;
        let cost = proptest::option::of((0..1_000_000_u32).prop_map(|micro| f64::from(micro) / 1e6));
        let one = (tokens(), tokens(), tokens(), tokens(), 0..1000_u64, cost).prop_map(
            |(input, output, cache_read, cache_write, requests, cost_usd)| Usage {
                input,
                output,
                cache_read,
                cache_write,
                requests,
                cost_usd,
                cost_source: cost_usd.map(|_| CostSource::Agent),
                ..Usage::default()
            },
        );
        proptest::collection::btree_map("[ab]", one, 0..3).prop_map(|models| {
            let whole = models.values().fold(Usage::default(), |sum, usage| sum.plus(usage));
            Usage { models, ..whole }
        })
    }

    fn close(a: Option<f64>, b: Option<f64>) -> bool {
        match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-6,
            (a, b) => a == b,
        }
    }

    proptest! {
        #[test]
        fn the_order_of_a_sum_does_not_matter(a in any_usage(), b in any_usage(), c in any_usage()) {
            prop_assert_eq!(a.plus(&b), b.plus(&a));
            let (left, right) = (a.plus(&b).plus(&c), a.plus(&b.plus(&c)));
            prop_assert!(close(left.cost_usd, right.cost_usd));
            prop_assert_eq!(left.cost_partial, right.cost_partial);
            prop_assert_eq!(left.tokens(), right.tokens());
        }

        #[test]
        fn nothing_changes_nothing(a in any_usage()) {
            prop_assert_eq!(a.plus(&Usage::default()), a.clone());
            prop_assert_eq!(a.minus(&Usage::default()).tokens(), a.tokens());
        }

        #[test]
        fn a_difference_undoes_a_sum(a in any_usage(), b in any_usage()) {
            let back = a.plus(&b).minus(&a);
            prop_assert_eq!(back.tokens(), b.tokens());
            if b.cost_usd.is_some() {
                prop_assert!(close(back.cost_usd, b.cost_usd));
            }
        }
    }

    /// TypeScript adds up by the same table.
    #[test]
    fn sums_are_those_of_the_table() {
        let cases = include_str!("../../fixtures/usage/sums.json");
        let cases: Vec<serde_json::Value> = serde_json::from_str(cases).unwrap();
        assert!(cases.len() > 5);
        for case in cases {
            let [a, b] = ["a", "b"].map(|name| serde_json::from_value::<Usage>(case[name].clone()).unwrap());
            for sum in [a.plus(&b), b.plus(&a)] {
                assert_eq!(serde_json::to_value(sum).unwrap(), case["sum"], "{}", case["what"]);
            }
        }
    }

    #[test]
    fn a_sum_with_an_unknown_part_is_never_complete() {
        let known = Usage { input: 1, cost_usd: Some(0.5), ..Usage::default() };
        let unknown = Usage { input: 1, ..Usage::default() };
        for sum in [known.plus(&unknown), unknown.plus(&known), unknown.plus(&unknown).plus(&known)] {
            assert_eq!((sum.cost_usd, sum.cost_partial), (Some(0.5), true));
        }
        let nothing_known = unknown.plus(&unknown);
        assert_eq!((nothing_known.cost_usd, nothing_known.cost_partial), (None, false));
        let complete = known.plus(&known);
        assert_eq!((complete.cost_usd, complete.cost_partial), (Some(1.0), false));
    }

    #[test]
    fn a_part_from_the_table_makes_the_whole_an_estimate() {
        let told =
            Usage { input: 1, cost_usd: Some(0.5), cost_source: Some(CostSource::Agent), ..Usage::default() };
        let priced = Usage { cost_source: Some(CostSource::Prices), ..told.clone() };
        assert_eq!(told.plus(&told).cost_source, Some(CostSource::Agent));
        assert_eq!(told.plus(&priced).cost_source, Some(CostSource::Prices));
    }
}
