//! What a turn used, out of figures that grow.

use std::collections::HashMap;

use super::wire::{ModelUsage, ResultLine, TokenUsage};
use crate::agent::lenient::Maybe;
use crate::stream::Usage;

/// Keeps the process's totals, so that a turn's share is a difference, and the turn's running count.
#[derive(Debug, Default)]
pub(super) struct UsageMeter {
    /// Totals of the process at the end of the last turn.
    settled: Usage,
    settled_cost: f64,
    /// What the messages of the running turn have used so far.
    running: Usage,
    /// Output of the message that is being streamed, already in `running`.
    message_output: u64,
}

impl UsageMeter {
    /// A message began: its input is known.
    pub(super) fn message_started(&mut self, usage: &TokenUsage) {
        self.message_output = usage.output_tokens.unwrap_or(0);
        self.running = plus(&self.running, &of(usage));
    }

    /// A message is (nearly) over: its output is known. The turn's usage so far.
    pub(super) fn message_ended(&mut self, usage: &TokenUsage) -> Usage {
        let output = usage.output_tokens.unwrap_or(self.message_output);
        let more = output.saturating_sub(self.message_output);
        self.running.output = self.running.output.saturating_add(more);
        self.message_output = self.message_output.max(output);
        self.running
    }

    /// The turn is over: what it used, all models and subagents together.
    ///
    /// `modelUsage` counts everything since the process began; `usage` only the main conversation, but this turn.
    pub(super) fn turn_ended(&mut self, result: &ResultLine) -> Usage {
        let running = std::mem::take(&mut self.running);
        self.message_output = 0;
        let mut usage = if let Some(models) = &result.model_usage {
            let total = sum(models);
            let before = std::mem::replace(&mut self.settled, total);
            Usage {
                input: total.input.saturating_sub(before.input),
                output: total.output.saturating_sub(before.output),
                cache_read: total.cache_read.saturating_sub(before.cache_read),
                cache_write: total.cache_write.saturating_sub(before.cache_write),
                cost_usd: None,
            }
        } else {
            let usage = result.usage.as_ref().map_or(running, of);
            // The next total has it in it.
            self.settled = plus(&self.settled, &usage);
            usage
        };
        usage.cost_usd = result.total_cost_usd.filter(|total| *total >= 0.0).map(|total| {
            let before = std::mem::replace(&mut self.settled_cost, total);
            let cost = (total - before).max(0.0);
            // The totals are sums of floats; a billionth of a dollar is far below any price.
            let rounded = (cost * 1e9).round() / 1e9;
            if rounded.is_finite() { rounded } else { cost }
        });
        usage
    }
}

/// What one message or turn used.
fn of(tokens: &TokenUsage) -> Usage {
    Usage {
        input: tokens.input_tokens.unwrap_or(0),
        output: tokens.output_tokens.unwrap_or(0),
        cache_read: tokens.cache_read_input_tokens.unwrap_or(0),
        cache_write: tokens.cache_creation_input_tokens.unwrap_or(0),
        cost_usd: None,
    }
}

fn sum(models: &HashMap<String, Maybe<ModelUsage>>) -> Usage {
    models.values().filter_map(|model| model.0.as_ref()).fold(Usage::default(), |sum, model| {
        let more = Usage {
            input: model.input_tokens.unwrap_or(0),
            output: model.output_tokens.unwrap_or(0),
            cache_read: model.cache_read_input_tokens.unwrap_or(0),
            cache_write: model.cache_creation_input_tokens.unwrap_or(0),
            cost_usd: None,
        };
        plus(&sum, &more)
    })
}

fn plus(a: &Usage, b: &Usage) -> Usage {
    Usage {
        input: a.input.saturating_add(b.input),
        output: a.output.saturating_add(b.output),
        cache_read: a.cache_read.saturating_add(b.cache_read),
        cache_write: a.cache_write.saturating_add(b.cache_write),
        cost_usd: None,
    }
}
