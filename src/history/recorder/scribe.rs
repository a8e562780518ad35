//! Makes the lines of what was observed: secrets taken out, long texts cut, nothing said twice.

use serde_json::Value;

use super::note::Note;
use super::said::Said;
use crate::history::cut_before;
use crate::history::record::{Record, for_each_string};
use crate::history::redact::Redactor;
use crate::history::store::redact_text;

/// The longest string in the parameters of a tool that is kept whole, in bytes.
pub(super) const STRING_LIMIT: usize = 4 * 1024;

/// The longest parameters of a tool, in bytes of JSON.
const PARAMETERS_LIMIT: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Scribe {
    redactor: Redactor,
    said: Said,
}

impl Scribe {
    pub(super) fn new(redactor: Redactor) -> Self {
        Self { redactor, said: Said::default() }
    }

    /// Adds what is noted to `lines`; whether it is to be durable at once.
    pub(super) fn write(&mut self, note: Note, lines: &mut Vec<u8>) -> bool {
        match note {
            Note::Text { timestamp, run_id, content, last } => {
                self.say(timestamp, run_id, &content, last, lines);
                false
            }
            Note::Record { timestamp, mut record } => {
                self.follow(&mut record);
                record.for_each_text(&mut |text| redact_text(&self.redactor, text));
                record.write(timestamp, lines);
                record.is_durable()
            }
            Note::ToolUse { timestamp, run_id, id, tool, parameters, parent } => {
                if parent.is_none() && self.said.run_id == run_id {
                    self.said.paragraphs.tool_used();
                }
                let parameters = self.parameters(&parameters);
                Record::ToolUse { run_id, id, tool, parameters, parent_tool_use_id: parent }
                    .write(timestamp, lines);
                false
            }
        }
    }

    fn say(&mut self, timestamp: u64, run_id: String, piece: &str, last: bool, lines: &mut Vec<u8>) {
        let said = &mut self.said;
        if said.run_id != run_id {
            *said = Said::of(run_id);
        }
        said.remember(piece);
        let content = said.redacted.push(&self.redactor, piece, last);
        if !content.is_empty() {
            Record::Text { run_id: said.run_id.clone(), content }.write(timestamp, lines);
        }
    }

    /// A turn that ends need not repeat what was said in it; one that is repeated begins with nothing.
    fn follow(&mut self, record: &mut Record) {
        match record {
            Record::Turn(turn) => {
                let said = std::mem::take(&mut self.said);
                let content = turn.content.as_deref();
                if said.run_id == turn.run_id && content.is_none_or(|content| said.ends_with(content)) {
                    turn.content = None;
                }
            }
            Record::Retry { how, .. } if how == "repeat" => self.said = Said::default(),
            _ => {}
        }
    }

    fn parameters(&self, json: &str) -> Value {
        let mut parameters = serde_json::from_str(json).unwrap_or_else(|_| unread(json));
        for_each_string(&mut parameters, &mut |text| {
            redact_text(&self.redactor, text);
            if text.len() > STRING_LIMIT {
                *text = capped(text, STRING_LIMIT);
            }
        });
        let length = parameters.to_string().len();
        if length > PARAMETERS_LIMIT {
            return serde_json::json!({ "omitted": format!("{length} bytes") });
        }
        parameters
    }
}

/// Parameters that this version cannot read, as they were.
fn unread(parameters: &str) -> Value {
    serde_json::json!({ "unread": capped(parameters, STRING_LIMIT) })
}

/// The text, or its beginning and how much more there was.
pub(super) fn capped(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let kept = &text[..cut_before(text, limit)];
    format!("{kept}… [{} more bytes]", text.len() - kept.len())
}
