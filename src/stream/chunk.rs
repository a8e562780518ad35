//! What an agent said, in words that all agents share.
//!
//! A [`Chunk`] borrows from the line that it was decoded from, so that the text deltas, which are nearly all of a
//! stream, cost no allocation. It serializes to the `StreamChunk` of the TypeScript API.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::error::ErrorReport;
use crate::usage::Usage;

/// JSON as the agent wrote it; nothing in the core looks inside.
pub type Json<'a> = Cow<'a, RawValue>;

/// What a tool returned. Most return text, much of it at times, which is then not written and read as JSON once more.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum ToolData<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// Anything else.
    Json(Json<'a>),
}

/// `value` as JSON.
///
/// # Panics
/// Never: it is for types of this crate, whose keys are strings and whose numbers are finite.
pub fn json_of<T: Serialize>(value: &T) -> Json<'static> {
    match to_raw_value(value) {
        Ok(json) => Cow::Owned(json),
        Err(error) => unreachable!("a type of this crate does not serialize: {error}"),
    }
}

/// One thing that an agent said. `parent_tool_use_id` is set on what a subagent says.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Chunk<'a> {
    /// A piece of the answer.
    TextDelta {
        /// The piece.
        content: Cow<'a, str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[expect(missing_docs, reason = "documented on the enum")]
        parent_tool_use_id: Option<Cow<'a, str>>,
    },
    /// The model thinks.
    Thinking {
        /// A piece of the thought, where the agent shows it.
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<Cow<'a, str>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[expect(missing_docs, reason = "documented on the enum")]
        parent_tool_use_id: Option<Cow<'a, str>>,
    },
    /// The model began to ask for a tool.
    ToolUse {
        /// The tool's name.
        tool: Cow<'a, str>,
        /// The id that ties the request, its parameters and its result together.
        id: Cow<'a, str>,
        /// Its input, where the agent gives it at once; no [`Chunk::ToolParameters`] follows then.
        #[serde(skip_serializing_if = "Option::is_none")]
        parameters: Option<Json<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[expect(missing_docs, reason = "documented on the enum")]
        parent_tool_use_id: Option<Cow<'a, str>>,
    },
    /// The input of a tool is complete.
    ToolParameters {
        /// The tool's name.
        tool: Cow<'a, str>,
        /// The id of the tool use.
        id: Cow<'a, str>,
        /// Its whole input.
        parameters: Json<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[expect(missing_docs, reason = "documented on the enum")]
        parent_tool_use_id: Option<Cow<'a, str>>,
    },
    /// A tool has run, failed or was refused.
    ToolResult {
        /// The tool's name.
        tool: Cow<'a, str>,
        /// The id of the tool use.
        id: Cow<'a, str>,
        /// Whether it did what was asked.
        success: bool,
        /// What went wrong.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<Cow<'a, str>>,
        /// Milliseconds from the complete input to the result; time spent on asking for permission included.
        duration: u64,
        /// What it returned, in the agent's own shape.
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<ToolData<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[expect(missing_docs, reason = "documented on the enum")]
        parent_tool_use_id: Option<Cow<'a, str>>,
    },
    /// What the agent is doing beside answering.
    Status {
        /// `starting`, `requesting`, `retrying`, `compacting`, … or an agent's own word.
        status: Cow<'a, str>,
        /// Facts about it.
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<Json<'a>>,
    },
    /// The agent asks whether it may use a tool.
    PermissionRequest {
        /// The id of the question, to answer it with.
        id: Cow<'a, str>,
        /// The tool's name.
        tool: Cow<'a, str>,
        /// Its whole input.
        parameters: Json<'a>,
        /// The id of the tool use, where the agent names it.
        #[serde(skip_serializing_if = "Option::is_none")]
        tool_use_id: Option<Cow<'a, str>>,
        /// Rules that the agent suggests to add, in its own shape.
        #[serde(skip_serializing_if = "Option::is_none")]
        suggestions: Option<Json<'a>>,
    },
    /// What this turn has used so far.
    Usage(Usage),
    /// The turn is over; always the last chunk of a turn.
    Result(TurnResult<'a>),
    /// The turn failed; a [`Chunk::Result`] follows.
    Error(ErrorReport),
    /// A line that could not be understood.
    Unparsed {
        /// The line, capped.
        line: Cow<'a, str>,
        /// Why it could not be understood.
        reason: Cow<'a, str>,
    },
}

/// How a turn ended.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TurnResult<'a> {
    /// The final answer; empty where there is none.
    pub content: Cow<'a, str>,
    /// Whether the agent did the turn to its end.
    pub success: bool,
    /// Why it stopped: the agent's word (`end_turn`, …), or `cancelled`, `error`.
    pub stop_reason: Cow<'a, str>,
    /// What the turn used.
    pub usage: Usage,
    /// Milliseconds from the prompt to this result.
    pub duration_ms: u64,
    /// Model requests made.
    pub turns: u64,
    /// The agent's own id of the conversation, to resume it with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_session_id: Option<Cow<'a, str>>,
}
