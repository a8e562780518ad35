//! What a turn used, out of totals that grow with the thread, over resuming, too.

use std::collections::HashMap;

use super::wire::{ThreadUsage, TokenUsage};
use crate::stream::Usage;

/// Keeps each thread's total, so that a turn's share is a difference, and the turn's running count.
#[derive(Debug, Default)]
pub(super) struct UsageMeter {
    totals: HashMap<String, Usage>,
    running: Usage,
    requests: u64,
}

impl UsageMeter {
    /// What a thread had used before anything was asked of it here; repeated by codex when a thread is resumed.
    pub(super) fn begins_at(&mut self, thread: &str, usage: &ThreadUsage) {
        if let Some(total) = &usage.total {
            self.totals.insert(thread.to_owned(), total.usage());
        }
    }

    /// A request to the model has been answered: the turn's usage so far, if that is new. Codex repeats itself, for
    /// example when a turn is interrupted.
    pub(super) fn updated(&mut self, thread: &str, usage: &ThreadUsage) -> Option<Usage> {
        let total = usage.total.as_ref().map_or_else(Usage::default, TokenUsage::usage);
        let last = usage.last.as_ref().map_or_else(Usage::default, TokenUsage::usage);
        let more = match self.totals.insert(thread.to_owned(), total) {
            Some(before) => difference(&total, &before).unwrap_or(last),
            None => last,
        };
        self.add(more)
    }

    fn add(&mut self, more: Usage) -> Option<Usage> {
        if more == Usage::default() {
            return None;
        }
        self.requests += 1;
        self.running = self.running.plus(&more);
        Some(self.running)
    }

    /// The turn is over: what it used, its subagents' included, and in how many requests.
    pub(super) fn turn_ended(&mut self) -> (Usage, u64) {
        (std::mem::take(&mut self.running), std::mem::take(&mut self.requests))
    }
}

impl TokenUsage {
    /// Codex counts what comes out of the cache and what goes into it as input.
    pub(super) fn usage(&self) -> Usage {
        let cache_read = self.cached_input_tokens.unwrap_or(0);
        let cache_write = self.cache_write_input_tokens.unwrap_or(0);
        Usage {
            input: self.input_tokens.unwrap_or(0).saturating_sub(cache_read).saturating_sub(cache_write),
            output: self.output_tokens.unwrap_or(0),
            cache_read,
            cache_write,
            cost_usd: None,
        }
    }
}

/// What has come since; `None` where a total has shrunk, because it was counted anew.
pub(super) fn difference(now: &Usage, before: &Usage) -> Option<Usage> {
    Some(Usage {
        input: now.input.checked_sub(before.input)?,
        output: now.output.checked_sub(before.output)?,
        cache_read: now.cache_read.checked_sub(before.cache_read)?,
        cache_write: now.cache_write.checked_sub(before.cache_write)?,
        cost_usd: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(total: u64, last: u64) -> ThreadUsage {
        let tokens = |input| TokenUsage {
            input_tokens: Some(input + 10),
            cached_input_tokens: Some(7),
            cache_write_input_tokens: Some(3),
            output_tokens: Some(input),
        };
        ThreadUsage { total: Some(tokens(total)), last: Some(tokens(last)) }
    }

    #[test]
    fn the_cache_is_no_input() {
        let mut meter = UsageMeter::default();
        let expected = Usage { input: 25, output: 25, cache_read: 7, cache_write: 3, cost_usd: None };
        assert_eq!(meter.updated("a", &usage(25, 25)), Some(expected));
        assert_eq!(meter.turn_ended(), (expected, 1));
    }

    #[test]
    fn a_turn_is_a_difference_and_what_is_repeated_does_not_count() {
        let mut meter = UsageMeter::default();
        meter.begins_at("a", &usage(100, 50));
        assert_eq!(meter.updated("a", &usage(100, 50)), None);
        meter.updated("a", &usage(130, 30));
        // A subagent has a thread of its own, which may begin with the history of another one.
        meter.updated("b", &usage(500, 5));
        let (used, requests) = meter.turn_ended();
        assert_eq!((used.input, used.output, requests), (35, 35, 2));
        meter.updated("a", &usage(131, 1));
        assert_eq!(meter.turn_ended().0.input, 1);
    }

    #[test]
    fn a_total_that_shrinks_was_counted_anew() {
        let mut meter = UsageMeter::default();
        meter.updated("a", &usage(100, 100));
        assert_eq!(meter.updated("a", &usage(10, 4)).map(|usage| usage.output), Some(104));
    }
}
