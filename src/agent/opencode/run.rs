//! The state machine of the processes of a session, one after the other.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::{Value, json};

use super::failure::{ABORTED, failure};
use super::wire::{Line, Part, Todo, Todos, Tokens, ToolState};
use crate::agent::json::CheckedJson;
use crate::agent::lenient::{Text, facts, object, text};
use crate::agent::line::{read_objects, unparsed};
use crate::agent::todo_list::TodoList;
use crate::agent::{AgentOptions, Decision, Dialect, PermissionRequest, Signal, Sink, TurnEnd};
use crate::error::Error;
use crate::stream::{Chunk, Json, ToolData, json_of};
use crate::usage::{CostSource, Usage};

/// More than this in one turn is no agent that works; what is beyond is not told.
const MAX_PARTS: usize = 100_000;

/// What the processes of one session speak.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// What the first prompt of a conversation brings.
    system_prompt: Option<String>,
    /// Whether the process that runs goes on with a conversation.
    resumes: bool,
    /// The conversation, once the process of the turn has named it.
    session: Option<String>,
    /// The parts that were told in this turn.
    told: HashSet<String>,
    todo_list: TodoList,
    /// What was said last, and in which message.
    answer: String,
    message: String,
    usage: Usage,
    stop_reason: Option<String>,
    failure: Option<Failed>,
}

#[derive(Debug)]
struct Failed {
    error: Error,
    interrupted: bool,
}

impl Run {
    pub(super) fn new(options: &AgentOptions) -> Self {
        Self {
            system_prompt: options.system_prompt.clone(),
            resumes: options.resume.is_some(),
            ..Self::default()
        }
    }
}

impl Dialect for Run {
    fn open(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn started(&mut self, resumes: bool) {
        self.resumes = resumes;
    }

    fn start_turn(&mut self, prompt: &str) -> Vec<u8> {
        let mut todo_list = std::mem::take(&mut self.todo_list);
        todo_list.turn_begins();
        let system_prompt = self.system_prompt.take();
        *self = Self { system_prompt, resumes: self.resumes, todo_list, ..Self::default() };
        match self.system_prompt.as_ref().filter(|_| !self.resumes) {
            Some(system_prompt) => format!("{system_prompt}\n\n{prompt}").into_bytes(),
            None => prompt.as_bytes().to_vec(),
        }
    }

    fn interrupt(&mut self) -> Option<Vec<u8>> {
        None
    }

    fn answer(&mut self, _: &PermissionRequest, _: &Decision) -> Vec<u8> {
        Vec::new()
    }

    fn decode(&mut self, line: &[u8], _now: u64, sink: &mut dyn Sink) {
        read_objects(line, sink, |json, sink| self.line(json, sink));
    }

    fn ended(&mut self, code: Option<i32>, sink: &mut dyn Sink) {
        let failed = self.failure.take();
        // One that has not been through a request to the model has not had its turn, whatever it ends with.
        let is_done = code == Some(0) && self.usage.requests > 0;
        if failed.is_none() && !is_done {
            return;
        }
        let usage = std::mem::take(&mut self.usage);
        sink.signal(Signal::TurnEnded(TurnEnd {
            content: std::mem::take(&mut self.answer),
            stop_reason: self.stop_reason.take(),
            turns: usage.requests,
            usage,
            agent_session_id: self.session.clone(),
            interrupted: failed.as_ref().is_some_and(|failed| failed.interrupted),
            error: failed.map(|failed| failed.error),
            tries: 0,
        }));
    }
}

impl Run {
    fn line(&mut self, json: CheckedJson<'_>, sink: &mut dyn Sink) {
        let line: Line<'_> = object(json).unwrap_or_default();
        if let Some(session) = line.session_id.as_ref().filter(|_| self.session.is_none()) {
            let session = session.as_str().to_owned();
            self.session = Some(session.clone());
            sink.signal(Signal::Ready { agent_session_id: Some(session) });
        }
        match (text(line.kind.as_ref()), &line.part, &line.error) {
            ("step_start", ..) => {}
            ("text" | "reasoning" | "tool_use" | "step_finish", Some(part), _) if !self.is_news(part) => {}
            ("text", Some(part), _) => self.said(part, sink),
            ("reasoning", Some(part), _) => {
                let thought = text(part.text.as_ref());
                if !thought.is_empty() {
                    let content = Some(Cow::Borrowed(thought));
                    sink.chunk(Chunk::Thinking { content, parent_tool_use_id: None });
                }
            }
            ("tool_use", Some(part), _) => self.used(part, sink),
            ("step_finish", Some(part), _) => self.answered(part, sink),
            ("error", _, Some(error)) => {
                let interrupted = text(error.name.as_ref()) == ABORTED;
                self.failure = Some(Failed { error: failure(error), interrupted });
            }
            (kind, ..) => unparsed(json.as_str(), &format!("unknown type '{kind}'"), sink),
        }
    }

    /// Whether a part has not been told of in this turn, nor in one before.
    fn is_news(&mut self, part: &Part<'_>) -> bool {
        let time = part.state.as_ref().and_then(|state| state.time.as_ref());
        let is_old = time.is_some_and(|time| time.compacted.is_some());
        let id = text(part.id.as_ref());
        !is_old && self.told.len() < MAX_PARTS && (id.is_empty() || self.told.insert(id.to_owned()))
    }

    fn said(&mut self, part: &Part<'_>, sink: &mut dyn Sink) {
        let content = text(part.text.as_ref());
        if content.is_empty() {
            return;
        }
        let message = text(part.message_id.as_ref());
        if message != self.message {
            self.answer.clear();
            message.clone_into(&mut self.message);
        }
        self.answer.push_str(content);
        sink.chunk(Chunk::TextDelta { content: content.into(), parent_tool_use_id: None });
    }

    /// A tool was used, of which everything is told at once.
    fn used(&mut self, part: &Part<'_>, sink: &mut dyn Sink) {
        let nothing = ToolState::default();
        let state = part.state.as_ref().unwrap_or(&nothing);
        let tool = text(part.tool.as_ref());
        let failed = state.failure();
        if let ("todowrite", None, Some(plan)) = (tool, &failed, state.plan()) {
            return self.todo_list.tell(plan, sink);
        }
        let id = part.call_id.as_ref().or(part.id.as_ref()).map_or("", Text::as_str);
        let parameters = state.input.map_or_else(|| json_of(&json!({})), CheckedJson::json);
        sink.chunk(Chunk::ToolUse {
            tool: tool.into(),
            id: id.into(),
            parameters: None,
            parent_tool_use_id: None,
        });
        sink.chunk(Chunk::ToolParameters {
            tool: tool.into(),
            id: id.into(),
            parameters,
            parent_tool_use_id: None,
        });
        let (start, end) =
            state.time.as_ref().map_or((0, 0), |time| (time.start.unwrap_or(0), time.end.unwrap_or(0)));
        sink.chunk(Chunk::ToolResult {
            tool: tool.into(),
            id: id.into(),
            success: failed.is_none(),
            error: failed.map(Cow::Owned),
            duration: end.saturating_sub(start),
            data: state.output.map(data_of),
            parent_tool_use_id: None,
        });
    }

    /// The model has answered a request.
    fn answered(&mut self, part: &Part<'_>, sink: &mut dyn Sink) {
        self.stop_reason = part.reason.as_ref().map(|reason| reason.as_str().to_owned());
        let tokens = part.tokens.map(Tokens::usage).unwrap_or_default();
        // It says 0 of models whose price it does not know.
        let cost_usd = part.cost.filter(|cost| cost.is_finite() && *cost > 0.0);
        let cost_source = cost_usd.map(|_| CostSource::Agent);
        self.usage = self.usage.plus(&Usage { requests: 1, cost_usd, cost_source, ..tokens });
        sink.chunk(Chunk::Usage(self.usage.clone()));
    }
}

impl ToolState<'_> {
    /// What went wrong, if something did. A command that fails is one that was completed, to opencode.
    fn failure(&self) -> Option<String> {
        let exit = self.metadata.as_ref().and_then(|metadata| metadata.exit);
        match (text(self.status.as_ref()), text(self.error.as_ref()), exit) {
            ("completed", _, None | Some(0)) => None,
            ("completed", _, Some(code)) => {
                let output = self.output.and_then(|output| serde_json::from_str(output.as_str()).ok());
                let Text(words) = output.unwrap_or(Text(Cow::Borrowed("")));
                Some(format!("exit code {code}\n{words}").trim_end().to_owned())
            }
            (_, "", _) => Some("failed".to_owned()),
            (_, error, _) => Some(error.to_owned()),
        }
    }

    /// The plan that it is given.
    fn plan(&self) -> Option<Json<'static>> {
        let todos: Todos<'_> = self.input.and_then(object)?;
        let steps =
            todos.todos?.items()?.filter_map(object::<Todo<'_>>).map(
                |todo| json!({ "text": text(todo.content.as_ref()), "status": text(todo.status.as_ref()) }),
            );
        Some(facts([("items", steps.collect::<Value>())]))
    }
}

impl Tokens {
    fn usage(self) -> Usage {
        let (output, thinking) = (self.output.unwrap_or(0), self.reasoning.unwrap_or(0));
        let cache = self.cache.unwrap_or_default();
        Usage {
            input: self.input.unwrap_or(0),
            output: output.saturating_add(thinking),
            cache_read: cache.read.unwrap_or(0),
            cache_write: cache.write.unwrap_or(0),
            thinking: self.reasoning,
            ..Usage::default()
        }
    }
}

/// What a tool returned: a text, as a rule.
fn data_of(output: CheckedJson<'_>) -> ToolData<'_> {
    match serde_json::from_str(output.as_str()) {
        Ok(Text(words)) => ToolData::Text(words),
        Err(_) => ToolData::Json(output.json()),
    }
}
