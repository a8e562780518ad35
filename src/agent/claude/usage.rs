//! What a turn used, out of figures that grow.
//!
//! Claude tells a turn's usage twice. While it runs, message by message: of the main agent when a message begins
//! (what was sent) and when it ends (what was generated), of subagents when the first line of a message comes. At its
//! end, exactly, by model, subagents included; this replaces the first: `model_usage_since_last_result`.
//!
//! Versions without that have only totals, `modelUsage` and `total_cost_usd`, of which the difference is taken. They
//! count everything since the process began; but a process that resumes a conversation counts on from where the one
//! before it ended, so totals alone cannot tell what is new in its first turn.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::context::ContextUse;
use super::wire::{Message, ModelUsage, ResultLine, TokenUsage};
use crate::agent::lenient::{Maybe, Text};
use crate::usage::{CostSource, Meter, Usage, rounded};

/// Keeps the process's totals, so that a turn's share is a difference, and the turn's running count.
#[derive(Debug, Default)]
pub(super) struct UsageMeter {
    totals: Meter,
    /// What turns used that nobody prompted, since the last turn that somebody did.
    background: Usage,
    /// What the messages of the running turn have used so far.
    running: Usage,
    /// The messages that are being streamed, by the tool use of the subagent; the main agent's has none.
    streaming: HashMap<Option<String>, Streaming>,
    /// The ids of the messages that are in `running`.
    counted: HashSet<String>,
    context: ContextUse,
    /// The model that `context` is of, and how large the windows of models are.
    context_model: Option<String>,
    windows: HashMap<String, u64>,
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
        if parent.is_none() {
            self.context_model.clone_from(&model);
            self.context.tokens = share.tokens();
            self.context.window = self.window();
        }
        self.count(model.as_deref(), &share);
        self.streaming.insert(parent.map(ToOwned::to_owned), Streaming { model, counted: share });
        Some(self.running.clone())
    }

    /// A message is (nearly) over: what was generated is known. The turn's usage so far.
    pub(super) fn message_ended(&mut self, usage: &TokenUsage, parent: Option<&str>) -> Usage {
        let total = of(usage);
        let message = self.streaming.remove(&parent.map(ToOwned::to_owned));
        if let Some(message) = message.as_ref().filter(|_| parent.is_none()) {
            let sent = Usage { output: 0, ..message.counted.clone() }.tokens();
            self.context.tokens = sent.saturating_add(total.output);
        }
        let (model, more) = match &message {
            Some(message) => (message.model.clone(), total.minus(&message.counted)),
            // It began unnoticed.
            None => (self.model.clone(), total),
        };
        self.count(model.as_deref(), &more);
        self.running.clone()
    }

    /// What is in the model's window.
    pub(super) fn context(&self) -> ContextUse {
        self.context
    }

    fn window(&self) -> Option<u64> {
        self.windows.get(self.context_model.as_ref()?).copied()
    }

    fn count(&mut self, model: Option<&str>, share: &Usage) {
        let mut more = share.clone();
        if let Some(model) = model {
            more.attribute_to(model);
        }
        self.running = self.running.plus(&more);
    }

    /// A turn is over that nobody prompted: what it used counts towards the one that ends next.
    pub(super) fn background_turn_ended(&mut self, result: &ResultLine) {
        if let Some(since) = since_last_result(result) {
            self.background = self.background.plus(&since);
        }
    }

    /// The turn is over: what it used, all models and subagents together.
    pub(super) fn turn_ended(&mut self, result: &ResultLine) -> Usage {
        for (name, model) in result.model_usage.iter().flatten() {
            if let Some(window) = model.0.as_ref().and_then(|model| model.context_window) {
                self.windows.insert(name.clone(), window);
            }
        }
        self.context.window = self.window();
        let running = std::mem::take(&mut self.running);
        self.streaming.clear();
        self.counted.clear();
        let background = std::mem::take(&mut self.background);
        let difference = self.difference(result, &running);
        let told = since_last_result(result).map_or(difference, |since| since.plus(&background));
        // Of a turn that was stopped in the middle of a message claude tells nothing; the message was sent all the same.
        let usage = if told.tokens() == 0 && running.tokens() > 0 { running.clone() } else { told };
        Usage { requests: running.requests, ..usage }
    }

    /// What is new in the totals.
    fn difference(&mut self, result: &ResultLine, running: &Usage) -> Usage {
        let cost = result.total_cost_usd.filter(|total| *total >= 0.0).map(rounded);
        match result.model_usage.as_ref().map(sum).filter(|total| !total.is_nothing()) {
            Some(mut total) => {
                if cost.is_some() {
                    (total.cost_usd, total.cost_source, total.cost_partial) =
                        (cost, Some(CostSource::Agent), false);
                }
                self.totals.since(total).unwrap_or_default()
            }
            None => self.without_totals(result, running, cost),
        }
    }

    /// What the result tells of the main conversation in this turn, or the messages where it tells nothing; with the share
    /// of this turn in `cost`, which grows.
    fn without_totals(&mut self, result: &ResultLine, running: &Usage, cost: Option<f64>) -> Usage {
        let told = result.usage.as_ref().map(of).filter(|usage| usage.tokens() > 0);
        let share = Usage { cost_usd: cost, ..Usage::default() }.minus(self.totals.total()).cost_usd;
        // Messages that it does not count, it does not put a price on either.
        let share = share.filter(|share| told.is_some() || *share > 0.0 || running.tokens() == 0);
        let mut usage = told.unwrap_or_else(|| running.clone());
        if share.is_some() {
            (usage.cost_usd, usage.cost_source) = (share, Some(CostSource::Agent));
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

/// What was used since the last result of the process, where claude says so.
fn since_last_result(result: &ResultLine) -> Option<Usage> {
    let mut since = result.model_usage_since.as_ref().map(sum)?;
    if since.is_nothing() && result.total_cost_usd.is_some() {
        (since.cost_usd, since.cost_source) = (Some(0.0), Some(CostSource::Agent));
    }
    Some(since)
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
            let cost_usd = model.cost_usd.filter(|cost| *cost >= 0.0).map(rounded);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::json::CheckedJson;
    use crate::agent::lenient::object;

    /// The line that ends a turn.
    fn result(json: &str) -> ResultLine {
        object(CheckedJson::parse(json).unwrap()).unwrap()
    }

    fn message(json: &str) -> Message<'_> {
        object(CheckedJson::parse(json).unwrap()).unwrap()
    }

    fn tokens(output: u64) -> TokenUsage {
        TokenUsage { output_tokens: Some(output), ..TokenUsage::default() }
    }

    const SENT: &str = r#"{"id":"m1","model":"opus","usage":{"input_tokens":100,"cache_creation_input_tokens":30,"output_tokens":1,
        "cache_creation":{"ephemeral_1h_input_tokens":20},"output_tokens_details":{"thinking_tokens":0}}}"#;

    #[test]
    fn messages_are_counted_when_they_begin_and_when_they_end() {
        let mut meter = UsageMeter::default();
        let begun = meter.message_started(&message(SENT), None).unwrap();
        assert_eq!((begun.input, begun.output, begun.cache_write, begun.cache_write_1h), (100, 1, 30, 20));
        assert_eq!((begun.requests, begun.models["opus"].input), (1, 100));
        let ended = meter.message_ended(&tokens(50), None);
        assert_eq!((ended.input, ended.output, ended.models["opus"].output), (100, 50, 50));
        assert_eq!(meter.message_started(&message(SENT), None), None, "one that is repeated is counted once");
    }

    #[test]
    fn the_context_is_the_main_agents_and_its_window_what_claude_says_it_is() {
        let mut meter = UsageMeter::default();
        assert_eq!(meter.context(), ContextUse::default());
        meter.message_started(&message(SENT), None);
        assert_eq!(meter.context(), ContextUse { tokens: 131, window: None });
        let inner = r#"{"id":"m2","model":"haiku","usage":{"input_tokens":7,"output_tokens":2}}"#;
        meter.message_started(&message(inner), Some("toolu_1"));
        meter.message_ended(&tokens(50), None);
        assert_eq!(meter.context(), ContextUse { tokens: 180, window: None });
        let end =
            r#"{"modelUsage":{"haiku":{"contextWindow":200},"opus":{"inputTokens":1,"contextWindow":1000}}}"#;
        meter.turn_ended(&result(end));
        assert_eq!(meter.context(), ContextUse { tokens: 180, window: Some(1000) });
        meter.message_started(&message(r#"{"id":"m3","model":"other","usage":{"input_tokens":7}}"#), None);
        assert_eq!(
            meter.context(),
            ContextUse { tokens: 7, window: None },
            "of another model it is not known"
        );
    }

    #[test]
    fn a_subagent_does_not_spoil_the_message_that_it_interrupts() {
        let mut meter = UsageMeter::default();
        meter.message_started(&message(SENT), None);
        let inner = r#"{"id":"m2","model":"haiku","usage":{"input_tokens":7,"output_tokens":2}}"#;
        let during = meter.message_started(&message(inner), Some("toolu_1")).unwrap();
        assert_eq!((during.requests, during.models["haiku"].input), (1, 7));
        let ended = meter.message_ended(&tokens(50), None);
        assert_eq!((ended.output, ended.models["opus"].output, ended.models["haiku"].output), (52, 50, 2));
    }

    #[test]
    fn the_end_replaces_what_was_counted_and_attributes_it_to_the_models() {
        let mut meter = UsageMeter::default();
        meter.message_started(&message(SENT), None);
        let line = r#"{"total_cost_usd":9.0,"modelUsage":{"opus":{"inputTokens":900}},"model_usage_since_last_result":{
            "opus":{"inputTokens":100,"outputTokens":50,"thinkingTokens":9,"costUSD":0.5},
            "haiku":{"inputTokens":7,"cacheCreationInputTokens":3,"cacheCreationEphemeral1hInputTokens":3,"costUSD":0.25}}}"#;
        let usage = meter.turn_ended(&result(line));
        assert_eq!((usage.input, usage.output, usage.thinking, usage.requests), (107, 50, Some(9), 1));
        assert_eq!((usage.cost_usd, usage.cost_source), (Some(0.75), Some(CostSource::Agent)));
        assert_eq!((usage.models["haiku"].cost_usd, usage.models["haiku"].cache_write_1h), (Some(0.25), 3));
    }

    #[test]
    fn what_a_process_that_resumes_had_counted_before_is_not_counted_again() {
        let mut meter = UsageMeter::default();
        let first = r#"{"total_cost_usd":5.0,"modelUsage":{"opus":{"inputTokens":500,"costUSD":5.0}},
            "model_usage_since_last_result":{"opus":{"inputTokens":100,"costUSD":1.0}}}"#;
        let usage = meter.turn_ended(&result(first));
        assert_eq!((usage.input, usage.cost_usd), (100, Some(1.0)));
    }

    #[test]
    fn a_turn_that_nobody_prompted_counts_towards_the_next() {
        let mut meter = UsageMeter::default();
        let since = |input| {
            format!(
                r#"{{"model_usage_since_last_result":{{"opus":{{"inputTokens":{input},"costUSD":1.0}}}}}}"#
            )
        };
        meter.background_turn_ended(&result(&since(10)));
        let usage = meter.turn_ended(&result(&since(100)));
        assert_eq!((usage.input, usage.cost_usd), (110, Some(2.0)));
        assert_eq!(meter.turn_ended(&result(&since(100))).input, 100);
    }

    #[test]
    fn without_it_the_difference_of_the_totals_counts() {
        let mut meter = UsageMeter::default();
        let total = |input, cost| {
            format!(
                r#"{{"total_cost_usd":{cost},"modelUsage":{{"opus":{{"inputTokens":{input},"costUSD":{cost}}}}}}}"#
            )
        };
        assert_eq!(meter.turn_ended(&result(&total(100, 1.0))).input, 100);
        // Of a turn that nobody prompted nothing is said until the next total.
        meter.background_turn_ended(&result(&total(150, 1.5)));
        let usage = meter.turn_ended(&result(&total(250, 2.5)));
        assert_eq!((usage.input, usage.cost_usd, usage.models["opus"].cost_usd), (150, Some(1.5), Some(1.5)));
    }

    #[test]
    fn a_turn_that_was_stopped_in_the_middle_of_a_message_has_used_that_message() {
        for end in [
            r#"{"total_cost_usd":0.0,"modelUsage":{},"model_usage_since_last_result":{}}"#,
            r#"{"total_cost_usd":0.0}"#,
        ] {
            let mut meter = UsageMeter::default();
            meter.message_started(&message(SENT), None);
            let usage = meter.turn_ended(&result(end));
            assert_eq!((usage.input, usage.output, usage.cost_usd), (100, 1, None), "{end}");
            assert_eq!(usage.models["opus"].input, 100);
            let next = meter.turn_ended(&result(r#"{"total_cost_usd":0.5,"usage":{"input_tokens":5}}"#));
            assert_eq!((next.input, next.cost_usd), (5, Some(0.5)), "it does not come back");
        }
    }
}
