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
use crate::agent::{AgentOptions, Dialect, Signal, Sink, TurnEnd};
use crate::error::Error;
use crate::stream::{Chunk, Json, ToolData, json_of};
use crate::usage::{CostSource, Usage};

/// More than this in one turn is no agent that works; what is beyond is not told.
const MAX_PARTS: usize = 100_000;

/// No request costs as much.
const MOST_USD: f64 = 1e9;

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
    /// Whether it went on after a failure, of which the exit code still tells.
    has_recovered: bool,
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

    fn decode(&mut self, line: &[u8], _now: u64, sink: &mut dyn Sink) {
        read_objects(line, sink, |json, sink| self.line(json, sink));
    }

    fn ended(&mut self, code: Option<i32>, sink: &mut dyn Sink) {
        let failed = self.failure.take();
        // One that has not been through a request to the model has not had its turn, whatever it ends with.
        let is_done = self.usage.requests > 0 && (code == Some(0) || (code.is_some() && self.has_recovered));
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
        self.has_recovered |= self.failure.take().is_some();
        self.stop_reason = part.reason.as_ref().map(|reason| reason.as_str().to_owned());
        let tokens = part.tokens.map(Tokens::usage).unwrap_or_default();
        // It says 0 of models whose price it does not know.
        let cost_usd = part.cost.filter(|cost| *cost > 0.0 && *cost < MOST_USD);
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

#[cfg(test)]
mod tests {
    use super::*;

    const OVERFLOW: &str = r#"{"type":"error","sessionID":"s","error":{"name":"ContextOverflowError","data":{"message":"full"}}}"#;
    const STEP: &str = r#"{"type":"step_finish","sessionID":"s","part":{"id":"p1","reason":"stop","tokens":{"input":2,"output":3,"reasoning":4,"cache":{"read":5,"write":6}},"cost":0.5}}"#;

    #[derive(Default)]
    struct Ear {
        chunks: Vec<Value>,
        end: Option<TurnEnd>,
    }

    impl Sink for Ear {
        fn chunk(&mut self, chunk: Chunk<'_>) {
            self.chunks.push(serde_json::to_value(&chunk).unwrap());
        }

        fn signal(&mut self, signal: Signal) {
            if let Signal::TurnEnded(end) = signal {
                self.end = Some(end);
            }
        }
    }

    fn heard(lines: &[&str], code: Option<i32>) -> Ear {
        let mut run = Run::default();
        run.start_turn("hi");
        let mut ear = Ear::default();
        for line in lines {
            run.decode(line.as_bytes(), 0, &mut ear);
        }
        run.ended(code, &mut ear);
        ear
    }

    #[test]
    fn only_a_process_that_had_its_turn_and_left_well_ends_it() {
        let start = r#"{"type":"step_start","sessionID":"s","part":{"id":"p0"}}"#;
        assert!(heard(&[start, STEP], Some(0)).end.is_some_and(|end| end.error.is_none()));
        for (lines, code) in
            [(&[start][..], Some(0)), (&[start, STEP], Some(7)), (&[start, STEP], None), (&[], Some(0))]
        {
            assert!(heard(lines, code).end.is_none(), "{lines:?} {code:?}");
        }
    }

    #[test]
    fn a_full_window_is_an_error_unless_it_goes_on() {
        let failed = heard(&[OVERFLOW], Some(1)).end.unwrap().error.unwrap();
        assert_eq!(failed.kind(), crate::error::ErrorKind::ContextLimit);
        let end = heard(&[OVERFLOW, STEP], Some(1)).end.unwrap();
        assert!(end.error.is_none() && end.turns == 1);
        assert!(heard(&[STEP, OVERFLOW], Some(1)).end.unwrap().error.is_some());
        assert!(heard(&[OVERFLOW, STEP], None).end.is_none(), "it was killed");
    }

    #[test]
    fn what_is_told_again_counts_once() {
        let tool = |time: &str| {
            format!(
                r#"{{"type":"tool_use","sessionID":"s","part":{{"id":"p2","tool":"read","callID":"c","state":{{"status":"completed","input":{{}},"output":"x","time":{time}}}}}}}"#
            )
        };
        let (new, old) = (tool(r#"{"start":1,"end":4}"#), tool(r#"{"start":1,"end":4,"compacted":9}"#));
        let ear = heard(&[STEP, STEP, &new, &new, &old], Some(0));
        assert_eq!(ear.chunks.iter().filter(|chunk| chunk["type"] == "tool_result").count(), 1);
        assert_eq!(ear.end.unwrap().usage.requests, 1);
        assert!(heard(&[&old], Some(0)).chunks.is_empty(), "it is of a turn before");
    }

    #[test]
    fn thoughts_are_output_and_a_price_that_is_not_known_is_none() {
        let usage = heard(&[STEP], Some(0)).end.unwrap().usage;
        assert_eq!([usage.input, usage.output, usage.cache_read, usage.cache_write], [2, 7, 5, 6]);
        assert_eq!(
            (usage.thinking, usage.cost_usd, usage.cost_source),
            (Some(4), Some(0.5), Some(CostSource::Agent))
        );
        for odd in ["0", "-1", "1e308"] {
            let line = STEP.replace("0.5", odd);
            assert_eq!(heard(&[&line], Some(0)).end.unwrap().usage.cost_usd, None, "{odd}");
        }
    }

    #[test]
    fn the_system_prompt_stands_before_the_first_prompt_of_a_conversation() {
        let mut run =
            Run::new(&AgentOptions { system_prompt: Some("be kind".into()), ..AgentOptions::default() });
        let mut given = |resumes: bool| {
            run.started(resumes);
            String::from_utf8(run.start_turn("hi")).unwrap()
        };
        assert_eq!([given(false), given(true), given(false)], ["be kind\n\nhi", "hi", "be kind\n\nhi"]);
    }
}
