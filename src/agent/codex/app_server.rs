//! The state machine of one `codex app-server`.

use std::borrow::Cow;
use std::collections::HashMap;

use memchr::memmem;
use serde_json::{Map, Value, json};

use super::failure::agent_error;
use super::items::Items;
use super::notices::Notices;
use super::policy::Policy;
use super::questions::Questions;
use super::requests::{Asked, Requests};
use super::tool::texts;
use super::turn::Turn;
use super::usage::UsageMeter;
use super::wire::{Message, Params, PromptParams, RpcError, ThreadOpened, TurnOpened, TurnState};
use crate::agent::context::ContextUse;
use crate::agent::json::CheckedJson;
use crate::agent::lenient::{Text, object, text};
use crate::agent::line::{line_of, read_objects, status, unparsed};
use crate::agent::{AgentOptions, Decision, Dialect, Image, PermissionRequest, Signal, Sink, TurnEnd};
use crate::error::{ErrorKind, Result};
use crate::stream::{Chunk, json_of};

/// Notifications that codex is told not to send, because nothing is made of them and some are large.
const UNWANTED: &[&str] = &[
    "thread/started",
    "turn/diff/updated",
    "item/commandExecution/outputDelta",
    "item/fileChange/outputDelta",
    "item/fileChange/patchUpdated",
    "remoteControl/status/changed",
];

/// The beginnings of notifications that say nothing a consumer could use.
const QUIET: &[&str] = &[
    "account/",
    "app/",
    "autoApprovalReview/",
    "command/",
    "externalAgentConfig/",
    "fs/",
    "fuzzyFileSearch/",
    "item/",
    "mcpServer/",
    "model/",
    "modelProvider/",
    "process/",
    "project/",
    "rawResponse",
    "remoteControl/",
    "skills/",
    "thread/",
    "turn/",
    "windows",
];

/// What one `codex app-server` speaks.
#[derive(Debug)]
pub(super) struct AppServer {
    /// How a thread is begun or resumed: everything but the method.
    settings: Map<String, Value>,
    resume: Option<String>,
    requests: Requests,
    thread: Option<String>,
    /// The input of a turn that waits for its thread.
    input: Option<Value>,
    turn: Turn,
    items: Items,
    /// The tool use by which each subagent was started, by its thread.
    subagents: HashMap<String, String>,
    questions: Questions,
    meter: UsageMeter,
    context_told: ContextUse,
    notices: Notices,
}

impl AppServer {
    pub(super) fn new(options: &AgentOptions) -> Result<Self> {
        let Policy { approval, sandbox, config } = Policy::of(options)?;
        let mut settings = Map::new();
        settings.insert("cwd".into(), options.cwd.to_string_lossy().into());
        settings.insert("approvalPolicy".into(), approval.into());
        settings.insert("sandbox".into(), sandbox.into());
        if let Some(model) = &options.model {
            settings.insert("model".into(), model.as_str().into());
        }
        if let Some(prompt) = &options.system_prompt {
            settings.insert("developerInstructions".into(), prompt.as_str().into());
        }
        if !config.is_empty() {
            settings.insert("config".into(), config.into());
        }
        Ok(Self {
            settings,
            resume: options.resume.clone(),
            requests: Requests::default(),
            thread: None,
            input: None,
            turn: Turn::default(),
            items: Items::default(),
            subagents: HashMap::new(),
            questions: Questions::default(),
            meter: UsageMeter::default(),
            context_told: ContextUse::default(),
            notices: Notices::default(),
        })
    }
}

impl Dialect for AppServer {
    fn open(&mut self) -> Vec<u8> {
        let initialize = json!({
            "clientInfo": { "name": "locus", "title": "Locus", "version": env!("CARGO_PKG_VERSION") },
            "capabilities": {
                "experimentalApi": false,
                "requestAttestation": false,
                "optOutNotificationMethods": UNWANTED,
            },
        });
        // Codex takes them in this order; nothing is gained by waiting for its answers.
        let mut lines = self.requests.line(Asked::Initialize, "initialize", &initialize);
        lines.extend(line_of(&json!({ "method": "initialized" })));
        lines.extend(self.open_thread());
        lines
    }

    fn start_turn(&mut self, prompt: &str) -> Vec<u8> {
        self.prompted(prompt, &[])
    }

    fn start_turn_with(&mut self, prompt: &str, images: &[Image]) -> Option<Vec<u8>> {
        Some(self.prompted(prompt, images))
    }

    fn interrupt(&mut self) -> Option<Vec<u8>> {
        // A turn that has not begun cannot be interrupted.
        self.turn.interrupt();
        Some(self.interrupt_if_begun())
    }

    fn answer(&mut self, request: &PermissionRequest, decision: &Decision) -> Vec<u8> {
        self.questions.answer(request, decision)
    }

    fn decode(&mut self, line: &[u8], now: u64, sink: &mut dyn Sink) {
        read_objects(line, sink, |json, sink| {
            let message: Message<'_> = object(json).unwrap_or_default();
            let params = || message.params.and_then(object::<Params<'_>>).unwrap_or_default();
            match (&message.method, message.id) {
                (Some(method), None) => self.notification(method.as_str(), &params(), json, now, sink),
                (Some(method), Some(id)) => {
                    self.questions.ask(method.as_str(), id, &params(), &self.items, sink);
                }
                (None, Some(id)) => self.answered(id, &message, json, sink),
                (None, None) => unparsed(json.as_str(), "a message without a method or an id", sink),
            }
        });
    }

    /// Codex repeats every prompt as an item.
    fn prompt(&self, line: &[u8]) -> Option<String> {
        memmem::find(line, b"\"userMessage\"")?;
        let message: Message<'_> = object(CheckedJson::parse(str::from_utf8(line).ok()?).ok()?)?;
        let item = object::<PromptParams<'_>>(message.params?)?.item?;
        let content = item.content.filter(|_| text(item.kind.as_ref()) == "userMessage")?;
        texts(content).filter(|prompt| !prompt.is_empty())
    }
}

impl AppServer {
    fn open_thread(&mut self) -> Vec<u8> {
        let mut params = self.settings.clone();
        let method = match &self.resume {
            Some(thread) => {
                params.insert("threadId".into(), thread.as_str().into());
                params.insert("excludeTurns".into(), true.into());
                "thread/resume"
            }
            None => "thread/start",
        };
        self.requests.line(Asked::Thread, method, &params.into())
    }

    fn prompted(&mut self, prompt: &str, images: &[Image]) -> Vec<u8> {
        self.items.turn_begins();
        self.turn.asked_for();
        // Not by their paths: what was checked is what is sent.
        let images = images.iter().map(|image| json!({ "type": "image", "url": image.data_url() }));
        let input = images.chain([json!({ "type": "text", "text": prompt })]).collect();
        if let Some(thread) = self.thread.clone() {
            return self.turn_request(&thread, input);
        }
        self.input = Some(input);
        // It was refused before.
        if self.requests.waits_for(Asked::Thread) { Vec::new() } else { self.open_thread() }
    }

    fn turn_request(&mut self, thread: &str, input: Value) -> Vec<u8> {
        let mut params = json!({ "threadId": thread });
        params["input"] = input;
        self.requests.line(Asked::Turn, "turn/start", &params)
    }

    /// Codex answers a request of ours.
    fn answered(
        &mut self,
        id: CheckedJson<'_>,
        message: &Message<'_>,
        json: CheckedJson<'_>,
        sink: &mut dyn Sink,
    ) {
        match (self.requests.answered(id, message, self.thread.is_some()), &message.error) {
            (None, _) => unparsed(json.as_str(), "an answer to nothing that was asked", sink),
            (Some(Asked::Initialize | Asked::Thread), Some(error)) => {
                self.input = None;
                refused(error, sink);
            }
            (Some(Asked::Turn), Some(error)) => refused(error, sink),
            (Some(Asked::Thread), None) => self.thread_opened(message.result, sink),
            (Some(Asked::Turn), None) => {
                let opened = message.result.and_then(object::<TurnOpened<'_>>);
                self.turn.accepted(opened.and_then(|opened| opened.turn?.id));
                self.ready_if_begun(sink);
            }
            // An interrupt is refused when it comes too late.
            (Some(Asked::Initialize | Asked::Interrupt), _) => {}
        }
    }

    fn thread_opened(&mut self, result: Option<CheckedJson<'_>>, sink: &mut dyn Sink) {
        let opened: ThreadOpened = result.and_then(object).unwrap_or_default();
        let thread = opened.thread.unwrap_or_default();
        let Some(id) = thread.id else {
            let error = RpcError { message: Some("codex opened a thread without an id".into()) };
            return refused(&error, sink);
        };
        let facts = json!({
            "model": opened.model,
            "permissionMode": opened.approval_policy,
            "agentVersion": thread.cli_version,
        });
        status("initialized", Some(json_of(&facts)), sink);
        self.meter.runs_on(&id, opened.model.as_deref().unwrap_or_default());
        if let Some(input) = self.input.take() {
            sink.signal(Signal::Reply(self.turn_request(&id, input)));
        }
        // If the process is asked for another turn, it has the thread; it is not to be resumed again.
        self.thread = Some(id);
    }

    /// It can be interrupted when it has said of our turn that it began.
    fn ready_if_begun(&mut self, sink: &mut dyn Sink) {
        if self.turn.has_begun() {
            sink.signal(Signal::Ready { agent_session_id: self.thread.clone() });
            let interrupt = self.interrupt_if_begun();
            if !interrupt.is_empty() {
                sink.signal(Signal::Reply(interrupt));
            }
        }
    }

    fn interrupt_if_begun(&mut self) -> Vec<u8> {
        let Some(turn) = self.turn.take_interrupt() else { return Vec::new() };
        let params = json!({ "threadId": self.thread, "turnId": turn });
        self.requests.line(Asked::Interrupt, "turn/interrupt", &params)
    }

    /// Who says something: nobody in particular (`None`), or a subagent. It is known by the tool use that started it.
    fn parent<'a>(&'a self, params: &'a Params<'_>) -> Option<Cow<'a, str>> {
        let thread = params.thread_id.as_ref().map(Text::as_str)?;
        if self.thread.as_deref().is_none_or(|ours| ours == thread) {
            return None;
        }
        Some(self.subagents.get(thread).map_or(thread, String::as_str).into())
    }

    fn notification(
        &mut self,
        method: &str,
        params: &Params<'_>,
        json: CheckedJson<'_>,
        now: u64,
        sink: &mut dyn Sink,
    ) {
        let parent = self.parent(params).map(Cow::into_owned).map(Cow::<str>::Owned);
        let detail = || message_detail(json);
        match method {
            "item/agentMessage/delta" => {
                self.items.text(text(params.item_id.as_ref()), text(params.delta.as_ref()), parent, sink);
            }
            "item/reasoning/summaryTextDelta" | "item/reasoning/textDelta" => {
                self.items.thinking(text(params.item_id.as_ref()), text(params.delta.as_ref()), parent, sink);
            }
            "item/reasoning/summaryPartAdded" if params.summary_index.unwrap_or(0) > 0 => {
                self.items.thinking(text(params.item_id.as_ref()), "\n\n", parent, sink);
            }
            "item/started" | "item/completed" => {
                let Some(item) = &params.item else {
                    return unparsed(json.as_str(), "a notification of an item without one", sink);
                };
                for thread in item.receivers.iter().flatten().filter_map(|thread| thread.0.as_ref()) {
                    let tool_use = text(item.id.as_ref()).to_owned();
                    self.subagents.entry(thread.clone()).or_insert(tool_use);
                    self.meter.runs_on(thread, text(item.model.as_ref()));
                }
                match method {
                    "item/started" => self.items.started(item, parent, now, sink),
                    _ => self.items.completed(item, parent, now, sink),
                }
            }
            "turn/started" | "turn/completed" if parent.is_none() => match &params.turn {
                None => unparsed(json.as_str(), "a notification of a turn without one", sink),
                Some(turn) if method == "turn/started" => {
                    self.turn.began(turn);
                    self.ready_if_begun(sink);
                }
                Some(turn) => self.turn_completed(turn, sink),
            },
            "turn/plan/updated" if parent.is_none() => {
                if let Some(steps) = params.plan {
                    self.items.todo_list(steps, sink);
                }
            }
            "thread/tokenUsage/updated" => self.token_usage(params, sink),
            "account/rateLimits/updated" => self.notices.rate_limits(params.rate_limits, sink),
            "error" if parent.is_none() => {
                if let (Some(error), Some(true)) = (&params.error, params.will_retry) {
                    self.turn.retries_after(error, &mut self.items, sink);
                }
            }
            "warning" | "configWarning" | "guardianWarning" | "deprecationNotice" => {
                self.notices.warning(params, sink);
            }
            "mcpServer/startupStatus/updated" if text(params.status.as_ref()) == "failed" => {
                status("mcp_server_failed", detail(), sink);
            }
            "serverRequest/resolved" => self.questions.resolved(params, sink),
            "model/rerouted" => status("model_rerouted", detail(), sink),
            "hook/started" => status("hook_started", detail(), sink),
            "hook/completed" => status("hook_response", detail(), sink),
            "error" => {}
            method if QUIET.iter().any(|quiet| method.starts_with(quiet)) => {}
            method => unparsed(json.as_str(), &format!("unknown notification '{method}'"), sink),
        }
    }

    fn turn_completed(&mut self, turn: &TurnState<'_>, sink: &mut dyn Sink) {
        if !self.turn.ended(turn) {
            // One that codex began by itself; its usage counts towards the turn that ends next.
            return status("background_turn", None, sink);
        }
        let usage = self.meter.turn_ended();
        sink.signal(Signal::TurnEnded(TurnEnd {
            content: self.items.take_answer(),
            stop_reason: None,
            turns: usage.requests,
            usage,
            agent_session_id: self.thread.clone(),
            error: self.turn.failure(turn, self.notices.limit_resets()),
            tries: self.turn.tries(),
            interrupted: turn.status.as_deref() == Some("interrupted"),
        }));
    }

    fn token_usage(&mut self, params: &Params<'_>, sink: &mut dyn Sink) {
        let (Some(thread), Some(usage)) = (&params.thread_id, &params.token_usage) else { return };
        let ours = self.thread.as_deref().is_none_or(|ours| ours == thread.as_str());
        if ours && !self.turn.is_any_under_way() {
            // A thread that is resumed says first what it had used before.
            return self.meter.begins_at(thread.as_str(), usage);
        }
        if let Some(used) = self.meter.updated(thread.as_str(), usage) {
            sink.chunk(Chunk::Usage(used));
            if ours {
                usage.context().tell(&mut self.context_told, sink);
            }
        }
    }
}

/// A request without which there is no turn was refused.
fn refused(error: &RpcError, sink: &mut dyn Sink) {
    let message = error.message.clone().unwrap_or_else(|| "codex refused the turn".to_owned());
    let error = Some(agent_error(ErrorKind::AgentError, message));
    sink.signal(Signal::TurnEnded(TurnEnd { error, ..TurnEnd::default() }));
}

/// What a notification tells, for a status.
fn message_detail(json: CheckedJson<'_>) -> Option<crate::stream::Json<'_>> {
    object::<Message<'_>>(json)?.params.map(CheckedJson::json)
}
