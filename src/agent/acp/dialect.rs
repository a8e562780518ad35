//! The state machine of one process.

use serde_json::{Value, json};

use super::failure::{METHOD_NOT_FOUND, agent_error, failure, refusal, ways_to_log_in};
use super::session::{Abilities, Setting, Wishes, current_mode, current_model};
use super::tools::Turn;
use super::usage::UsageMeter;
use super::wire::{Answer, Message, Params, PermissionOption, RpcError, Update};
use crate::agent::context::ContextUse;
use crate::agent::json::CheckedJson;
use crate::agent::lenient::{Text, facts, object, text};
use crate::agent::line::{line_of, read_objects, status, unparsed};
use crate::agent::{AgentOptions, Decision, Dialect, Image, PermissionRequest, Signal, Sink, TurnEnd};
use crate::error::{Error, ErrorKind};
use crate::stream::Chunk;

/// The version of the protocol that is spoken here.
const VERSION: u64 = 1;

/// The answer to a question that was taken back.
const REQUEST_CANCELLED: i64 = -32800;

/// Updates that say nothing a consumer could use.
const QUIET: &[&str] =
    &["user_message_chunk", "available_commands_update", "config_option_update", "session_info_update"];

/// Updates of which a conversation consists.
const REPEATED: &[&str] = &["user_message_chunk", "agent_message_chunk", "agent_thought_chunk", "tool_call"];

/// A method that no agent has.
const BARRIER: &str = "_locus/barrier";

/// What one agent speaks.
#[derive(Debug)]
pub(super) struct AcpDialect {
    wishes: Wishes,
    resume: Option<String>,
    requests: u64,
    /// What is not answered yet, with the ids.
    asked: Vec<(u64, Asked)>,
    /// Known when it has been initialized.
    abilities: Option<Abilities>,
    session: Option<String>,
    /// What has been repeated of a conversation that is being loaded.
    repetition: Option<Repetition>,
    /// What is still to be chosen before the first prompt.
    settings: Vec<Setting>,
    /// The prompt of a turn that waits for its conversation.
    prompt: Option<Prompt>,
    /// Whether the first prompt is to bring the system prompt.
    brings_system_prompt: bool,
    /// The request that the turn under way is.
    turn_request: Option<u64>,
    is_cancelled: bool,
    turn: Turn,
    questions: Vec<Question>,
    meter: UsageMeter,
    context_told: ContextUse,
}

/// What a turn begins with.
#[derive(Debug)]
struct Prompt {
    text: String,
    images: Vec<Image>,
}

/// What was asked of the agent.
#[derive(Debug)]
enum Asked {
    Initialize,
    New,
    Resume,
    Load,
    /// Nothing: whatever is answered, what came before it has come.
    Barrier,
    Setting(Setting),
    Prompt,
}

/// Whether anything has been repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repetition {
    Nothing,
    Something,
}

/// What the agent asks.
#[derive(Debug)]
struct Question {
    /// What the host calls it.
    key: String,
    /// The id of its request, as JSON.
    id: Value,
    /// The id of the tool use.
    tool_use: String,
    allow: Option<String>,
    reject: Option<String>,
}

impl AcpDialect {
    pub(super) fn new(options: &AgentOptions) -> Self {
        Self {
            wishes: Wishes::of(options),
            resume: options.resume.clone(),
            requests: 0,
            asked: Vec::new(),
            abilities: None,
            session: None,
            repetition: None,
            settings: Vec::new(),
            prompt: None,
            brings_system_prompt: false,
            turn_request: None,
            is_cancelled: false,
            turn: Turn::default(),
            questions: Vec::new(),
            meter: UsageMeter::default(),
            context_told: ContextUse::default(),
        }
    }
}

impl Dialect for AcpDialect {
    fn open(&mut self) -> Vec<u8> {
        let capabilities = json!({
            "fs": { "readTextFile": false, "writeTextFile": false },
            "terminal": false,
            "session": { "notices": {}, "compaction": {} },
        });
        let client = json!({ "name": "locus", "title": "Locus", "version": env!("CARGO_PKG_VERSION") });
        let params =
            json!({ "protocolVersion": VERSION, "clientCapabilities": capabilities, "clientInfo": client });
        self.request(Asked::Initialize, "initialize", &params)
    }

    fn start_turn(&mut self, prompt: &str) -> Vec<u8> {
        self.prompted(Prompt { text: prompt.to_owned(), images: Vec::new() })
    }

    fn start_turn_with(&mut self, prompt: &str, images: &[Image]) -> Option<Vec<u8>> {
        // Of one that is not known yet it shows in its first answer.
        if self.abilities.as_ref().is_some_and(|abilities| !abilities.takes_images) {
            return None;
        }
        Some(self.prompted(Prompt { text: prompt.to_owned(), images: images.to_vec() }))
    }
    fn can_interrupt(&self) -> bool {
        self.turn_request.is_some()
    }

    fn interrupt(&mut self) -> Option<Vec<u8>> {
        self.turn_request?;
        self.is_cancelled = true;
        let mut lines = notification("session/cancel", &json!({ "sessionId": self.session }));
        for question in self.questions.drain(..) {
            lines.extend(answer(&question.id, &cancelled()));
        }
        Some(lines)
    }

    fn answer(&mut self, request: &PermissionRequest, decision: &Decision) -> Vec<u8> {
        let Some(question) = self.take_question(|question| question.key == request.id) else {
            return Vec::new();
        };
        // The agent does what it asked about and nothing else: a yes to another input is a no to this one.
        let yes = matches!(decision, Decision::Allow { updated_input: None });
        if !yes {
            self.turn.denied(&question.tool_use);
        }
        let outcome = match if yes { &question.allow } else { &question.reject } {
            Some(option) => json!({ "outcome": { "outcome": "selected", "optionId": option } }),
            None => cancelled(),
        };
        answer(&question.id, &outcome)
    }

    fn decode(&mut self, line: &[u8], now: u64, sink: &mut dyn Sink) {
        read_objects(line, sink, |json, sink| {
            let message: Message<'_> = object(json).unwrap_or_default();
            let params = || message.params.and_then(object::<Params<'_>>).unwrap_or_default();
            match (&message.method, message.id) {
                (Some(method), None) => self.notified(method.as_str(), &params(), json, now, sink),
                (Some(method), Some(id)) => self.asks(method.as_str(), id, &params(), now, sink),
                (None, Some(id)) => self.answered(id, &message, json, now, sink),
                (None, None) => unparsed(json.as_str(), "a message without a method or an id", sink),
            }
        });
    }
}

impl AcpDialect {
    fn prompted(&mut self, prompt: Prompt) -> Vec<u8> {
        self.turn.begins();
        self.meter.turn_begins();
        self.is_cancelled = false;
        self.turn_request = None;
        if let Some(session) = self.session.clone().filter(|_| self.settings.is_empty()) {
            return self.prompt_request(&session, prompt);
        }
        self.prompt = Some(prompt);
        if self.asked.iter().any(|(_, asked)| !matches!(asked, Asked::Prompt)) {
            return Vec::new();
        }
        // It was refused before.
        match self.abilities.clone() {
            None => self.open(),
            Some(abilities) => self.open_session(&abilities),
        }
    }

    /// What people call the agent.
    fn name(&self) -> &str {
        let title = self.abilities.as_ref().map(|abilities| abilities.title.as_str());
        title.filter(|title| !title.is_empty()).unwrap_or("the agent")
    }

    fn request(&mut self, asked: Asked, method: &str, params: &Value) -> Vec<u8> {
        self.requests += 1;
        self.asked.push((self.requests, asked));
        line_of(&json!({ "jsonrpc": "2.0", "id": self.requests, "method": method, "params": params }))
    }

    /// Begins a conversation, or goes on with the one that is to be resumed.
    fn open_session(&mut self, abilities: &Abilities) -> Vec<u8> {
        let params = self.wishes.params(self.resume.as_deref(), abilities);
        match &self.resume {
            None => self.request(Asked::New, "session/new", &params),
            Some(_) if abilities.resumes => self.request(Asked::Resume, "session/resume", &params),
            Some(_) => {
                self.repetition = Some(Repetition::Nothing);
                self.request(Asked::Load, "session/load", &params)
            }
        }
    }

    fn prompt_request(&mut self, session: &str, Prompt { text, images }: Prompt) -> Vec<u8> {
        let images = images
            .into_iter()
            .map(|image| json!({ "type": "image", "mimeType": image.info.media_type, "data": image.base64 }));
        let mut blocks: Vec<Value> = images.collect();
        if std::mem::take(&mut self.brings_system_prompt)
            && let Some(system_prompt) = &self.wishes.system_prompt
        {
            blocks.push(json!({ "type": "text", "text": system_prompt }));
        }
        blocks.push(json!({ "type": "text", "text": text }));
        let params = json!({ "sessionId": session, "prompt": blocks });
        let lines = self.request(Asked::Prompt, "session/prompt", &params);
        self.turn_request = Some(self.requests);
        lines
    }

    /// The agent answers a request of ours.
    fn answered(
        &mut self,
        id: CheckedJson<'_>,
        message: &Message<'_>,
        json: CheckedJson<'_>,
        now: u64,
        sink: &mut dyn Sink,
    ) {
        let id = id.as_str().parse().ok();
        let answer: Answer<'_> = message.result.and_then(object).unwrap_or_default();
        let place = self.asked.iter().position(|(asked, _)| Some(*asked) == id);
        let asked = place.map(|place| self.asked.swap_remove(place).1);
        match (asked.or_else(|| self.asked_before(message, &answer)), &message.error) {
            (None, _) => unparsed(json.as_str(), "an answer to nothing that was asked", sink),
            (Some(Asked::Initialize), None) => self.initialized(&answer, sink),
            (Some(Asked::New | Asked::Resume | Asked::Load), None) => self.session_opened(&answer, sink),
            (Some(Asked::Barrier), _) => self.repeated(sink),
            (Some(Asked::Setting(setting)), None) => {
                if let Some(model) = setting.model {
                    self.meter.runs_on(&model);
                }
                self.choose_or_prompt(sink);
            }
            (Some(Asked::Setting(setting)), Some(error)) => {
                self.session = None;
                let message = format!("{} refused {}: {}", self.name(), setting.what, failure(error));
                self.refused(Error::InvalidInput(message.into()), sink);
            }
            (Some(Asked::Resume), Some(error))
                if error.code == Some(METHOD_NOT_FOUND)
                    && self.abilities.as_ref().is_some_and(|it| it.loads) =>
            {
                if let Some(abilities) = &mut self.abilities {
                    abilities.resumes = false;
                    let abilities = abilities.clone();
                    sink.signal(Signal::Reply(self.open_session(&abilities)));
                }
            }
            (Some(Asked::Initialize | Asked::New | Asked::Resume | Asked::Load), Some(error)) => {
                let ways = self.abilities.as_ref().map(|it| it.ways_to_log_in.clone()).unwrap_or_default();
                let error = refusal(error, self.name(), &ways);
                self.refused(error, sink);
            }
            // Otherwise the answer to a turn that was given up.
            (Some(Asked::Prompt), error) if id.is_none() || id == self.turn_request || self.requests == 0 => {
                self.turn.ends(now, sink);
                self.turn_ended(&answer, error.as_ref(), sink);
            }
            (Some(Asked::Prompt), _) => {}
        }
    }

    /// What was asked by who recorded a transcript, as far as the answer shows. Who asks knows it.
    fn asked_before(&self, message: &Message<'_>, answer: &Answer<'_>) -> Option<Asked> {
        if self.requests > 0 {
            return None;
        }
        match answer {
            _ if message.error.is_some() && self.session.is_none() => Some(Asked::New),
            _ if message.error.is_some() => Some(Asked::Prompt),
            Answer { protocol_version: Some(_), .. } => Some(Asked::Initialize),
            Answer { stop_reason: Some(_), .. } => Some(Asked::Prompt),
            _ if self.session.is_none() => Some(Asked::New),
            _ => None,
        }
    }

    fn initialized(&mut self, answer: &Answer<'_>, sink: &mut dyn Sink) {
        match answer.protocol_version {
            Some(VERSION) => {}
            version => {
                let spoken = version.map_or("none that it names".to_owned(), |version| version.to_string());
                let message = format!(
                    "{} speaks version {spoken} of ACP, and version {VERSION} is wanted",
                    self.name()
                );
                return self.refused(agent_error(ErrorKind::Protocol, message), sink);
            }
        }
        let capabilities = answer.capabilities.as_ref();
        let session = capabilities.and_then(|capabilities| capabilities.session.as_ref());
        let agent = answer.agent.as_ref();
        let abilities = Abilities {
            title: agent.and_then(|agent| agent.title.clone().or(agent.name.clone())).unwrap_or_default(),
            version: agent.and_then(|agent| agent.version.clone()),
            resumes: session.is_some_and(|session| session.resume.is_some()),
            loads: capabilities.is_some_and(|capabilities| capabilities.load_session == Some(true)),
            takes_images: capabilities
                .and_then(|capabilities| capabilities.prompt.as_ref()?.image)
                .unwrap_or(false),
            takes_system_prompt: session.is_some_and(|session| session.system_prompt.is_some()),
            ways_to_log_in: ways_to_log_in(answer.auth_methods),
        };
        self.abilities = Some(abilities.clone());
        if self.requests == 0 {
            return;
        }
        if self.resume.is_some() && !abilities.resumes && !abilities.loads {
            let message = format!("{} cannot go on with a conversation of another process", self.name());
            return self.refused(agent_error(ErrorKind::AgentError, message), sink);
        }
        let is_illustrated = self.prompt.as_ref().is_some_and(|prompt| !prompt.images.is_empty());
        if is_illustrated && !abilities.takes_images {
            let message = format!("{} takes no images", self.name());
            return self.refused(Error::InvalidInput(message.into()), sink);
        }
        sink.signal(Signal::Reply(self.open_session(&abilities)));
    }

    fn session_opened(&mut self, answer: &Answer<'_>, sink: &mut dyn Sink) {
        let Some(session) = answer.session_id.clone().or_else(|| self.resume.clone()) else {
            let message = format!("{} opened a conversation without an id", self.name());
            return self.refused(agent_error(ErrorKind::Protocol, message), sink);
        };
        let abilities = self.abilities.clone().unwrap_or_default();
        let model = current_model(answer);
        let detail = facts([
            ("model", model.clone().into()),
            ("permissionMode", current_mode(answer).into()),
            ("agent", abilities.title.into()),
            ("agentVersion", abilities.version.into()),
        ]);
        status("initialized", Some(detail), sink);
        self.meter.runs_on(&model.unwrap_or_default());
        if self.resume.is_none() {
            self.meter.begins_anew();
        }
        self.brings_system_prompt = self.resume.is_none() && !abilities.takes_system_prompt;
        match self.wishes.settings(&session, answer, self.name()) {
            Ok(settings) => self.settings = settings,
            Err(error) => return self.refused(error, sink),
        }
        // If the process is asked for another turn, it has the conversation; it is not to be resumed again.
        self.session = Some(session);
        if self.repetition.is_some() {
            let barrier = self.request(Asked::Barrier, BARRIER, &json!({}));
            return sink.signal(Signal::Reply(barrier));
        }
        self.choose_or_prompt(sink);
    }

    /// The conversation has been repeated to its end.
    fn repeated(&mut self, sink: &mut dyn Sink) {
        if self.repetition.take() == Some(Repetition::Something) {
            return self.choose_or_prompt(sink);
        }
        self.session = None;
        let message =
            format!("{} does not know this conversation: it has nothing of it to repeat", self.name());
        self.refused(agent_error(ErrorKind::AgentError, message), sink);
    }

    /// Chooses what is still to be chosen, one by one; when nothing is left the prompt follows.
    fn choose_or_prompt(&mut self, sink: &mut dyn Sink) {
        if !self.settings.is_empty() {
            let setting = self.settings.remove(0);
            let (method, params) = (setting.method, setting.params.clone());
            return sink.signal(Signal::Reply(self.request(Asked::Setting(setting), method, &params)));
        }
        if let (Some(session), Some(prompt)) = (self.session.clone(), self.prompt.take()) {
            sink.signal(Signal::Reply(self.prompt_request(&session, prompt)));
        }
        sink.signal(Signal::Ready { agent_session_id: self.session_to_resume() });
    }

    /// The id of the conversation, if another process can go on with it.
    fn session_to_resume(&self) -> Option<String> {
        let can = self.abilities.as_ref().is_some_and(|abilities| abilities.resumes || abilities.loads);
        self.session.clone().filter(|_| can)
    }

    /// Something without which there is no turn was refused.
    fn refused(&mut self, error: Error, sink: &mut dyn Sink) {
        self.prompt = None;
        self.settings.clear();
        sink.signal(Signal::TurnEnded(TurnEnd { error: Some(error), ..TurnEnd::default() }));
    }

    fn turn_ended(&mut self, answer: &Answer<'_>, error: Option<&RpcError<'_>>, sink: &mut dyn Sink) {
        self.turn_request = None;
        self.questions.clear();
        let quota = || answer.meta.as_ref()?.quota.as_ref()?.tokens;
        let usage = self.meter.turn_ended(answer.usage.or_else(quota));
        let reason = answer.stop_reason.as_ref().map(|reason| reason.as_str().to_owned());
        let name = self.name().to_owned();
        // An agent that is interrupted may as well call that an error.
        let interrupted = self.is_cancelled && (error.is_some() || reason.as_deref() == Some("cancelled"));
        let failed = |kind, what: &str| Some(agent_error(kind, format!("{name} {what}")));
        let error = match (error, reason.as_deref()) {
            (Some(error), _) => Some(failure(error)),
            (None, Some("cancelled")) => failed(ErrorKind::AgentError, "was interrupted"),
            (None, Some("refusal")) => failed(ErrorKind::AgentError, "refused to go on"),
            (None, Some("max_tokens")) => {
                failed(ErrorKind::AgentError, "reached the limit of tokens of an answer")
            }
            (None, Some("max_turn_requests")) => {
                failed(ErrorKind::MaxTurns, "reached its limit of model requests")
            }
            (None, _) => None,
        };
        sink.signal(Signal::TurnEnded(TurnEnd {
            content: self.turn.take_answer(),
            stop_reason: reason,
            // Most do not say.
            turns: usage.requests.max(1),
            usage,
            agent_session_id: self.session_to_resume(),
            error,
            tries: 0,
            interrupted,
        }));
    }

    fn notified(
        &mut self,
        method: &str,
        params: &Params<'_>,
        json: CheckedJson<'_>,
        now: u64,
        sink: &mut dyn Sink,
    ) {
        match (method, &params.update) {
            ("session/update", None) => unparsed(json.as_str(), "an update without one", sink),
            ("session/update", Some(update)) => {
                // Another conversation is that of a subagent.
                let theirs = params.session_id.as_ref().map(Text::as_str);
                let is_ours = theirs.is_none() || theirs == self.session.as_deref();
                if let Some(repetition) = &mut self.repetition {
                    if REPEATED.contains(&text(update.kind.as_ref())) {
                        *repetition = Repetition::Something;
                    }
                } else if self.session.is_some() && is_ours {
                    self.updated(update, json, now, sink);
                }
            }
            ("$/cancel_request", _) => self.withdrawn(params, sink),
            // An agent's own.
            (method, _) if method.starts_with(['_', '$']) => {}
            (method, _) => unparsed(json.as_str(), &format!("unknown notification '{method}'"), sink),
        }
    }

    fn updated(&mut self, update: &Update<'_>, json: CheckedJson<'_>, now: u64, sink: &mut dyn Sink) {
        if let Some(tokens) = update.meta.as_ref().and_then(|meta| meta.usage) {
            self.turn.message_is_over();
            sink.chunk(Chunk::Usage(self.meter.requested(tokens)));
        }
        match text(update.kind.as_ref()) {
            "agent_message_chunk" => self.turn.said(update, false, sink),
            "agent_thought_chunk" => self.turn.said(update, true, sink),
            "tool_call" | "tool_call_update" => self.turn.tool(update, now, sink),
            "plan" => self.turn.plan(update.entries, sink),
            "usage_update" => {
                let context = ContextUse { tokens: update.used.unwrap_or(0), window: update.size };
                context.tell(&mut self.context_told, sink);
                if let Some(usage) = update.cost.as_ref().and_then(|cost| self.meter.costs(cost)) {
                    sink.chunk(Chunk::Usage(usage));
                }
            }
            "current_mode_update" => {
                let mode = text(update.mode.as_ref());
                status("permission_mode", Some(facts([("permissionMode", mode.into())])), sink);
            }
            "compaction_update" => match text(update.status.as_ref()) {
                "in_progress" => status("compacting", None, sink),
                "completed" => status("compacted", None, sink),
                _ => {}
            },
            "notice" => {
                let message = [text(update.title.as_ref()), text(update.description.as_ref())];
                let message: Vec<&str> = message.into_iter().filter(|part| !part.is_empty()).collect();
                let is_harmless = text(update.severity.as_ref()) == "info";
                let detail = facts([("message", message.join(": ").into())]);
                status(if is_harmless { "notice" } else { "warning" }, Some(detail), sink);
            }
            kind if QUIET.contains(&kind) => {}
            kind => unparsed(json.as_str(), &format!("unknown update '{kind}'"), sink),
        }
    }

    /// A question needs no answer any more.
    fn withdrawn(&mut self, params: &Params<'_>, sink: &mut dyn Sink) {
        let id = params.request_id.map(CheckedJson::value);
        let Some(question) = self.take_question(|question| Some(&question.id) == id.as_ref()) else { return };
        let refusal = refusal_line(&question.id, REQUEST_CANCELLED, "the request was cancelled");
        sink.signal(Signal::Reply(refusal));
        sink.signal(Signal::PermissionWithdrawn(question.key));
    }

    fn take_question(&mut self, is_it: impl Fn(&Question) -> bool) -> Option<Question> {
        let place = self.questions.iter().position(is_it)?;
        Some(self.questions.remove(place))
    }

    /// The agent asks something of the host.
    fn asks(
        &mut self,
        method: &str,
        id: CheckedJson<'_>,
        params: &Params<'_>,
        now: u64,
        sink: &mut dyn Sink,
    ) {
        let id = id.value();
        let Some(update) = params.tool_call.as_ref().filter(|_| method == "session/request_permission")
        else {
            // Unanswered, it would wait for ever.
            let message = format!("'{method}' is not supported by this host");
            return sink.signal(Signal::Reply(refusal_line(&id, METHOD_NOT_FOUND, &message)));
        };
        let (tool, parameters) = self.turn.asked_about(update, now, sink);
        let options = params.options.and_then(CheckedJson::items).into_iter().flatten();
        let options: Vec<PermissionOption> = options.filter_map(object).collect();
        // What is asked once is answered once: for more only if there is nothing less.
        let choose = |kinds: [&str; 2]| {
            let of_kind = |kind| options.iter().find(|option| option.kind.as_deref() == Some(kind));
            kinds.into_iter().find_map(of_kind).and_then(|option| option.id.clone())
        };
        let tool_use = text(update.id.as_ref()).to_owned();
        let key = id.to_string();
        self.take_question(|question| question.key == key);
        self.questions.push(Question {
            key: key.clone(),
            id,
            tool_use: tool_use.clone(),
            allow: choose(["allow_once", "allow_always"]),
            reject: choose(["reject_once", "reject_always"]),
        });
        sink.signal(Signal::Permission(PermissionRequest {
            id: key,
            tool,
            parameters,
            tool_use_id: Some(tool_use).filter(|id| !id.is_empty()),
            suggestions: None,
        }));
    }
}

fn notification(method: &str, params: &Value) -> Vec<u8> {
    line_of(&json!({ "jsonrpc": "2.0", "method": method, "params": params }))
}

fn answer(id: &Value, result: &Value) -> Vec<u8> {
    line_of(&json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

fn refusal_line(id: &Value, code: i64, message: &str) -> Vec<u8> {
    line_of(&json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } }))
}

/// The answer to a question that nobody answers.
fn cancelled() -> Value {
    json!({ "outcome": { "outcome": "cancelled" } })
}
