//! The lines as claude writes them, as far as they are understood.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::stream::Json;

/// A string that borrows from the line where it has no escapes; a bare `Option<Cow<str>>` would not.
#[derive(Debug, Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What all lines have in common. `type` need not be the first key.
#[derive(Debug, Deserialize)]
pub(super) struct Line<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) subtype: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) event: Option<StreamEvent<'a>>,
    #[serde(borrow)]
    pub(super) parent_tool_use_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) message: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) tool_use_result: Option<&'a RawValue>,
    #[serde(rename = "isReplay", default)]
    pub(super) is_replay: bool,
    #[serde(borrow)]
    pub(super) request_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) request: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) error: Option<&'a RawValue>,
    /// Set where a stream broke off and what came of it is void.
    #[serde(borrow)]
    pub(super) abandoned_blocks: Option<&'a RawValue>,
}

/// A piece of a streamed message, in the words of the Messages API.
#[derive(Debug, Deserialize)]
pub(super) struct StreamEvent<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) delta: Option<Delta<'a>>,
    #[serde(borrow)]
    pub(super) content_block: Option<ContentBlock<'a>>,
    #[serde(borrow)]
    pub(super) message: Option<Message<'a>>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) usage: Option<TokenUsage>,
}

/// What a `content_block_delta` brings.
#[derive(Debug, Deserialize)]
pub(super) struct Delta<'a> {
    #[serde(borrow)]
    pub(super) text: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) thinking: Option<Text<'a>>,
}

/// A message of the model or, with tool results, of the user.
#[derive(Debug, Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) usage: Option<TokenUsage>,
}

/// A block of a message.
#[derive(Debug, Deserialize)]
pub(super) struct ContentBlock<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Text<'a>,
    #[serde(borrow)]
    pub(super) text: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) thinking: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) input: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) tool_use_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) is_error: Option<bool>,
}

/// Tokens as the Messages API counts them.
#[expect(clippy::struct_field_names, reason = "the API's names")]
#[derive(Debug, Default, Clone, Copy, Deserialize)]
pub(super) struct TokenUsage {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) input_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) output_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) cache_read_input_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) cache_creation_input_tokens: Option<u64>,
}

/// Tokens of one model, as claude adds them up.
#[expect(clippy::struct_field_names, reason = "claude's names")]
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ModelUsage {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) input_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) output_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) cache_read_input_tokens: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) cache_creation_input_tokens: Option<u64>,
}

/// The line that ends a turn.
#[derive(Debug, Deserialize)]
pub(super) struct ResultLine {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) subtype: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) is_error: Option<bool>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) result: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) errors: Option<Vec<String>>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) stop_reason: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) terminal_reason: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) num_turns: Option<u64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) session_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) api_error_status: Option<u16>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) api_error: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) total_cost_usd: Option<f64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) usage: Option<TokenUsage>,
    /// Set on a turn that nobody prompted, for example when a background task reports back.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) origin: Option<Origin>,
    #[serde(rename = "modelUsage", default, deserialize_with = "lenient")]
    pub(super) model_usage: Option<HashMap<String, ModelUsage>>,
}

/// Where a turn came from.
#[derive(Debug, Deserialize)]
pub(super) struct Origin {
    #[serde(rename = "kind")]
    _kind: String,
}

/// The `init` line.
#[derive(Debug, Deserialize)]
pub(super) struct InitLine {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) session_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) model: Option<String>,
    #[serde(rename = "permissionMode", default, deserialize_with = "lenient")]
    pub(super) permission_mode: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) claude_code_version: Option<String>,
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

/// The other system lines that are looked into.
#[derive(Debug, Deserialize)]
pub(super) struct SystemLine {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) status: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) compact_result: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) compact_error: Option<String>,
}

/// An `api_retry` line on its way to the detail of a status.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all(serialize = "camelCase"))]
pub(super) struct Retry {
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    attempt: Option<u64>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    max_retries: Option<u64>,
    #[serde(
        rename(deserialize = "retry_delay_ms"),
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    delay_ms: Option<f64>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    error_status: Option<u16>,
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// A `command_lifecycle` line.
#[derive(Debug, Deserialize)]
pub(super) struct CommandLifecycle {
    pub(super) command_uuid: String,
    pub(super) state: String,
}

/// What claude asks of the host.
#[derive(Debug, Deserialize)]
pub(super) struct ControlRequest<'a> {
    pub(super) subtype: String,
    #[serde(default)]
    pub(super) tool_name: Option<String>,
    #[serde(borrow)]
    pub(super) input: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) permission_suggestions: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) tool_use_id: Option<String>,
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
    pub(super) content: &'a str,
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

/// Takes a field whatever it holds; what does not fit counts as absent.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).ok())
}
