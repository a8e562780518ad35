//! A conversation as its records tell it: its messages, and what is worth knowing of it at a glance.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::paragraphs::Paragraphs;
use super::reader::Problem;
use super::record::{Header, Line, SCHEMA, Text};
use crate::usage::{CostSource, Usage};

/// The longest preview, in characters.
const PREVIEW_LIMIT: usize = 200;

/// Who wrote a session's file, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub enum Format {
    /// This package.
    #[default]
    #[serde(rename = "locus-exec")]
    LocusExec,
    /// A `<id>.json` in the folder of the history.
    #[serde(rename = "plan-json")]
    PlanJson,
    /// Locus 0.14.x.
    #[serde(rename = "locus-0.14")]
    Locus014,
    /// Locus 0.26.x.
    #[serde(rename = "locus-0.26")]
    Locus026,
}

/// A session at a glance.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each says something of its own")]
pub struct SessionSummary {
    /// Its id.
    pub id: String,
    /// What a person calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The beginning of the first prompt, one line.
    pub preview: String,
    /// Milliseconds since the epoch.
    pub created_at: u64,
    /// When something was last said, in milliseconds since the epoch.
    pub updated_at: u64,
    /// The agent of its last turn.
    pub provider: String,
    /// The model that was last asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How many prompts it has.
    pub turns: u64,
    /// How many messages it has.
    pub messages: u64,
    /// Of its file.
    pub size_bytes: u64,
    /// US dollars, where they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Who says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_source: Option<CostSource>,
    /// Whether that is only a part of the cost.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub cost_partial: bool,
    /// Whether its last turn has no end; while it is open, that turn may be under way.
    pub interrupted: bool,
    /// Whether its file is compressed.
    pub compressed: bool,
    /// Who wrote its file, and how.
    pub format: Format,
    /// Whether a process has it open.
    pub open: bool,
}

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the words say it")]
pub enum Role {
    User,
    Assistant,
}

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredMessage {
    /// Who said it.
    pub role: Role,
    /// What.
    pub content: String,
    /// When, in milliseconds since the epoch.
    pub timestamp: u64,
    /// The run that it belongs to.
    pub run_id: String,
    /// About an answer, or the images of a prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<MessageMetadata>,
}

/// What is known of a message beside what was said.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageMetadata {
    /// The tools of the turn, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools_used: Vec<String>,
    /// Milliseconds from the prompt to the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// Set where the turn has no end.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    /// Why the turn failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// What the turn used, as in its record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<serde_json::Value>,
    /// The images of a prompt, as in its record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<serde_json::Value>,
}

/// A whole session.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredSession {
    /// The first record of its file.
    #[serde(flatten)]
    pub header: Header,
    /// It at a glance.
    pub summary: SessionSummary,
    /// What was said, in order.
    pub messages: Vec<StoredMessage>,
    /// All records as they are in the file.
    pub records: Vec<Box<RawValue>>,
    /// The last conversation of each agent, by the agent's name, to resume it with.
    pub agent_sessions: BTreeMap<String, String>,
    /// What is known of artifacts and tasks, as it was saved last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Box<RawValue>>,
    /// What could not be understood.
    pub problems: Vec<Problem>,
}

/// Gathers a conversation from its lines.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    pub(super) header: Option<Header>,
    pub(super) messages: Vec<StoredMessage>,
    pub(super) agent_sessions: BTreeMap<String, String>,
    pub(super) context: Option<Box<RawValue>>,
    title: Option<String>,
    provider: String,
    model: Option<String>,
    turns: u64,
    used: Usage,
    first: Option<u64>,
    last: u64,
    /// Of the answer under way.
    paragraphs: Paragraphs,
}

impl Transcript {
    /// Takes the next line.
    pub(super) fn line(&mut self, line: &Line<'_>) {
        let text = |field: &Option<Text<'_>>| field.as_ref().map(|text| text.as_str().to_owned());
        if line.timestamp > 0 {
            self.first.get_or_insert(line.timestamp);
        }
        let kind = line.kind.as_str();
        if !matches!(kind, "session" | "state") {
            self.last = self.last.max(line.timestamp);
        }
        match kind {
            "session" if self.header.is_none() => {
                let header = Header {
                    schema: line.schema.unwrap_or(SCHEMA),
                    id: text(&line.id).unwrap_or_default(),
                    created_at: line.created_at.unwrap_or(line.timestamp),
                    project_path: text(&line.project_path).unwrap_or_default(),
                    provider: text(&line.provider).unwrap_or_default(),
                    model: text(&line.model),
                    title: text(&line.title),
                    forked_from: text(&line.forked_from),
                    imported_from: text(&line.imported_from),
                };
                self.provider.clone_from(&header.provider);
                self.model.clone_from(&header.model);
                self.title.clone_from(&header.title);
                self.header = Some(header);
            }
            "prompt" => {
                self.turns += 1;
                if let Some(provider) = text(&line.provider) {
                    self.provider = provider;
                    self.model = text(&line.model);
                }
                let run_id = text(&line.run_id).unwrap_or_default();
                let message = |role, content, metadata| StoredMessage {
                    role,
                    content,
                    timestamp: line.timestamp,
                    run_id: run_id.clone(),
                    metadata,
                };
                let images = line.images.and_then(|images| serde_json::from_str(images.get()).ok());
                let about = images.map(|images| MessageMetadata { images, ..MessageMetadata::default() });
                self.paragraphs = Paragraphs::default();
                self.messages.push(message(Role::User, text(&line.content).unwrap_or_default(), about));
                let unanswered = MessageMetadata { interrupted: true, ..MessageMetadata::default() };
                self.messages.push(message(Role::Assistant, String::new(), Some(unanswered)));
            }
            "text" => {
                let content = line.content.as_ref().map_or("", |content| content.as_str());
                let gap = self.paragraphs.before(content);
                self.answer(line).content.extend([gap, content]);
            }
            "tool_use" if line.parent_tool_use_id.is_none() => self.paragraphs.tool_used(),
            "retry" if line.how.as_ref().is_some_and(|how| how.as_str() == "repeat") => {
                // It is said again.
                self.paragraphs = Paragraphs::default();
                self.answer(line).content.clear();
            }
            "turn" => self.turn_ended(line),
            "state" => {
                if let Some(provider) = text(&line.provider) {
                    self.provider = provider;
                    self.model = None;
                }
                if let Some(model) = text(&line.model) {
                    self.model = Some(model);
                }
                if let Some(title) = text(&line.title) {
                    self.title = Some(title).filter(|title| !title.is_empty());
                }
                if let Some(context) = line.context {
                    self.context = Some(context.to_owned());
                }
                self.agent_session(line);
            }
            _ => {}
        }
    }

    fn turn_ended(&mut self, line: &Line<'_>) {
        let usage: Option<serde_json::Value> =
            line.usage.and_then(|usage| serde_json::from_str(usage.get()).ok());
        if let Some(usage) = usage.as_ref().and_then(|usage| Usage::deserialize(usage).ok()) {
            self.used = self.used.plus(&usage);
        }
        let answer = self.answer(line);
        if let Some(content) = line.content.as_ref().map(Text::as_str).filter(|text| !text.is_empty()) {
            content.clone_into(&mut answer.content);
        }
        answer.timestamp = line.timestamp;
        answer.metadata = Some(MessageMetadata {
            tools_used: line.tools_used.clone().unwrap_or_default(),
            duration_ms: line.duration_ms,
            interrupted: false,
            error_code: line.error_code.as_ref().map(|code| code.as_str().to_owned()),
            usage,
            images: None,
        });
        self.agent_session(line);
    }

    fn agent_session(&mut self, line: &Line<'_>) {
        if let Some(id) = &line.agent_session_id {
            self.agent_sessions.insert(self.provider.clone(), id.as_str().to_owned());
        }
    }

    /// The answer that a line belongs to: that of its run; one without a prompt begins with it.
    fn answer(&mut self, line: &Line<'_>) -> &mut StoredMessage {
        let run_id = line.run_id.as_ref().map_or("", |id| id.as_str());
        let known = self
            .messages
            .iter()
            .rposition(|message| message.role == Role::Assistant && message.run_id == run_id);
        let index = known.unwrap_or_else(|| {
            self.messages.push(StoredMessage {
                role: Role::Assistant,
                content: String::new(),
                timestamp: line.timestamp,
                run_id: run_id.to_owned(),
                metadata: Some(MessageMetadata { interrupted: true, ..MessageMetadata::default() }),
            });
            self.messages.len() - 1
        });
        &mut self.messages[index]
    }

    /// The session at a glance. What only its file knows (size, format, …) is the caller's to add.
    pub(super) fn summary(&self, id: &str) -> SessionSummary {
        let prompts = self.messages.iter().filter(|message| message.role == Role::User);
        let created_at = match &self.header {
            Some(header) if header.created_at > 0 => header.created_at,
            _ => self.first.unwrap_or(0),
        };
        SessionSummary {
            id: id.to_owned(),
            title: self.title.clone(),
            preview: prompts.clone().map(|prompt| one_line(&prompt.content)).next().unwrap_or_default(),
            created_at,
            updated_at: self.last.max(created_at),
            provider: self.provider.clone(),
            model: self.model.clone(),
            turns: self.turns,
            messages: self.messages.len() as u64,
            cost_usd: self.used.cost_usd,
            cost_source: self.used.cost_source,
            cost_partial: self.used.cost_partial,
            interrupted: self
                .messages
                .last()
                .is_some_and(|last| last.metadata.as_ref().is_some_and(|metadata| metadata.interrupted)),
            ..SessionSummary::default()
        }
    }
}

/// The beginning of a text, without line breaks or other control characters.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().take(PREVIEW_LIMIT));
        if let Some((end, _)) = line.char_indices().nth(PREVIEW_LIMIT) {
            line.truncate(end);
            break;
        }
    }
    line.truncate(line.trim_end().len());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript(lines: &[&str]) -> Transcript {
        let mut transcript = Transcript::default();
        for line in lines {
            transcript.line(&Line::parse(line).unwrap());
        }
        transcript
    }

    #[test]
    fn a_preview_is_one_line_of_200_characters() {
        assert_eq!(one_line("  two\n\t words\u{7}here "), "two words here");
        assert_eq!(one_line(&"é ".repeat(500)).chars().count(), 199);
        assert_eq!(one_line(&"é".repeat(500)).chars().count(), 200);
    }

    #[test]
    fn a_prompt_without_a_turn_is_an_interrupted_turn() {
        let lines = [
            r#"{"type":"prompt","timestamp":5,"runId":"a","content":"hi","provider":"claude"}"#,
            r#"{"type":"text","timestamp":6,"runId":"a","content":"so "}"#,
            r#"{"type":"text","timestamp":7,"runId":"a","content":"far"}"#,
        ];
        let interrupted = transcript(&lines);
        assert!(interrupted.summary("x").interrupted);
        assert_eq!(interrupted.messages[1].content, "so far");
        assert!(interrupted.messages[1].metadata.as_ref().unwrap().interrupted);
        let end = r#"{"type":"turn","timestamp":9,"runId":"a","success":true,"durationMs":4,"toolsUsed":["Read"],
                      "usage":{"input":1,"output":2,"cacheRead":0,"cacheWrite":0,"costUsd":0.5},
                      "agentSessionId":"s1"}"#;
        let done = transcript(&[&lines[..], &[end]].concat());
        let summary = done.summary("x");
        assert!(!summary.interrupted);
        assert_eq!((summary.created_at, summary.updated_at, summary.cost_usd), (5, 9, Some(0.5)));
        assert_eq!((summary.turns, summary.messages), (1, 2));
        assert_eq!(done.messages[1].metadata.as_ref().unwrap().tools_used, ["Read"]);
        assert_eq!(done.agent_sessions["claude"], "s1");
    }

    #[test]
    fn a_cost_of_which_a_part_is_unknown_is_a_part() {
        let turn = |run: &str, usage: &str| {
            format!(r#"{{"type":"turn","runId":"{run}","success":true,"usage":{usage}}}"#)
        };
        let known = turn(
            "a",
            r#"{"input":1,"output":2,"cacheRead":0,"cacheWrite":0,"costUsd":0.5,"costSource":"prices"}"#,
        );
        let unknown = turn("b", r#"{"input":1,"output":2,"cacheRead":0,"cacheWrite":0}"#);
        let cost = |lines: &[&str]| {
            let summary = transcript(lines).summary("x");
            (summary.cost_usd, summary.cost_source, summary.cost_partial)
        };
        assert_eq!(cost(&[&known]), (Some(0.5), Some(CostSource::Prices), false));
        assert_eq!(cost(&[&known, &unknown]), (Some(0.5), Some(CostSource::Prices), true));
        assert_eq!(cost(&[&unknown]), (None, None, false));
    }

    #[test]
    fn the_agents_conversations_are_kept_apart() {
        let transcript = transcript(&[
            r#"{"type":"prompt","runId":"a","content":"1","provider":"claude","model":"opus"}"#,
            r#"{"type":"turn","runId":"a","success":true,"agentSessionId":"c1"}"#,
            r#"{"type":"prompt","runId":"b","content":"2","provider":"codex"}"#,
            r#"{"type":"turn","runId":"b","success":true,"agentSessionId":"x1"}"#,
        ]);
        assert_eq!(transcript.agent_sessions["claude"], "c1");
        assert_eq!(transcript.agent_sessions["codex"], "x1");
        let summary = transcript.summary("x");
        assert_eq!((summary.provider.as_str(), summary.model), ("codex", None));
    }
}
