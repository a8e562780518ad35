//! What a turn used, out of totals that grow with the thread, over resuming, too.

use std::collections::HashMap;

use super::super::context::ContextUse;
use super::wire::{ThreadUsage, TokenUsage};
use crate::usage::{Meter, Usage};

/// Meters each thread, and keeps the turn's running count.
#[derive(Debug, Default)]
pub(super) struct UsageMeter {
    threads: HashMap<String, Meter>,
    /// The model of each thread.
    models: HashMap<String, String>,
    running: Usage,
}

impl UsageMeter {
    /// Which model a thread has, where codex says so.
    pub(super) fn runs_on(&mut self, thread: &str, model: &str) {
        if !model.is_empty() {
            self.models.insert(thread.to_owned(), model.to_owned());
        }
    }

    /// What a thread had used before anything was asked of it here; repeated by codex when a thread is resumed.
    pub(super) fn begins_at(&mut self, thread: &str, usage: &ThreadUsage) {
        if let Some(total) = &usage.total {
            self.threads.insert(thread.to_owned(), total.usage().into());
        }
    }

    /// A request to the model has been answered: the turn's usage so far, if that is new. Codex repeats itself, for
    /// example when a turn is interrupted.
    pub(super) fn updated(&mut self, thread: &str, usage: &ThreadUsage) -> Option<Usage> {
        let total = usage.total.as_ref().map(TokenUsage::usage)?;
        let mut more = if let Some(meter) = self.threads.get_mut(thread) {
            meter.since(total)?
        } else {
            // A thread may begin with the history of another one.
            self.threads.insert(thread.to_owned(), total.into());
            usage.last.as_ref().map(TokenUsage::usage)?
        };
        if more.is_nothing() {
            return None;
        }
        more.requests = 1;
        if let Some(model) = self.models.get(thread) {
            more.attribute_to(model);
        }
        self.running = self.running.plus(&more);
        Some(self.running.clone())
    }

    /// The turn is over: what it used, its subagents' included.
    pub(super) fn turn_ended(&mut self) -> Usage {
        std::mem::take(&mut self.running)
    }
}

impl ThreadUsage {
    /// What is in the model's window.
    pub(super) fn context(&self) -> ContextUse {
        ContextUse { tokens: self.last.map_or(0, |last| last.usage().tokens()), window: self.window }
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
            thinking: self.reasoning_output_tokens,
            ..Usage::default()
        }
    }
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
            reasoning_output_tokens: None,
        };
        ThreadUsage { total: Some(tokens(total)), last: Some(tokens(last)), window: Some(1000) }
    }

    #[test]
    fn the_cache_is_no_input() {
        let mut meter = UsageMeter::default();
        let expected =
            Usage { input: 25, output: 25, cache_read: 7, cache_write: 3, requests: 1, ..Usage::default() };
        assert_eq!(meter.updated("a", &usage(25, 25)), Some(expected.clone()));
        assert_eq!(meter.turn_ended(), expected);
    }

    #[test]
    fn the_context_is_what_the_last_request_put_into_the_window() {
        assert_eq!(usage(500, 25).context(), ContextUse { tokens: 60, window: Some(1000) });
        assert_eq!(ThreadUsage::default().context(), ContextUse::default());
    }

    #[test]
    fn a_turn_is_a_difference_and_what_is_repeated_does_not_count() {
        let mut meter = UsageMeter::default();
        meter.begins_at("a", &usage(100, 50));
        assert_eq!(meter.updated("a", &usage(100, 50)), None);
        meter.updated("a", &usage(130, 30));
        // A subagent.
        meter.updated("b", &usage(500, 5));
        let used = meter.turn_ended();
        assert_eq!((used.input, used.output, used.requests), (35, 35, 2));
        meter.updated("a", &usage(131, 1));
        assert_eq!(meter.turn_ended().input, 1);
    }
}
