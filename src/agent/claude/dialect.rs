//! The state machine of one claude process.

use std::borrow::Cow;
use std::collections::HashMap;

use memchr::memmem;
use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::delta::{Content, Delta, DeltaReader};
use super::usage::UsageMeter;
use super::wire::{
    Answer, ApiError, CommandLifecycle, ContentBlock, ControlRequest, ControlResponse, HostRequest, InitLine,
    Initialized, Line, Message, Outgoing, RateLimitLine, ResultLine, Retry, StreamEvent, SystemLine,
    UserBlock, UserContent, UserImage, UserMessage,
};
use crate::agent::context::ContextUse;
use crate::agent::json::CheckedJson;
use crate::agent::lenient::{Text, object};
use crate::agent::line::{line_of, read_objects, status, unparsed};
use crate::agent::{Decision, Dialect, Image, PermissionRequest, Signal, Sink, TurnEnd};
use crate::error::{Available, Error, ErrorKind, Symptoms};
use crate::stream::{Chunk, Json, ToolData, json_of, utf16_len};

/// Types of lines that say nothing a consumer could use.
const QUIET_TYPES: &[&str] = &["control_response", "keep_alive", "tool_progress", "tool_use_summary"];

/// The same for subtypes of system lines. A denied permission is told by the tool's result.
const QUIET_SUBTYPES: &[&str] = &["thinking_tokens", "permission_denied"];

/// Subtypes of system lines that are passed on as a status with the line as its detail.
const STATUS_SUBTYPES: &[&str] =
    &["hook_started", "hook_response", "task_started", "task_progress", "task_updated", "task_notification"];

/// What one claude process speaks.
#[derive(Debug, Default)]
pub(in crate::agent) struct ClaudeDialect {
    requests: u64,
    deltas: DeltaReader,
    /// The uuid of the prompt of the current turn.
    prompt: Option<String>,
    /// Whether claude says which prompt it works on, and whether it said so of ours.
    tells_prompts: bool,
    prompt_taken: bool,
    tools: HashMap<String, Tool>,
    /// What was streamed of the message under way, by the tool use id of the subagent it belongs to.
    streamed: Streamed,
    subagents_streamed: HashMap<String, Streamed>,
    /// What an `assistant` line told about a failure of the API, until the result.
    api_error: Option<ApiError>,
    /// How often claude has tried the request under way again.
    api_retries: u32,
    /// When a limit that was reached is reset, in milliseconds since the epoch.
    limit_resets: Option<u64>,
    initialized: Option<Initialized>,
    meter: UsageMeter,
    context_told: ContextUse,
}

/// What came as deltas and has not come in an `assistant` line yet, in UTF-16 code units: the one measure in which
/// the halves of a pair of surrogates, each a replacement character of its own, are as long as the pair.
#[derive(Debug, Default)]
struct Streamed {
    text: usize,
    thinking: usize,
}

#[derive(Debug)]
struct Tool {
    name: String,
    /// When its input was complete.
    started: Option<u64>,
    ended: bool,
}

impl Dialect for ClaudeDialect {
    fn open(&mut self) -> Vec<u8> {
        self.control_request("initialize")
    }

    fn start_turn(&mut self, prompt: &str) -> Vec<u8> {
        self.prompted(UserContent::Text(prompt))
    }

    fn start_turn_with(&mut self, prompt: &str, images: &[Image]) -> Option<Vec<u8>> {
        let blocks = images.iter().map(|Image { info, base64 }| UserBlock::Image {
            source: UserImage::Base64 { media_type: info.media_type, data: base64 },
        });
        Some(self.prompted(UserContent::Blocks(blocks.chain([UserBlock::Text { text: prompt }]).collect())))
    }

    fn interrupt(&mut self) -> Option<Vec<u8>> {
        Some(self.control_request("interrupt"))
    }

    fn answer(&mut self, request: &PermissionRequest, decision: &Decision) -> Vec<u8> {
        let answer = match decision {
            Decision::Allow { updated_input: Some(input) } => {
                Answer::Allow { updated_input: json_text(input) }
            }
            Decision::Allow { updated_input: None } => {
                Answer::Allow { updated_input: Cow::Borrowed(&*request.parameters) }
            }
            Decision::Deny { message } => Answer::Deny { message },
        };
        control_response(&ControlResponse::Success { request_id: &request.id, response: answer })
    }

    fn decode(&mut self, line: &[u8], now: u64, sink: &mut dyn Sink) {
        if let Some(delta) = self.deltas.read(line) {
            return self.delta(delta, sink);
        }
        read_objects(line, sink, |json, sink| {
            if let Some(line) = object(json) {
                self.line(&line, json, now, sink);
            }
        });
    }

    /// With `--replay-user-messages` claude repeats what it was told.
    fn prompt(&self, line: &[u8]) -> Option<String> {
        memmem::find(line, b"\"isReplay\"")?;
        let line: Line<'_> = object(CheckedJson::parse(str::from_utf8(line).ok()?).ok()?)?;
        let is_repeated = line.is_replay == Some(true) && line.parent_tool_use_id.is_none();
        let prompt = plain_text(line.message?.content.filter(|_| is_repeated));
        Some(prompt).filter(|prompt| !prompt.is_empty() && !prompt.starts_with(COMMAND_OUTPUT))
    }
}

/// What a host sees of a command that claude ran by itself; repeated as if it were a prompt.
const COMMAND_OUTPUT: &str = "<local-command-";

impl ClaudeDialect {
    pub(in crate::agent) fn new() -> Self {
        Self::default()
    }

    fn prompted(&mut self, content: UserContent<'_>) -> Vec<u8> {
        let uuid = Uuid::new_v4().to_string();
        let message = UserMessage { role: "user", content };
        let line = line_of(&Outgoing::User { message, parent_tool_use_id: None, uuid: &uuid });
        self.prompt = Some(uuid);
        self.prompt_taken = false;
        self.tools.clear();
        line
    }

    fn control_request(&mut self, subtype: &'static str) -> Vec<u8> {
        self.requests += 1;
        let request_id = format!("locus-{}", self.requests);
        line_of(&Outgoing::ControlRequest { request_id, request: HostRequest { subtype } })
    }

    fn line(&mut self, line: &Line<'_>, json: CheckedJson<'_>, now: u64, sink: &mut dyn Sink) {
        let parent = || line.parent_tool_use_id.as_ref().map(|id| Cow::Borrowed(id.as_str()));
        let Some(kind) = &line.kind else { return unparsed(json.as_str(), "a line without a type", sink) };
        match kind.as_str() {
            "stream_event" => {
                let understood =
                    line.event.as_ref().is_some_and(|event| self.stream_event(event, parent(), sink));
                if let Some(abandoned) = line.abandoned_blocks {
                    status("abandoned", Some(abandoned.json()), sink);
                }
                if !understood {
                    unparsed(json.as_str(), "stream_event without what its type promises", sink);
                }
            }
            "assistant" => self.assistant(line, json, parent().as_ref(), now, sink),
            "user" if line.is_replay == Some(true) => {}
            "user" => self.user(line, json, parent().as_ref(), now, sink),
            "system" => self.system(line, json, sink),
            "result" => self.result(json, sink),
            "control_request" => Self::control(line, json, sink),
            "control_cancel_request" => {
                if let Some(id) = &line.request_id {
                    sink.signal(Signal::PermissionWithdrawn(id.as_str().to_owned()));
                }
            }
            "command_lifecycle" => self.command_lifecycle(json),
            "rate_limit_event" => {
                self.limit_resets = object::<RateLimitLine>(json).and_then(|line| line.info?.reset());
                status("rate_limit", Some(json.json()), sink);
            }
            kind if QUIET_TYPES.contains(&kind) => {}
            kind => unparsed(json.as_str(), &format!("unknown type '{kind}'"), sink),
        }
    }

    fn streamed(&mut self, parent: Option<&str>) -> &mut Streamed {
        match parent {
            None => &mut self.streamed,
            // Two lookups only for the first message of a subagent.
            Some(id) if self.subagents_streamed.contains_key(id) => {
                self.subagents_streamed.entry(id.to_owned()).or_default()
            }
            Some(id) => self.subagents_streamed.entry(id.to_owned()).or_default(),
        }
    }

    fn delta(&mut self, delta: Delta<'_>, sink: &mut dyn Sink) {
        let parent_tool_use_id = delta.parent.map(Cow::Borrowed);
        match delta.content {
            Content::Text(content) => {
                self.streamed(delta.parent).text += utf16_len(&content);
                sink.chunk(Chunk::TextDelta { content, parent_tool_use_id });
            }
            Content::Thinking(content) => {
                self.streamed(delta.parent).thinking += utf16_len(&content);
                sink.chunk(Chunk::Thinking { content: Some(content), parent_tool_use_id });
            }
            Content::Input => {}
        }
    }

    /// Whether the event holds what its type promises.
    fn stream_event(
        &mut self,
        event: &StreamEvent<'_>,
        parent: Option<Cow<'_, str>>,
        sink: &mut dyn Sink,
    ) -> bool {
        let Some(kind) = &event.kind else { return false };
        match kind.as_str() {
            "content_block_delta" => {
                let Some(delta) = &event.delta else { return false };
                let content = match (&delta.text, &delta.thinking) {
                    (Some(text), _) => Content::Text(Cow::Borrowed(text.as_str())),
                    (None, Some(text)) => Content::Thinking(Cow::Borrowed(text.as_str())),
                    (None, None) => {
                        let kind = delta.kind.as_ref().map(Text::as_str);
                        return kind.is_some_and(|kind| !matches!(kind, "text_delta" | "thinking_delta"));
                    }
                };
                self.delta(Delta { content, parent: parent.as_deref() }, sink);
            }
            "content_block_start" => match &event.content_block {
                Some(block) if block.ends_with("thinking") => {
                    sink.chunk(Chunk::Thinking { content: None, parent_tool_use_id: parent });
                }
                Some(block) if block.ends_with("tool_use") => {
                    return self.tool_requested(block, parent, sink);
                }
                _ => {}
            },
            // Blocks of a broken stream are closed but never come whole, and nothing of what follows repeats them.
            "message_stop" => *self.streamed(parent.as_deref()) = Streamed::default(),
            "message_start" => {
                *self.streamed(parent.as_deref()) = Streamed::default();
                if let Some(message) = &event.message {
                    self.message_started(message, parent.as_deref(), sink);
                }
            }
            "message_delta" => {
                if let Some(usage) = &event.usage {
                    sink.chunk(Chunk::Usage(self.meter.message_ended(usage, parent.as_deref())));
                }
            }
            _ => {}
        }
        true
    }

    fn message_started(&mut self, message: &Message<'_>, parent: Option<&str>, sink: &mut dyn Sink) {
        if let Some(usage) = self.meter.message_started(message, parent) {
            sink.chunk(Chunk::Usage(usage));
            if parent.is_none() {
                self.meter.context().tell(&mut self.context_told, sink);
            }
        }
    }

    fn assistant(
        &mut self,
        line: &Line<'_>,
        json: CheckedJson<'_>,
        parent: Option<&Cow<'_, str>>,
        now: u64,
        sink: &mut dyn Sink,
    ) {
        if line.error.is_some() {
            // The text of this line is the failure's, not the model's; the result repeats it.
            self.api_error = object(json);
            return;
        }
        // Of subagents nothing is streamed.
        if let (Some(message), Some(parent)) = (&line.message, parent) {
            self.message_started(message, Some(parent), sink);
        }
        let Some(blocks) = blocks(line) else {
            return unparsed(json.as_str(), "assistant without a message of blocks", sink);
        };
        let mut understood = true;
        for block in blocks {
            let parent = parent.cloned();
            understood &= match block.kind.as_ref().map_or("", Text::as_str) {
                "text" => self.text(&block, parent, sink),
                "thinking" => self.thinking(&block, parent, sink),
                kind if kind.ends_with("tool_use") => self.tool_started(&block, parent, now, sink),
                kind if kind.ends_with("tool_result") => self.tool_result(&block, None, parent, now, sink),
                kind => !kind.is_empty(),
            };
        }
        if !understood {
            unparsed(json.as_str(), "assistant with a block without what its type promises", sink);
        }
    }

    fn text(&mut self, block: &ContentBlock<'_>, parent: Option<Cow<'_, str>>, sink: &mut dyn Sink) -> bool {
        let Some(whole) = &block.text else { return false };
        let rest = rest_of(whole.as_str(), &mut self.streamed(parent.as_deref()).text);
        if !rest.is_empty() {
            sink.chunk(Chunk::TextDelta { content: Cow::Borrowed(rest), parent_tool_use_id: parent });
        }
        true
    }

    fn thinking(
        &mut self,
        block: &ContentBlock<'_>,
        parent: Option<Cow<'_, str>>,
        sink: &mut dyn Sink,
    ) -> bool {
        let Some(whole) = &block.thinking else { return false };
        let rest = rest_of(whole.as_str(), &mut self.streamed(parent.as_deref()).thinking);
        if !rest.is_empty() {
            sink.chunk(Chunk::Thinking { content: Some(Cow::Borrowed(rest)), parent_tool_use_id: parent });
        }
        true
    }

    fn tool_requested(
        &mut self,
        block: &ContentBlock<'_>,
        parent: Option<Cow<'_, str>>,
        sink: &mut dyn Sink,
    ) -> bool {
        let (Some(id), Some(name)) = (&block.id, &block.name) else { return false };
        if !self.tools.contains_key(id.as_str()) {
            let tool = Tool { name: name.as_str().to_owned(), started: None, ended: false };
            self.tools.insert(id.as_str().to_owned(), tool);
            sink.chunk(Chunk::ToolUse {
                tool: Cow::Borrowed(name.as_str()),
                id: Cow::Borrowed(id.as_str()),
                parameters: None,
                parent_tool_use_id: parent,
            });
        }
        true
    }

    fn tool_started(
        &mut self,
        block: &ContentBlock<'_>,
        parent: Option<Cow<'_, str>>,
        now: u64,
        sink: &mut dyn Sink,
    ) -> bool {
        if !self.tool_requested(block, parent.clone(), sink) {
            return false;
        }
        let Some(id) = &block.id else { return false };
        let Some(tool) = self.tools.get_mut(id.as_str()) else { return false };
        // Only the first of lines that are repeated starts it.
        if tool.started.is_none() && !tool.ended {
            tool.started = Some(now);
            sink.chunk(Chunk::ToolParameters {
                tool: Cow::Borrowed(&tool.name),
                id: Cow::Borrowed(id.as_str()),
                parameters: block.input.map_or_else(|| json_text("{}"), CheckedJson::json),
                parent_tool_use_id: parent,
            });
        }
        true
    }

    fn user(
        &mut self,
        line: &Line<'_>,
        json: CheckedJson<'_>,
        parent: Option<&Cow<'_, str>>,
        now: u64,
        sink: &mut dyn Sink,
    ) {
        let mut understood = true;
        for block in blocks(line).into_iter().flatten().filter(|block| block.is("tool_result")) {
            understood &= self.tool_result(&block, line.tool_use_result, parent.cloned(), now, sink);
        }
        if !understood {
            unparsed(json.as_str(), "user with a tool_result of no tool use", sink);
        }
    }

    fn tool_result(
        &mut self,
        block: &ContentBlock<'_>,
        structured: Option<CheckedJson<'_>>,
        parent: Option<Cow<'_, str>>,
        now: u64,
        sink: &mut dyn Sink,
    ) -> bool {
        let Some(id) = &block.tool_use_id else { return false };
        let tool = self.tools.get_mut(id.as_str());
        if tool.as_ref().is_some_and(|tool| tool.ended) {
            return true;
        }
        let (name, started) = tool.map_or(("unknown", None), |tool| {
            tool.ended = true;
            (tool.name.as_str(), tool.started)
        });
        let failed = block.is_error.unwrap_or(false);
        // The structured result where there is one; on failure it only repeats the message.
        let data = structured.filter(|data| data.as_str().starts_with(['{', '['])).or(block.content);
        sink.chunk(Chunk::ToolResult {
            tool: Cow::Borrowed(name),
            id: Cow::Borrowed(id.as_str()),
            success: !failed,
            error: failed.then(|| Cow::Owned(plain_text(block.content))),
            duration: started.map_or(0, |started| now.saturating_sub(started)),
            data: data.map(tool_data),
            parent_tool_use_id: parent,
        });
        true
    }

    fn system(&mut self, line: &Line<'_>, json: CheckedJson<'_>, sink: &mut dyn Sink) {
        let subtype = line.subtype.as_ref().map_or("", Text::as_str);
        match subtype {
            "init" => {
                if let Some(init) = object(json) {
                    self.init(init, sink);
                }
            }
            "status" => {
                let Some(system) = object::<SystemLine>(json) else { return };
                if let Some(word) = system.status {
                    status(&word, None, sink);
                } else if let Some(outcome) = system.compact_result {
                    let detail = json!({ "result": outcome, "error": system.compact_error });
                    status("compacted", Some(json_of(&detail)), sink);
                }
            }
            "api_retry" => {
                let detail = object::<Retry>(json);
                self.api_retries = self.api_retries.saturating_add(1);
                status("retrying", detail.map(|detail| json_of(&detail)), sink);
            }
            "compact_boundary" => status("compacted", Some(json.json()), sink),
            subtype if STATUS_SUBTYPES.contains(&subtype) => status(subtype, Some(json.json()), sink),
            subtype if QUIET_SUBTYPES.contains(&subtype) => {}
            subtype => unparsed(json.as_str(), &format!("unknown system subtype '{subtype}'"), sink),
        }
    }

    fn init(&mut self, init: InitLine, sink: &mut dyn Sink) {
        self.meter.model_told(init.model.as_ref());
        let facts = Initialized {
            model: init.model,
            permission_mode: init.permission_mode,
            agent_version: init.claude_code_version,
        };
        if self.initialized.as_ref() != Some(&facts) {
            status("initialized", Some(json_of(&facts)), sink);
            self.initialized = Some(facts);
        }
        sink.signal(Signal::Ready { agent_session_id: init.session_id });
    }

    fn result(&mut self, json: CheckedJson<'_>, sink: &mut dyn Sink) {
        let result: ResultLine = object(json).unwrap_or_default();
        let not_ours = self.prompt.is_some() && self.tells_prompts && !self.prompt_taken;
        // Whatever of a message did not come until now will not come.
        self.streamed = Streamed::default();
        self.subagents_streamed.clear();
        if not_ours || result.origin.as_ref().is_some_and(|origin| origin.kind.is_some()) {
            // A turn that claude began by itself; its usage counts towards the turn that ends next.
            self.meter.background_turn_ended(&result);
            return status("background_turn", None, sink);
        }
        let usage = self.meter.turn_ended(&result);
        self.meter.context().tell(&mut self.context_told, sink);
        let reason = result.terminal_reason.as_deref().unwrap_or_default();
        let api_error = self.api_error.take();
        let available = self.limit_resets.take().map(Available::At);
        sink.signal(Signal::TurnEnded(TurnEnd {
            error: failure(&result, api_error, available),
            tries: 1 + std::mem::take(&mut self.api_retries),
            interrupted: reason.starts_with("aborted"),
            content: result.result.unwrap_or_default(),
            stop_reason: result.stop_reason,
            usage,
            turns: result.num_turns.unwrap_or(0),
            agent_session_id: result.session_id,
        }));
    }

    fn control(line: &Line<'_>, json: CheckedJson<'_>, sink: &mut dyn Sink) {
        let (Some(id), Some(raw_request)) = (&line.request_id, line.request) else {
            return unparsed(json.as_str(), "control_request without an id or a request", sink);
        };
        let id = id.as_str().to_owned();
        let request: ControlRequest<'_> = object(raw_request).unwrap_or_default();
        match (request.subtype.as_deref().unwrap_or_default(), request.tool_name) {
            ("can_use_tool", Some(tool)) => sink.signal(Signal::Permission(PermissionRequest {
                id,
                tool,
                parameters: request.input.map_or_else(|| raw("{}"), |input| input.json().into_owned()),
                tool_use_id: request.tool_use_id,
                suggestions: request
                    .permission_suggestions
                    .map(|suggestions| suggestions.json().into_owned()),
            })),
            (subtype, _) => {
                // Unanswered, it would wait for ever.
                let error = format!("'{subtype}' is not supported by this host");
                let response = ControlResponse::Error { request_id: &id, error: &error };
                sink.signal(Signal::Reply(control_response(&response)));
            }
        }
    }

    fn command_lifecycle(&mut self, json: CheckedJson<'_>) {
        let Some(CommandLifecycle { command_uuid: Some(uuid), state: Some(state) }) = object(json) else {
            return;
        };
        self.tells_prompts = true;
        if state == "started" && self.prompt == Some(uuid) {
            self.prompt_taken = true;
        }
    }
}

/// Why a turn failed, from the facts that its result gives.
fn failure(result: &ResultLine, api_error: Option<ApiError>, available: Option<Available>) -> Option<Error> {
    if !result.is_error.unwrap_or(false) {
        return None;
    }
    let told = api_error.unwrap_or_default();
    let status = result.api_error_status.or(told.status);
    let errors: Vec<&str> = result.errors.iter().flatten().filter_map(|error| error.0.as_deref()).collect();
    let errors = errors.join("; ");
    let message = [errors.as_str(), result.result.as_deref().unwrap_or_default()]
        .into_iter()
        .find(|text| !text.is_empty())
        .map_or_else(|| "the agent reported an error without a message".to_owned(), ToOwned::to_owned);
    let unreachable =
        [&result.api_error, &told.cause].into_iter().flatten().find(|word| *word == "connection_failed");
    let symptoms = Symptoms {
        // Of a connection that failed there is no status, whatever an earlier try was answered.
        status: status.filter(|_| unreachable.is_none()),
        word: unreachable.or(told.word.as_ref()).map(String::as_str),
        text: &message,
    };
    let kind = match result.subtype.as_deref() {
        Some("error_max_turns") => ErrorKind::MaxTurns,
        Some("error_max_budget_usd") => ErrorKind::BudgetExceeded,
        _ => symptoms.api_kind(),
    };
    Some(Error::Agent { kind, message, available })
}

/// The blocks of a line's message; one that is no object has no type.
fn blocks<'a>(line: &Line<'a>) -> Option<impl Iterator<Item = ContentBlock<'a>> + use<'a>> {
    let blocks = line.message.as_ref()?.content?.items()?;
    Some(blocks.map(|block| object(block).unwrap_or_default()))
}

/// What of a whole block was not streamed yet; what was is taken off `streamed`.
fn rest_of<'a>(whole: &'a str, streamed: &mut usize) -> &'a str {
    for (at, char) in whole.char_indices() {
        if *streamed == 0 {
            return &whole[at..];
        }
        *streamed = streamed.saturating_sub(char.len_utf16());
    }
    ""
}

/// The text of a tool result: a string, or blocks of text.
fn plain_text(content: Option<CheckedJson<'_>>) -> String {
    let Some(content) = content else { return String::new() };
    if let Some(text) = content.string() {
        return text.into_owned();
    }
    let blocks: Vec<ContentBlock<'_>> = content.items().into_iter().flatten().filter_map(object).collect();
    let texts: Vec<&str> = blocks.iter().filter_map(|block| block.text.as_ref()).map(Text::as_str).collect();
    texts.join("\n")
}

fn tool_data(data: CheckedJson<'_>) -> ToolData<'_> {
    data.string().map_or_else(|| ToolData::Json(data.json()), ToolData::Text)
}

/// A text that was parsed as JSON before, as JSON.
fn json_text(text: &str) -> Json<'_> {
    serde_json::from_str::<&RawValue>(text).map_or_else(|_| json_of(&text), Cow::Borrowed)
}

fn raw(json: &str) -> Box<RawValue> {
    json_text(json).into_owned()
}

fn control_response(response: &ControlResponse<'_>) -> Vec<u8> {
    line_of(&Outgoing::ControlResponse { response })
}
