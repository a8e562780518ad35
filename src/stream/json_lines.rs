//! What an agent says and thinks, as lines of `locus exec --json-stream` (protocol 1):
//!
//! ```text
//! {"protocol":1,"type":"text_delta","sessionId":"…","timestamp":1700000000000,"payload":{"content":"…"}}
//! ```
//!
//! They are nearly all lines of a stream. The others are few, and whoever shows the run writes them.

use crate::stream::Chunk;

/// Writes what is said in one session as lines.
#[derive(Debug)]
pub(crate) struct JsonLines {
    session_id: String,
    timestamp: u64,
    /// How the lines of this time begin.
    text: String,
    thinking: String,
}

/// What a chunk became.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// A line of the answer.
    Answer,
    /// Another line, or none because the protocol has none for it.
    Other,
    /// It is not for lines of this kind.
    Not,
}

impl JsonLines {
    pub(crate) fn new(session_id: &str) -> Self {
        let mut escaped = Vec::new();
        escape(&mut escaped, session_id);
        let session_id = String::from_utf8_lossy(&escaped).into_owned();
        let mut lines = Self { session_id, timestamp: 0, text: String::new(), thinking: String::new() };
        lines.set_time(0);
        lines
    }

    fn set_time(&mut self, timestamp: u64) {
        let id = &self.session_id;
        let begin = |kind: &str| {
            format!(
                r#"{{"protocol":1,"type":"{kind}","sessionId":"{id}","timestamp":{timestamp},"payload":{{"content":""#
            )
        };
        (self.text, self.thinking) = (begin("text_delta"), begin("thinking"));
        self.timestamp = timestamp;
    }

    /// Adds the line of a chunk, if it is text or thinking. `timestamp` is in milliseconds since the epoch.
    pub(crate) fn write(&mut self, lines: &mut Vec<u8>, timestamp: u64, chunk: &Chunk<'_>) -> Written {
        if timestamp != self.timestamp {
            self.set_time(timestamp);
        }
        let (begin, content, written) = match chunk {
            Chunk::TextDelta { content, parent_tool_use_id: None } => (&self.text, content, Written::Answer),
            // What a subagent says is not the answer.
            Chunk::TextDelta { .. } => return Written::Other,
            Chunk::Thinking { content: Some(content), .. } => (&self.thinking, content, Written::Other),
            _ => return Written::Not,
        };
        lines.extend_from_slice(begin.as_bytes());
        escape(lines, content);
        lines.extend_from_slice(b"\"}}\n");
        written
    }
}

/// The bytes that a character may begin with that is not written as it is.
const SUSPECT: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    let mut others: &[u8] = &[b'"', b'\\', 0x7f, 0xc2, 0xd8, 0xe2, 0xef];
    while let [first, rest @ ..] = others {
        table[*first as usize] = true;
        others = rest;
    }
    table
};

/// Adds a text as the inside of a JSON string in which nothing is left that a terminal would obey.
fn escape(json: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = bytes[at..].iter().position(|byte| SUSPECT[usize::from(*byte)]) {
        at += found;
        let Some(character) = text[at..].chars().next() else { break };
        let end = at + character.len_utf8();
        if let Some(escaped) = escaped(character) {
            json.extend_from_slice(&bytes[copied..at]);
            json.extend_from_slice(&escaped);
            copied = end;
        }
        at = end;
    }
    json.extend_from_slice(&bytes[copied..]);
}

/// What is written in place of a character; `None` where it is written as it is.
fn escaped(character: char) -> Option<Vec<u8>> {
    let short = |letter| Some(vec![b'\\', letter]);
    match character {
        '"' | '\\' => short(character as u8),
        '\u{8}' => short(b'b'),
        '\t' => short(b't'),
        '\n' => short(b'n'),
        '\u{c}' => short(b'f'),
        '\r' => short(b'r'),
        // Control characters, and those that order text from right to left, break lines or mark bytes.
        '\0'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}' => Some(format!("\\u{:04x}", u32::from(character)).into_bytes()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn text(content: &str) -> Chunk<'_> {
        Chunk::TextDelta { content: content.into(), parent_tool_use_id: None }
    }

    fn line_of(chunk: &Chunk<'_>) -> String {
        let mut lines = Vec::new();
        JsonLines::new("a\"b").write(&mut lines, 1_700_000_000_000, chunk);
        String::from_utf8(lines).unwrap()
    }

    #[test]
    fn what_is_said_and_what_is_thought_are_lines() {
        let thought = Chunk::Thinking { content: Some("why".into()), parent_tool_use_id: Some("t".into()) };
        let line = r#""sessionId":"a\"b","timestamp":1700000000000,"payload":{"content":"#;
        assert_eq!(
            line_of(&text("hi\n")),
            format!("{{\"protocol\":1,\"type\":\"text_delta\",{line}\"hi\\n\"}}}}\n")
        );
        assert_eq!(line_of(&thought), format!("{{\"protocol\":1,\"type\":\"thinking\",{line}\"why\"}}}}\n"));
    }

    #[test]
    fn the_rest_is_not() {
        let mut lines = Vec::new();
        let mut writer = JsonLines::new("s");
        let subagent = Chunk::TextDelta { content: "a".into(), parent_tool_use_id: Some("t".into()) };
        let silent = Chunk::Thinking { content: None, parent_tool_use_id: None };
        let status = Chunk::Status { status: "starting".into(), detail: None };
        assert_eq!(writer.write(&mut lines, 1, &subagent), Written::Other);
        assert_eq!(writer.write(&mut lines, 1, &silent), Written::Not);
        assert_eq!(writer.write(&mut lines, 1, &status), Written::Not);
        assert!(lines.is_empty());
    }

    #[test]
    fn each_line_has_its_time() {
        let mut lines = Vec::new();
        let mut writer = JsonLines::new("s");
        for timestamp in [5, 5, 6] {
            assert_eq!(writer.write(&mut lines, timestamp, &text("a")), Written::Answer);
        }
        let lines = String::from_utf8(lines).unwrap();
        let times: Vec<Value> = lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["timestamp"].clone())
            .collect();
        assert_eq!(times, [5, 5, 6]);
    }

    #[test]
    fn every_character_that_is_obeyed_is_escaped_and_no_other() {
        let obeyed = |code: u32| {
            matches!(code, 0..=0x1f | 0x7f..=0x9f | 0x61c | 0x200e | 0x200f | 0x2028..=0x202e)
                || matches!(code, 0x2066..=0x2069 | 0xfeff)
        };
        for character in (0..=0x1_1000).filter_map(char::from_u32) {
            let mut json = Vec::new();
            escape(&mut json, &character.to_string());
            let expected = obeyed(u32::from(character)) || matches!(character, '"' | '\\');
            assert_eq!(json.starts_with(b"\\"), expected, "{character:?}");
        }
    }

    proptest! {
        #[test]
        fn the_text_is_what_was_said(content in "(\\PC|[\\x00-\\x1f\"\\\\]|\u{9b}|\u{202e}|\u{feff}|🦀){0,60}") {
            let line = line_of(&text(&content));
            prop_assert_eq!(line.lines().count(), 1);
            let value: Value = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(value["payload"]["content"].as_str(), Some(&*content));
        }
    }
}
