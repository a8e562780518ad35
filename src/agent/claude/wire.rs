//! The lines as claude writes them, as far as they are understood.

use std::collections::HashMap;

use serde::Serialize;

use crate::agent::json::CheckedJson;
use crate::agent::lenient::{Maybe, Text, objects, values};
use crate::stream::Json;

objects! {
    /// What all lines have in common. `type` need not be the first key.
    Line<'de> {
        kind: Text<'de> = "type",
        subtype: Text<'de> = "subtype",
        event: StreamEvent<'de> = "event",
        parent_tool_use_id: Text<'de> = "parent_tool_use_id",
        message: Message<'de> = "message",
        tool_use_result: CheckedJson<'de> = "tool_use_result",
        is_replay: bool = "isReplay",
        request_id: Text<'de> = "request_id",
        request: CheckedJson<'de> = "request",
        error: CheckedJson<'de> = "error",
        /// Set where a stream broke off and what came of it is void.
        abandoned_blocks: CheckedJson<'de> = "abandoned_blocks",
    }

    /// A piece of a streamed message, in the words of the Messages API.
    StreamEvent<'de> {
        kind: Text<'de> = "type",
        delta: Delta<'de> = "delta",
        content_block: ContentBlock<'de> = "content_block",
        message: Message<'de> = "message",
        usage: TokenUsage = "usage",
    }

    /// What a `content_block_delta` brings.
    Delta<'de> {
        kind: Text<'de> = "type",
        text: Text<'de> = "text",
        thinking: Text<'de> = "thinking",
    }

    /// A message of the model or, with tool results, of the user.
    Message<'de> {
        id: Text<'de> = "id",
        model: Text<'de> = "model",
        content: CheckedJson<'de> = "content",
        usage: TokenUsage = "usage",
    }

    /// A block of a message.
    ContentBlock<'de> {
        kind: Text<'de> = "type",
        text: Text<'de> = "text",
        thinking: Text<'de> = "thinking",
        id: Text<'de> = "id",
        name: Text<'de> = "name",
        input: CheckedJson<'de> = "input",
        tool_use_id: Text<'de> = "tool_use_id",
        content: CheckedJson<'de> = "content",
        is_error: bool = "is_error",
    }

    /// Tokens as the Messages API counts them.
    #[derive(Clone, Copy)]
    TokenUsage {
        input_tokens: u64 = "input_tokens",
        output_tokens: u64 = "output_tokens",
        cache_read_input_tokens: u64 = "cache_read_input_tokens",
        cache_creation_input_tokens: u64 = "cache_creation_input_tokens",
        cache_creation: CacheCreation = "cache_creation",
        output_details: OutputDetails = "output_tokens_details",
    }

    /// For how long is kept what was written to the cache.
    #[derive(Clone, Copy)]
    CacheCreation {
        hour: u64 = "ephemeral_1h_input_tokens",
    }

    /// What the tokens generated were spent on.
    #[derive(Clone, Copy)]
    OutputDetails {
        thinking: u64 = "thinking_tokens",
    }

    /// Tokens and money of one model, as claude adds them up.
    ModelUsage {
        input_tokens: u64 = "inputTokens",
        output_tokens: u64 = "outputTokens",
        cache_read_input_tokens: u64 = "cacheReadInputTokens",
        cache_creation_input_tokens: u64 = "cacheCreationInputTokens",
        cache_creation_1h_tokens: u64 = "cacheCreationEphemeral1hInputTokens",
        thinking_tokens: u64 = "thinkingTokens",
        cost_usd: f64 = "costUSD",
        context_window: u64 = "contextWindow",
    }

    /// The facts of an `assistant` line that stands for a failure of the API.
    ApiError {
        word: String = "error",
        cause: String = "api_error",
        status: u16 = "api_error_status",
    }

    /// The line that ends a turn.
    ResultLine {
        subtype: String = "subtype",
        is_error: bool = "is_error",
        result: String = "result",
        errors: Vec<Maybe<String>> = "errors",
        stop_reason: String = "stop_reason",
        terminal_reason: String = "terminal_reason",
        num_turns: u64 = "num_turns",
        session_id: String = "session_id",
        api_error_status: u16 = "api_error_status",
        api_error: String = "api_error",
        total_cost_usd: f64 = "total_cost_usd",
        usage: TokenUsage = "usage",
        /// Set on a turn that nobody prompted, for example when a background task reports back.
        origin: Origin = "origin",
        model_usage: HashMap<String, Maybe<ModelUsage>> = "modelUsage",
        /// The same since the last result of the process, whoever prompted that.
        model_usage_since: HashMap<String, Maybe<ModelUsage>> = "model_usage_since_last_result",
    }

    /// Where a turn came from.
    Origin {
        kind: String = "kind",
    }

    /// The `init` line.
    InitLine {
        session_id: String = "session_id",
        model: String = "model",
        permission_mode: String = "permissionMode",
        claude_code_version: String = "claude_code_version",
    }

    /// The other system lines that are looked into.
    SystemLine {
        status: String = "status",
        compact_result: String = "compact_result",
        compact_error: String = "compact_error",
    }

    /// An `api_retry` line on its way to the detail of a status.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    Retry {
        #[serde(skip_serializing_if = "Option::is_none")]
        attempt: u64 = "attempt",
        #[serde(skip_serializing_if = "Option::is_none")]
        max_retries: u64 = "max_retries",
        #[serde(skip_serializing_if = "Option::is_none")]
        delay_ms: f64 = "retry_delay_ms",
        #[serde(skip_serializing_if = "Option::is_none")]
        error_status: u16 = "error_status",
        #[serde(skip_serializing_if = "Option::is_none")]
        error: String = "error",
    }

    /// A `rate_limit_event` line.
    RateLimitLine {
        info: RateLimitInfo = "rate_limit_info",
    }

    /// How much of a limit of the account is left.
    RateLimitInfo {
        /// `allowed`, `allowed_warning` or `rejected`.
        status: String = "status",
        /// Seconds since the epoch.
        resets_at: u64 = "resetsAt",
    }

    /// A `command_lifecycle` line.
    CommandLifecycle {
        command_uuid: String = "command_uuid",
        state: String = "state",
    }

    /// What claude asks of the host.
    ControlRequest<'de> {
        subtype: String = "subtype",
        tool_name: String = "tool_name",
        input: CheckedJson<'de> = "input",
        permission_suggestions: CheckedJson<'de> = "permission_suggestions",
        tool_use_id: String = "tool_use_id",
    }
}

impl RateLimitInfo {
    /// When a limit that is reached is reset, in milliseconds since the epoch.
    pub(super) fn reset(&self) -> Option<u64> {
        (self.status.as_deref() == Some("rejected")).then(|| self.resets_at?.checked_mul(1000)).flatten()
    }
}

impl ContentBlock<'_> {
    pub(super) fn is(&self, kind: &str) -> bool {
        self.kind.as_ref().is_some_and(|word| word.as_str() == kind)
    }

    /// Whether its type ends like this, as `server_tool_use` and `tool_use` do.
    pub(super) fn ends_with(&self, kind: &str) -> bool {
        self.kind.as_ref().is_some_and(|word| word.as_str().ends_with(kind))
    }
}

/// What the first line of a process tells, as the detail of a status.
#[derive(Debug, PartialEq, Eq, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Initialized {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) permission_mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) agent_version: Option<String>,
}

/// What the host writes to claude's stdin, one a line.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Outgoing<'a> {
    User { message: UserMessage<'a>, parent_tool_use_id: Option<&'a str>, uuid: &'a str },
    ControlRequest { request_id: String, request: HostRequest },
    ControlResponse { response: &'a ControlResponse<'a> },
}

/// A prompt.
#[derive(Debug, Serialize)]
pub(super) struct UserMessage<'a> {
    pub(super) role: &'static str,
    pub(super) content: UserContent<'a>,
}

/// What a prompt consists of.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum UserContent<'a> {
    Text(&'a str),
    Blocks(Vec<UserBlock<'a>>),
}

/// A part of a prompt, as in the Messages API.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum UserBlock<'a> {
    Text { text: &'a str },
    Image { source: UserImage<'a> },
}

/// An image in a prompt.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum UserImage<'a> {
    Base64 { media_type: &'static str, data: &'a str },
}

/// What the host asks of claude.
#[derive(Debug, Serialize)]
pub(super) struct HostRequest {
    pub(super) subtype: &'static str,
}

/// How the host answers.
#[derive(Debug, Serialize)]
#[serde(tag = "subtype", rename_all = "snake_case")]
pub(super) enum ControlResponse<'a> {
    Success { request_id: &'a str, response: Answer<'a> },
    Error { request_id: &'a str, error: &'a str },
}

/// The answer to a question for permission.
#[derive(Debug, Serialize)]
#[serde(tag = "behavior", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub(super) enum Answer<'a> {
    Allow { updated_input: Json<'a> },
    Deny { message: &'a str },
}

values![HashMap<String, Maybe<ModelUsage>>,];
