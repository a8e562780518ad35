//! What the processes of one session speak, one after the other.

use serde_json::json;

use super::failure::failure;
use super::wire::{Line, Stats, Todo, Todos};
use crate::agent::json::CheckedJson;
use crate::agent::lenient::{Text, facts, object, text};
use crate::agent::line::{read_objects, status, unparsed};
use crate::agent::todo_list::TodoList;
use crate::agent::{AgentOptions, Dialect, Signal, Sink, TurnEnd};
use crate::stream::{Chunk, ToolData, json_of};
use crate::usage::Usage;

/// The tool that writes the plan of a turn.
const PLAN_TOOL: &str = "write_todos";

/// More tools than this at once are no agent that works.
const MAX_OPEN: usize = 10_000;

/// The state machine of a session.
#[derive(Debug, Default)]
pub(super) struct GeminiDialect {
    system_prompt: Option<String>,
    /// Whether the next prompt is, as far as is known, the first of a conversation and has to bring the system prompt.
    is_first: bool,
    conversation: Option<String>,
    open: Vec<Tool>,
    todo_list: TodoList,
    /// What has been said since the last tool was asked for.
    answer: String,
    /// What was called an error, but was not the end.
    told: Option<String>,
}

/// A tool that is used.
#[derive(Debug)]
struct Tool {
    id: String,
    /// Its name; none where it is told as something else.
    name: Option<String>,
    started: u64,
}

impl GeminiDialect {
    pub(super) fn new(options: &AgentOptions) -> Self {
        let is_first = options.resume.is_none();
        Self { system_prompt: options.system_prompt.clone(), is_first, ..Self::default() }
    }
}

impl Dialect for GeminiDialect {
    fn start_turn(&mut self, prompt: &str) -> Vec<u8> {
        self.open.clear();
        self.todo_list.turn_begins();
        self.answer.clear();
        self.told = None;
        // Asked again before a conversation has begun, it does not know the one that it was to resume.
        match self.system_prompt.as_ref().filter(|_| std::mem::replace(&mut self.is_first, true)) {
            Some(system_prompt) => format!("{system_prompt}\n\n{prompt}").into_bytes(),
            None => prompt.as_bytes().to_vec(),
        }
    }

    fn decode(&mut self, line: &[u8], now: u64, sink: &mut dyn Sink) {
        read_objects(line, sink, |json, sink| self.line(json, now, sink));
    }

    fn prompt(&self, line: &[u8]) -> Option<String> {
        let line: Line<'_> = object(CheckedJson::parse(str::from_utf8(line).ok()?).ok()?)?;
        let is_prompt = text(line.kind.as_ref()) == "message" && text(line.role.as_ref()) == "user";
        line.content.filter(|_| is_prompt).map(|content| content.0.into_owned())
    }
}

impl GeminiDialect {
    fn line(&mut self, json: CheckedJson<'_>, now: u64, sink: &mut dyn Sink) {
        let line: Line<'_> = object(json).unwrap_or_default();
        match text(line.kind.as_ref()) {
            "init" => {
                status("initialized", Some(facts([("model", line.model.into())])), sink);
                self.is_first = false;
                self.conversation.clone_from(&line.session_id);
                sink.signal(Signal::Ready { agent_session_id: line.session_id });
            }
            // The prompt is repeated.
            "message" if text(line.role.as_ref()) == "user" => {}
            "message" => self.said(line.content, sink),
            "tool_use" => self.tool_asked_for(&line, now, sink),
            "tool_result" => self.tool_ended(&line, now, sink),
            "error" => {
                let message = text(line.message.as_ref()).to_owned();
                status("warning", Some(facts([("message", message.as_str().into())])), sink);
                self.told = Some(message);
            }
            "result" => self.turn_ended(&line, sink),
            kind => unparsed(json.as_str(), &format!("unknown type '{kind}'"), sink),
        }
    }

    fn said(&mut self, content: Option<Text<'_>>, sink: &mut dyn Sink) {
        let Some(Text(content)) = content.filter(|content| !content.as_str().is_empty()) else { return };
        self.answer.push_str(&content);
        sink.chunk(Chunk::TextDelta { content, parent_tool_use_id: None });
    }

    fn tool_asked_for(&mut self, line: &Line<'_>, now: u64, sink: &mut dyn Sink) {
        let (Some(id), Some(name)) = (&line.tool_id, &line.tool) else { return };
        if self.open.len() >= MAX_OPEN || self.open.iter().any(|tool| tool.id == id.as_str()) {
            return;
        }
        self.answer.clear();
        let plan = line.parameters.filter(|_| name.as_str() == PLAN_TOOL).and_then(object::<Todos<'_>>);
        if let Some(todos) = plan.and_then(|plan| plan.todos?.items()) {
            let steps = todos.filter_map(object::<Todo<'_>>).map(
                |todo| json!({ "text": text(todo.description.as_ref()), "status": text(todo.status.as_ref()) }),
            );
            self.todo_list.tell(facts([("items", steps.collect())]), sink);
            self.open.push(Tool { id: id.as_str().to_owned(), name: None, started: now });
            return;
        }
        let parameters = line.parameters.map_or_else(|| json_of(&json!({})), CheckedJson::json);
        let (tool, id) = (name.as_str(), id.as_str());
        let parent_tool_use_id = None;
        sink.chunk(Chunk::ToolUse { tool: tool.into(), id: id.into(), parameters: None, parent_tool_use_id });
        let parent_tool_use_id = None;
        sink.chunk(Chunk::ToolParameters {
            tool: tool.into(),
            id: id.into(),
            parameters,
            parent_tool_use_id,
        });
        self.open.push(Tool { id: id.to_owned(), name: Some(tool.to_owned()), started: now });
    }

    fn tool_ended(&mut self, line: &Line<'_>, now: u64, sink: &mut dyn Sink) {
        let id = text(line.tool_id.as_ref());
        let Some(place) = self.open.iter().position(|tool| tool.id == id) else { return };
        let Tool { id, name, started } = self.open.swap_remove(place);
        let Some(name) = name else { return };
        let success = text(line.status.as_ref()) == "success";
        let reason = line.error.as_ref().and_then(|error| error.message.as_ref()).or(line.output.as_ref());
        let error = (!success).then(|| reason.map_or("the tool failed", Text::as_str).into());
        sink.chunk(Chunk::ToolResult {
            tool: name.into(),
            id: id.into(),
            success,
            error,
            duration: now.saturating_sub(started),
            data: line.output.as_ref().map(|output| ToolData::Text(output.as_str().into())),
            parent_tool_use_id: None,
        });
    }

    fn turn_ended(&mut self, line: &Line<'_>, sink: &mut dyn Sink) {
        let told = self.told.take();
        let has_failed = text(line.status.as_ref()) != "success";
        let usage = line.stats.as_ref().map(used).unwrap_or_default();
        sink.signal(Signal::TurnEnded(TurnEnd {
            content: std::mem::take(&mut self.answer),
            // It does not say how many requests there were; one at least, if something was used.
            turns: u64::from(!usage.is_nothing()),
            usage,
            agent_session_id: self.conversation.clone(),
            error: has_failed.then(|| failure(line.error.as_ref(), told)),
            ..TurnEnd::default()
        }));
    }
}

/// What a process used, by its models where it names them.
fn used(stats: &Stats<'_>) -> Usage {
    let models = stats.models.and_then(CheckedJson::members).into_iter().flatten();
    let by_model = models.filter_map(|(model, stats)| {
        let mut usage = tokens(&object(stats)?);
        usage.attribute_to(&model);
        Some(usage)
    });
    let sum = by_model.fold(Usage::default(), |sum, usage| sum.plus(&usage));
    if sum.is_nothing() { tokens(stats) } else { sum }
}

fn tokens(stats: &Stats<'_>) -> Usage {
    let (sent, cached) = (stats.input.unwrap_or(0), stats.cached.unwrap_or(0));
    // What is neither sent nor said was thought.
    let said = stats.output.unwrap_or(0);
    let generated = stats.total.unwrap_or(0).saturating_sub(sent).max(said);
    Usage {
        input: sent.saturating_sub(cached),
        output: generated,
        cache_read: cached,
        thinking: stats.total.map(|_| generated - said),
        ..Usage::default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn old_versions_tell_less_of_the_tokens() {
        let usage = |json| used(&object(CheckedJson::parse(json).unwrap()).unwrap());
        let old = usage(r#"{"total_tokens":48,"input_tokens":32,"output_tokens":14}"#);
        assert_eq!((old.input, old.output, old.cache_read, old.thinking), (32, 16, 0, Some(2)));
        let new = usage(
            r#"{"total_tokens":1,"models":{"a":{"total_tokens":48,"input_tokens":32,"output_tokens":14,"cached":7},"b":{"input_tokens":1},"c":5}}"#,
        );
        assert_eq!((new.input, new.output, new.cache_read), (26, 16, 7));
        assert_eq!(new.models["a"].input, 25);
    }

    proptest! {
        #[test]
        fn no_figures_overflow(total: Option<u64>, input: Option<u64>, output: Option<u64>, cached: Option<u64>) {
            let usage = tokens(&Stats { total, input, output, cached, models: None });
            prop_assert!(usage.thinking.unwrap_or(0) <= usage.output);
        }
    }
}
