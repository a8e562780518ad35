//! What a line of a conversation's file says: a [`Record`] as it is written, a [`Line`] as it is read.
//!
//! Writing is exact, reading is lenient: a line needs nothing but to be an object with a `type`; whatever else it has
//! is kept, and a type that is not known is kept too. Only a line that is no JSON, or a known type with a field of
//! the wrong kind, is bad.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::agent::ImageInfo;
use crate::stream::Usage;

/// The schema that is written, and the newest that is read.
pub const SCHEMA: u64 = 1;

/// One line of a conversation's file.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
#[expect(missing_docs, reason = "the fields are named as in the file, which `docs/sessions.md` describes")]
pub enum Record {
    /// The header, first in its file.
    Session(Header),
    /// A prompt was accepted.
    Prompt {
        run_id: String,
        content: String,
        provider: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        model: Option<String>,
        /// Without their pixels.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        images: Vec<ImageInfo>,
    },
    /// A piece of the answer: what came since the last such record of the run.
    Text { run_id: String, content: String },
    /// A tool began to run.
    ToolUse {
        run_id: String,
        id: String,
        tool: String,
        parameters: Value,
        #[serde(skip_serializing_if = "Option::is_none")]
        parent_tool_use_id: Option<String>,
    },
    /// A tool ended.
    ToolResult {
        run_id: String,
        id: String,
        tool: String,
        success: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        duration_ms: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        parent_tool_use_id: Option<String>,
    },
    /// An attempt at a turn failed, and another one was to follow.
    Retry {
        run_id: String,
        attempt: u32,
        error_code: String,
        error: String,
        delay_ms: u64,
        /// `repeat`: what was said in the run before is void; `continue`: it is not.
        how: String,
    },
    /// A turn was over.
    Turn(Turn),
    /// Something about the session changed.
    State(State),
    /// The bytes of a record that was never finished were dropped here.
    Repair { dropped_bytes: u64 },
}

/// The first record of a file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// See [`SCHEMA`].
    pub schema: u64,
    /// The id of the session.
    pub id: String,
    /// Milliseconds since the epoch.
    pub created_at: u64,
    /// Where the agent works.
    pub project_path: String,
    /// The agent's name.
    pub provider: String,
    /// The model that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What a person calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The id of the session that it was copied from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked_from: Option<String>,
    /// The id, elsewhere, of the session that it was imported or converted from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported_from: Option<String>,
}

/// How a turn ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are named as in the file, which `docs/sessions.md` describes")]
pub struct Turn {
    pub run_id: String,
    pub success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub duration_ms: u64,
    pub tools_used: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_session_id: Option<String>,
    /// The answer, where the text records of the run do not end with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// What changed about a session; what did not is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are named as in the file, which `docs/sessions.md` describes")]
pub struct State {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Value>,
    /// What is always allowed in the conversation: for whoever asks for permission, who seals it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<Value>,
}

#[derive(Serialize)]
struct Stamped<'a> {
    #[serde(flatten)]
    record: &'a Record,
    timestamp: u64,
}

impl Record {
    /// Appends the record to `lines` as one line. `timestamp` is in milliseconds since the epoch.
    pub fn write(&self, timestamp: u64, lines: &mut Vec<u8>) {
        // Strings, numbers and string keys always serialize, and a `Vec` takes every byte.
        if serde_json::to_writer(&mut *lines, &Stamped { timestamp, record: self }).is_ok() {
            lines.push(b'\n');
        }
    }

    /// Whether it is to survive a power cut as soon as it is acknowledged.
    pub fn is_durable(&self) -> bool {
        matches!(self, Self::Prompt { .. } | Self::Turn(_))
    }

    /// Changes every text that came from outside.
    pub(super) fn for_each_text(&mut self, change: &mut dyn FnMut(&mut String)) {
        match self {
            Self::Session(header) => header.title.iter_mut().for_each(change),
            Self::Prompt { content, images, .. } => {
                change(content);
                for image in images {
                    change(&mut image.name);
                }
            }
            Self::Text { content, .. } => change(content),
            Self::ToolUse { parameters, .. } => for_each_string(parameters, change),
            Self::Retry { error, .. } => change(error),
            Self::ToolResult { error, .. } => error.iter_mut().for_each(change),
            Self::Turn(turn) => turn.error.iter_mut().chain(&mut turn.content).for_each(change),
            Self::State(state) => {
                state.title.iter_mut().for_each(&mut *change);
                let values = state.context.iter_mut().chain(&mut state.rules);
                values.for_each(|value| for_each_string(value, change));
            }
            Self::Repair { .. } => {}
        }
    }
}

/// Changes every string of a JSON value; keys stay.
pub(super) fn for_each_string(value: &mut Value, change: &mut dyn FnMut(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(values) => values.iter_mut().for_each(|value| for_each_string(value, change)),
        Value::Object(fields) => fields.values_mut().for_each(|value| for_each_string(value, change)),
        _ => {}
    }
}

/// A text that is borrowed from its line where it has no escapes.
#[derive(Debug, Default, Deserialize)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl Text<'_> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A line as it is read: every field of every type, each where it was given.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields of `Record`")]
pub struct Line<'a> {
    #[serde(borrow, rename = "type")]
    pub kind: Text<'a>,
    #[serde(default)]
    pub timestamp: u64,
    pub schema: Option<u64>,
    #[serde(borrow)]
    pub id: Option<Text<'a>>,
    pub created_at: Option<u64>,
    #[serde(borrow)]
    pub project_path: Option<Text<'a>>,
    #[serde(borrow)]
    pub provider: Option<Text<'a>>,
    #[serde(borrow)]
    pub model: Option<Text<'a>>,
    #[serde(borrow)]
    pub title: Option<Text<'a>>,
    #[serde(borrow)]
    pub forked_from: Option<Text<'a>>,
    #[serde(borrow)]
    pub imported_from: Option<Text<'a>>,
    #[serde(borrow)]
    pub run_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub content: Option<Text<'a>>,
    pub success: Option<bool>,
    #[serde(borrow)]
    pub error_code: Option<Text<'a>>,
    pub duration_ms: Option<u64>,
    pub tools_used: Option<Vec<String>>,
    #[serde(borrow)]
    pub usage: Option<&'a RawValue>,
    #[serde(borrow)]
    pub agent_session_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub context: Option<&'a RawValue>,
    pub dropped_bytes: Option<u64>,
    #[serde(borrow)]
    pub how: Option<Text<'a>>,
    #[serde(borrow)]
    pub images: Option<&'a RawValue>,
    #[serde(borrow)]
    pub parent_tool_use_id: Option<Text<'a>>,
}

/// The types that this version writes; of any other it only knows that it is one.
const KNOWN: &[&str] =
    &["session", "prompt", "text", "tool_use", "tool_result", "retry", "turn", "state", "repair"];

impl<'a> Line<'a> {
    /// Reads a line; the error says why it is bad.
    pub fn parse(line: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(line).or_else(|error| Self::of_unknown_type(line).ok_or(error))
    }

    /// A type of a later version may use our names for other things.
    fn of_unknown_type(line: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Kind {
            #[serde(rename = "type")]
            kind: String,
            #[serde(default)]
            timestamp: u64,
        }
        let Kind { kind, timestamp } = serde_json::from_str(line).ok()?;
        if KNOWN.contains(&kind.as_str()) {
            return None;
        }
        Some(Self { kind: Text(Cow::Owned(kind)), timestamp, ..Self::default() })
    }
}
