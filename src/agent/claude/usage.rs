//! What a turn used, out of figures that grow.
//!
//! Claude tells a turn's usage twice. While it runs, message by message: of the main agent when a message begins (what
//! was sent) and when it ends (what was generated), of subagents when the first line of a message comes. At its end,
//! exactly: `modelUsage` counts everything since the process began, by model, subagents and background turns included;
//! `total_cost_usd` too. The second replaces the first.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::wire::{Maybe, Message, ModelUsage, ResultLine, Text, TokenUsage};
use crate::usage::{CostSource, Meter, Usage};

/// Keeps the process's totals, so that a turn's share is a difference, and the turn's running count.
#[derive(Debug, Default)]
pub(super) struct UsageMeter {
    totals: Meter,
    /// What the messages of the running turn have used so far.
    running: Usage,
    /// The messages that are being streamed, by the tool use of the subagent; the main agent's has none.
    streaming: HashMap<Option<String>, Streaming>,
    /// The ids of the messages that are in `running`.
    counted: HashSet<String>,
    /// The model of the process, for messages that do not name theirs.
    model: Option<String>,
}

/// A message that has begun.
#[derive(Debug)]
struct Streaming {
    model: Option<String>,
    /// What of it is in `running`.
    counted: Usage,
}

impl UsageMeter {
    /// The model that the process works with.
    pub(super) fn model_told(&mut self, model: Option<&String>) {
        self.model = model.cloned();
    }

    /// A message began, or a line of one came that was not announced: what was sent is known. The turn's usage so far,
    /// unless nothing is new.
    pub(super) fn message_started(&mut self, message: &Message<'_>, parent: Option<&str>) -> Option<Usage> {
        let mut share = of(&message.usage?);
        if let Some(id) = &message.id
            && !self.counted.insert(id.as_str().to_owned())
        {
            return None;
        }
        share.requests = u64::from(parent.is_none());
        let model =
            message.model.as_ref().map(Text::as_str).map(ToOwned::to_owned).or_else(|| self.model.clone());
        self.count(model.as_deref(), &share);
        self.streaming.insert(parent.map(ToOwned::to_owned), Streaming { model, counted: share });
        Some(self.running.clone())
    }

    /// A message is (nearly) over: what was generated is known. The turn's usage so far.
    pub(super) fn message_ended(&mut self, usage: &TokenUsage, parent: Option<&str>) -> Usage {
        let total = of(usage);
        let message = self.streaming.remove(&parent.map(ToOwned::to_owned));
        let (model, more) = match &message {
            Some(message) => (message.model.clone(), total.minus(&message.counted)),
            // It began unnoticed.
            None => (self.model.clone(), total),
        };
        self.count(model.as_deref(), &more);
        self.running.clone()
    }

    fn count(&mut self, model: Option<&str>, share: &Usage) {
        let mut more = share.clone();
        if let Some(model) = model {
            more.attribute_to(model);
        }
        self.running = self.running.plus(&more);
    }

    /// The turn is over: what it used, all models and subagents together.
    pub(super) fn turn_ended(&mut self, result: &ResultLine) -> Usage {
        let running = std::mem::take(&mut self.running);
        self.streaming.clear();
        self.counted.clear();
        let cost = result.total_cost_usd.filter(|total| *total >= 0.0);
        let told = match result.model_usage.as_ref().map(sum).filter(|total| !total.is_nothing()) {
            Some(mut total) => {
                if cost.is_some() {
                    (total.cost_usd, total.cost_source, total.cost_partial) =
                        (cost, Some(CostSource::Agent), false);
                }
                self.totals.since(total).unwrap_or_default()
            }
            None => self.without_totals(result, &running, cost),
        };
        // Of a turn that was stopped in the middle of a message claude tells nothing; the message was sent all the same.
        let usage = if told.tokens() == 0 && running.tokens() > 0 { running.clone() } else { told };
        Usage { requests: running.requests, ..usage }
    }

    /// What the result tells of the main conversation in this turn, or the messages where it tells nothing; with the share
    /// of this turn in `cost`, which grows.
    fn without_totals(&mut self, result: &ResultLine, running: &Usage, cost: Option<f64>) -> Usage {
        let told = result.usage.as_ref().map(of).filter(|usage| usage.tokens() > 0);
        let mut usage = told.unwrap_or_else(|| running.clone());
        if cost.is_some() {
            let share = Usage { cost_usd: cost, ..Usage::default() }.minus(self.totals.total());
            (usage.cost_usd, usage.cost_source) = (share.cost_usd, Some(CostSource::Agent));
        }
        let mut models = running.models.keys();
        let model = models.next().filter(|_| models.next().is_none()).or(self.model.as_ref());
        if let Some(model) = model {
            usage.attribute_to(model);
        }
        let mut total = self.totals.total().plus(&usage);
        total.cost_usd = cost.or(total.cost_usd);
        self.totals = Meter::from(total);
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
        cache_write_1h: tokens.cache_creation.and_then(|kept| kept.hour).unwrap_or(0),
        thinking: tokens.output_details.and_then(|details| details.thinking),
        ..Usage::default()
    }
}

fn sum(models: &HashMap<String, Maybe<ModelUsage>>) -> Usage {
    let models: BTreeMap<String, Usage> = models
        .iter()
        .filter_map(|(name, model)| {
            let model = model.0.as_ref()?;
            let cost_usd = model.cost_usd.filter(|cost| *cost >= 0.0);
            let usage = Usage {
                input: model.input_tokens.unwrap_or(0),
                output: model.output_tokens.unwrap_or(0),
                cache_read: model.cache_read_input_tokens.unwrap_or(0),
                cache_write: model.cache_creation_input_tokens.unwrap_or(0),
                cache_write_1h: model.cache_creation_1h_tokens.unwrap_or(0),
                thinking: model.thinking_tokens,
                cost_usd,
                cost_source: cost_usd.map(|_| CostSource::Agent),
                ..Usage::default()
            };
            Some((name.clone(), usage))
        })
        .collect();
    let whole = models.values().fold(Usage::default(), |sum, usage| sum.plus(usage));
    Usage { models, ..whole }
}
