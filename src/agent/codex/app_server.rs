//! The state machine of one `codex app-server`.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use memchr::memmem;
use serde_json::{Map, Value, json};

use super::failure::{agent_error, failure, http_status, kind_of};
use super::items::Items;
use super::policy::{Policy, mcp_name};
use super::tool::{arguments, changes, command, texts};
use super::usage::UsageMeter;
use super::wire::{
    AnyAnswer, Message, Params, PromptParams, RateLimitWindow, RateLimits, RpcError, ThreadOpened, TurnError,
    TurnOpened, TurnState,
};
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

/// How many different warnings are remembered, so that none is told twice.
const MAX_WARNINGS: usize = 100;

/// What one `codex app-server` speaks.
#[derive(Debug)]
pub(super) struct AppServer {
    /// How a thread is begun or resumed: everything but the method.
    settings: Map<String, Value>,
    resume: Option<String>,
    requests: u64,
    asked: HashMap<u64, Asked>,
    thread: Option<String>,
    /// The input of a turn that waits for its thread.
    input: Option<Value>,
    /// The id of the turn that the host asked for.
    turn: Option<String>,
    /// Whether it is to be interrupted as soon as it has begun.
    interrupt: bool,
    /// The id of the turn that codex is at, which it may have begun by itself.
    under_way: Option<String>,
    items: Items,
    /// The tool use by which each subagent was started, by its thread.
    subagents: HashMap<String, String>,
    questions: HashMap<String, Question>,
    meter: UsageMeter,
    context_told: ContextUse,
    /// How often codex tried the request under way again, and what the last try failed of.
    retries: u32,
    retried: Option<ErrorKind>,
    /// When a limit that was reached is reset, in milliseconds since the epoch.
    limit_resets: Option<u64>,
    rate_limits: String,
    warnings: HashSet<String>,
}

/// What was asked of codex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Initialize,
    Thread,
    Turn,
    Interrupt,
}

impl Asked {
    /// What was asked by who recorded a transcript, as far as the answer shows.
    fn by_answer(message: &Message<'_>, has_thread: bool) -> Option<Self> {
        let answer: AnyAnswer<'_> = message.result.and_then(object).unwrap_or_default();
        match answer {
            _ if message.error.is_some() => Some(if has_thread { Self::Interrupt } else { Self::Thread }),
            AnyAnswer { thread: Some(_), .. } => Some(Self::Thread),
            AnyAnswer { turn: Some(_), .. } => Some(Self::Turn),
            AnyAnswer { user_agent: Some(_), .. } => Some(Self::Initialize),
            AnyAnswer { .. } => {
                message.result.filter(|result| result.as_str() == "{}").map(|_| Self::Interrupt)
            }
        }
    }
}

/// What codex asks.
#[derive(Debug)]
struct Question {
    /// The id of its request, as JSON.
    id: Value,
    kind: QuestionKind,
}

#[derive(Debug)]
enum QuestionKind {
    /// About a command or a change of files.
    Approval,
    /// About a tool of a server.
    Elicitation,
    /// About these permissions.
    Permissions(Value),
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
            requests: 0,
            asked: HashMap::new(),
            thread: None,
            input: None,
            turn: None,
            interrupt: false,
            under_way: None,
            items: Items::default(),
            subagents: HashMap::new(),
            questions: HashMap::new(),
            meter: UsageMeter::default(),
            context_told: ContextUse::default(),
            retries: 0,
            retried: None,
            limit_resets: None,
            rate_limits: String::new(),
            warnings: HashSet::new(),
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
        let mut lines = self.request(Asked::Initialize, "initialize", &initialize);
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
        self.interrupt = true;
        Some(self.interrupt_if_begun())
    }

    fn answer(&mut self, request: &PermissionRequest, decision: &Decision) -> Vec<u8> {
        let Some(Question { id, kind }) = self.questions.remove(&request.id) else { return Vec::new() };
        // Codex runs what it asked about and nothing else: a yes to another input is a no to this one.
        let yes = matches!(decision, Decision::Allow { updated_input: None });
        let result = match kind {
            QuestionKind::Approval => json!({ "decision": if yes { "accept" } else { "decline" } }),
            QuestionKind::Elicitation => elicited(if yes { "accept" } else { "decline" }),
            QuestionKind::Permissions(asked) => {
                json!({ "permissions": if yes { asked } else { json!({}) }, "scope": "turn" })
            }
        };
        line_of(&json!({ "id": id, "result": result }))
    }

    fn decode(&mut self, line: &[u8], now: u64, sink: &mut dyn Sink) {
        read_objects(line, sink, |json, sink| {
            let message: Message<'_> = object(json).unwrap_or_default();
            let params = || message.params.and_then(object::<Params<'_>>).unwrap_or_default();
            match (&message.method, message.id) {
                (Some(method), None) => self.notification(method.as_str(), &params(), json, now, sink),
                (Some(method), Some(id)) => self.question(method.as_str(), id, &params(), sink),
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
    fn request(&mut self, asked: Asked, method: &str, params: &Value) -> Vec<u8> {
        self.requests += 1;
        self.asked.insert(self.requests, asked);
        line_of(&json!({ "id": self.requests, "method": method, "params": params }))
    }

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
        self.request(Asked::Thread, method, &params.into())
    }

    fn prompted(&mut self, prompt: &str, images: &[Image]) -> Vec<u8> {
        self.items.turn_begins();
        self.turn = None;
        self.interrupt = false;
        self.retries = 0;
        self.retried = None;
        // Not by their paths: what was checked is what is sent.
        let images = images.iter().map(|image| json!({ "type": "image", "url": image.data_url() }));
        let input = images.chain([json!({ "type": "text", "text": prompt })]).collect();
        if let Some(thread) = self.thread.clone() {
            return self.turn_request(&thread, input);
        }
        self.input = Some(input);
        // It was refused before.
        if self.asked.values().any(|asked| *asked == Asked::Thread) { Vec::new() } else { self.open_thread() }
    }

    fn turn_request(&mut self, thread: &str, input: Value) -> Vec<u8> {
        let mut params = json!({ "threadId": thread });
        params["input"] = input;
        self.request(Asked::Turn, "turn/start", &params)
    }

    /// Codex answers a request of ours.
    fn answered(
        &mut self,
        id: CheckedJson<'_>,
        message: &Message<'_>,
        json: CheckedJson<'_>,
        sink: &mut dyn Sink,
    ) {
        let asked = id.as_str().parse().ok().and_then(|id: u64| self.asked.remove(&id));
        match (asked.or_else(|| Asked::by_answer(message, self.thread.is_some())), &message.error) {
            (None, _) => unparsed(json.as_str(), "an answer to nothing that was asked", sink),
            (Some(Asked::Initialize | Asked::Thread), Some(error)) => {
                self.input = None;
                refused(error, sink);
            }
            (Some(Asked::Turn), Some(error)) => refused(error, sink),
            (Some(Asked::Thread), None) => self.thread_opened(message.result, sink),
            (Some(Asked::Turn), None) => {
                let opened = message.result.and_then(object::<TurnOpened<'_>>);
                self.turn = opened.and_then(|opened| opened.turn?.id);
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
        if self.has_begun() {
            sink.signal(Signal::Ready { agent_session_id: self.thread.clone() });
            let interrupt = self.interrupt_if_begun();
            if !interrupt.is_empty() {
                sink.signal(Signal::Reply(interrupt));
            }
        }
    }

    fn has_begun(&self) -> bool {
        self.turn.is_some() && self.turn == self.under_way
    }

    fn interrupt_if_begun(&mut self) -> Vec<u8> {
        if !self.has_begun() || !std::mem::take(&mut self.interrupt) {
            return Vec::new();
        }
        let params = json!({ "threadId": self.thread, "turnId": self.turn });
        self.request(Asked::Interrupt, "turn/interrupt", &params)
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
                    self.under_way.clone_from(&turn.id);
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
            "account/rateLimits/updated" => self.rate_limits(params.rate_limits, sink),
            "error" if parent.is_none() => self.attempt_failed(params, sink),
            "warning" | "configWarning" | "guardianWarning" | "deprecationNotice" => {
                self.warning(params, sink);
            }
            "mcpServer/startupStatus/updated" if text(params.status.as_ref()) == "failed" => {
                status("mcp_server_failed", detail(), sink);
            }
            "serverRequest/resolved" => self.resolved(params, sink),
            "model/rerouted" => status("model_rerouted", detail(), sink),
            "hook/started" => status("hook_started", detail(), sink),
            "hook/completed" => status("hook_response", detail(), sink),
            "error" => {}
            method if QUIET.iter().any(|quiet| method.starts_with(quiet)) => {}
            method => unparsed(json.as_str(), &format!("unknown notification '{method}'"), sink),
        }
    }

    fn turn_completed(&mut self, turn: &TurnState<'_>, sink: &mut dyn Sink) {
        if self.under_way == turn.id {
            self.under_way = None;
        }
        if turn.id.is_some() && turn.id != self.turn {
            // One that codex began by itself; its usage counts towards the turn that ends next.
            return status("background_turn", None, sink);
        }
        self.turn = None;
        let usage = self.meter.turn_ended();
        let interrupted = turn.status.as_deref() == Some("interrupted");
        let error = match (&turn.error, turn.status.as_deref()) {
            (_, Some("completed")) => None,
            (_, Some("interrupted")) => {
                Some(agent_error(ErrorKind::AgentError, "codex was interrupted".to_owned()))
            }
            (Some(error), _) => Some(failure(error, self.retried, self.limit_resets)),
            (None, _) => Some(failure(&TurnError::default(), self.retried, self.limit_resets)),
        };
        sink.signal(Signal::TurnEnded(TurnEnd {
            content: self.items.take_answer(),
            stop_reason: None,
            turns: usage.requests,
            usage,
            agent_session_id: self.thread.clone(),
            error,
            tries: 1 + self.retries,
            interrupted,
        }));
    }

    fn token_usage(&mut self, params: &Params<'_>, sink: &mut dyn Sink) {
        let (Some(thread), Some(usage)) = (&params.thread_id, &params.token_usage) else { return };
        let ours = self.thread.as_deref().is_none_or(|ours| ours == thread.as_str());
        if ours && self.under_way.is_none() {
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

    fn rate_limits(&mut self, limits: Option<CheckedJson<'_>>, sink: &mut dyn Sink) {
        let Some(limits) = limits else { return };
        let is_known = |(key, value): &(Cow<'_, str>, CheckedJson<'_>)| {
            !matches!(&**key, "limitId" | "limitName" | "planType") && value.as_str() != "null"
        };
        // Told after every request; with a key of one's own there are none.
        if limits.members().is_some_and(|mut members| members.any(|member| is_known(&member)))
            && self.rate_limits != limits.as_str()
        {
            limits.as_str().clone_into(&mut self.rate_limits);
            let known: RateLimits = object(limits).unwrap_or_default();
            let reached =
                [known.primary, known.secondary].into_iter().flatten().filter(RateLimitWindow::is_used_up);
            self.limit_resets =
                reached.filter_map(|window| window.resets_at).max().map(|at| at.saturating_mul(1000));
            status("rate_limit", Some(limits.json()), sink);
        }
    }

    fn attempt_failed(&mut self, params: &Params<'_>, sink: &mut dyn Sink) {
        let (Some(error), Some(true)) = (&params.error, params.will_retry) else { return };
        self.retries = self.retries.saturating_add(1);
        self.retried = kind_of(error).or(self.retried);
        let told = error.message.as_deref().unwrap_or_default();
        let (attempt, most) = attempts(told).unzip();
        let reason = error.details.as_deref().unwrap_or(told);
        if self.items.abandon() {
            status("abandoned", Some(json_of(&json!({ "from_block_index": 0, "reason": reason }))), sink);
        }
        let mut detail = Map::new();
        for (key, value) in [
            ("attempt", attempt.map(Value::from)),
            ("maxRetries", most.map(Value::from)),
            ("errorStatus", http_status(error).map(Value::from)),
            ("error", Some(reason.into())),
        ] {
            detail.extend(value.map(|value| (key.to_owned(), value)));
        }
        status("retrying", Some(json_of(&detail)), sink);
    }

    fn warning(&mut self, params: &Params<'_>, sink: &mut dyn Sink) {
        let message = [&params.message, &params.summary, &params.details];
        let message: Vec<&str> = message.into_iter().flatten().map(Text::as_str).collect();
        let message = message.join(": ");
        if self.warnings.len() < MAX_WARNINGS && self.warnings.insert(message.clone()) {
            status("warning", Some(json_of(&json!({ "message": message }))), sink);
        }
    }

    /// A question needs no answer any more; those that were answered are not among the questions.
    fn resolved(&mut self, params: &Params<'_>, sink: &mut dyn Sink) {
        let id = params.request_id.map(CheckedJson::value);
        let resolved = self.questions.iter().find(|(_, question)| Some(&question.id) == id.as_ref());
        if let Some(key) = resolved.map(|(key, _)| key.clone()) {
            self.questions.remove(&key);
            sink.signal(Signal::PermissionWithdrawn(key));
        }
    }

    /// Codex asks something of the host.
    fn question(&mut self, method: &str, id: CheckedJson<'_>, params: &Params<'_>, sink: &mut dyn Sink) {
        let item = text(params.item_id.as_ref());
        let reason = params.reason.as_ref().map(Text::as_str);
        let item_id = Some(item.to_owned()).filter(|item| !item.is_empty());
        let (tool, parameters, tool_use_id, kind) = match method {
            "item/commandExecution/requestApproval" => {
                let asked = command(params.command.as_ref(), params.cwd.as_ref(), reason);
                ("command_execution".to_owned(), asked, item_id, QuestionKind::Approval)
            }
            "item/fileChange/requestApproval" => {
                // The question does not say what is to be changed; its item did.
                let known = self.items.parameters(item).map(|known| Cow::Owned(known.to_owned()));
                let asked = known.unwrap_or_else(|| changes(None, reason));
                ("file_change".to_owned(), asked, item_id, QuestionKind::Approval)
            }
            "item/permissions/requestApproval" => {
                let asked = params.permissions.map_or_else(|| json!({}), CheckedJson::value);
                let shown = json_of(&json!({ "permissions": asked, "reason": reason }));
                ("request_permissions".to_owned(), shown, item_id, QuestionKind::Permissions(asked))
            }
            "mcpServer/elicitation/request" => {
                let meta = params.meta.as_ref().filter(|meta| text(meta.kind.as_ref()) == "mcp_tool_call");
                let Some(meta) = meta else {
                    // A form that nobody is there to fill in.
                    let reply = json!({ "id": id.value(), "result": elicited("decline") });
                    return sink.signal(Signal::Reply(line_of(&reply)));
                };
                let tool = mcp_name(text(params.server_name.as_ref()), text(meta.tool_name.as_ref()));
                let tool_use = self.items.open_use_of(&tool);
                (tool, arguments(meta.tool_params), tool_use, QuestionKind::Elicitation)
            }
            method => {
                // Unanswered, it would wait for ever.
                let message = format!("'{method}' is not supported by this host");
                let reply = json!({ "id": id.value(), "error": { "code": -32601, "message": message } });
                return sink.signal(Signal::Reply(line_of(&reply)));
            }
        };
        let id = id.value();
        // Codex counts its questions from 0 in every process.
        let key = format!("{}/{id}", text(params.turn_id.as_ref()));
        self.questions.insert(key.clone(), Question { id, kind });
        sink.signal(Signal::Permission(PermissionRequest {
            id: key,
            tool,
            parameters: parameters.into_owned(),
            tool_use_id,
            suggestions: params.proposed_execpolicy_amendment.map(|rule| rule.json().into_owned()),
        }));
    }
}

/// A request without which there is no turn was refused.
fn refused(error: &RpcError, sink: &mut dyn Sink) {
    let message = error.message.clone().unwrap_or_else(|| "codex refused the turn".to_owned());
    let error = Some(agent_error(ErrorKind::AgentError, message));
    sink.signal(Signal::TurnEnded(TurnEnd { error, ..TurnEnd::default() }));
}

/// The answer to what a server of tools wants to know.
fn elicited(action: &str) -> Value {
    json!({ "action": action, "content": null, "_meta": null })
}

/// What a notification tells, for a status.
fn message_detail(json: CheckedJson<'_>) -> Option<crate::stream::Json<'_>> {
    object::<Message<'_>>(json)?.params.map(CheckedJson::json)
}

/// The attempt and the most there will be, out of `Reconnecting... 2/5`: there is no field for them.
fn attempts(message: &str) -> Option<(u64, u64)> {
    let (attempt, most) = message.rsplit_once(' ')?.1.split_once('/')?;
    Some((attempt.parse().ok()?, most.parse().ok()?))
}
