//! The deltas, nearly all of a stream, without a JSON parser.
//!
//! Only a line that is exactly of the shape that claude writes is taken, to its last byte, with strings that are valid
//! and numbers that are numbers. For such a line the result is what serde makes of it (the tests and a fuzz target
//! compare the two); every other line, however slightly different, is left to serde.
//!
//! One delta differs from the next in its text and its uuid; all around these two is the same for a whole block. So the
//! reader keeps the surroundings of lines that it has checked, and compares the next line with them as bytes: equal
//! bytes in an equal place have been checked before.

use std::borrow::Cow;
use std::ops::Range;

use crate::agent::json::{escape, next_odd};

const HEAD: &[u8] = br#"{"type":"stream_event","event":{"type":"content_block_delta","index":"#;
const DELTA: &[u8] = br#","delta":{"type":""#;
const TEXT: &[u8] = br#"text_delta","text":""#;
const THINKING: &[u8] = br#"thinking_delta","thinking":""#;
const INPUT: &[u8] = br#"input_json_delta","partial_json":""#;
const SESSION: &[u8] = br#"}},"session_id":""#;
const PARENT: &[u8] = br#"","parent_tool_use_id":"#;
const UUID: &[u8] = br#","uuid":""#;
const DISPLAY: &[u8] = br#"","thinking_display":""#;
const MESSAGE: &[u8] = br#"","api_message_id":""#;
const TAIL: &[u8] = br#""}"#;

/// How many surroundings are kept: text, thinking and tool input, of the agent and of a few subagents at once.
const MAX_SURROUNDINGS: usize = 8;

/// What a delta brings.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Delta<'a> {
    pub(super) content: Content<'a>,
    pub(super) parent: Option<&'a str>,
}

/// A piece of a block.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content<'a> {
    Text(Cow<'a, str>),
    Thinking(Cow<'a, str>),
    /// A piece of a tool's input, which comes whole later.
    Input,
}

/// Surroundings that are longer than this in all are not kept; claude's have some 250 bytes.
const MAX_KEPT_BYTES: usize = 1024;

/// Reads deltas.
#[derive(Debug, Default)]
pub(super) struct DeltaReader {
    /// The newest first: those of messages that are over are not met again.
    known: Vec<Surroundings>,
}

impl DeltaReader {
    /// The delta that `line` is; `None` if it has to be looked at with serde.
    pub(super) fn read<'a>(&mut self, line: &'a [u8]) -> Option<Delta<'a>> {
        if let Some(delta) = self.known.iter().find_map(|known| known.read(line)) {
            return Some(delta);
        }
        let checked = Checked::of(line)?;
        if line.len() - (checked.text_end - checked.text_start) <= MAX_KEPT_BYTES {
            self.known.truncate(MAX_SURROUNDINGS - 1);
            self.known.insert(0, Surroundings::of(&checked, line));
        }
        Some(checked.delta(line))
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    Thinking,
    Input,
}

impl Kind {
    fn of(self, text: Cow<'_, str>) -> Content<'_> {
        match self {
            Self::Text => Content::Text(text),
            Self::Thinking => Content::Thinking(text),
            Self::Input => Content::Input,
        }
    }
}

/// All of a line but its text and its uuid.
#[derive(Debug)]
struct Surroundings {
    kind: Kind,
    /// Up to the opening quote of the text.
    before: Box<[u8]>,
    /// From behind the closing quote of the text to the opening quote of the uuid.
    between: Box<[u8]>,
    /// Where in `between` the parent is.
    parent: Option<Range<usize>>,
    uuid_length: usize,
    /// From the closing quote of the uuid.
    after: Box<[u8]>,
}

impl Surroundings {
    fn of(checked: &Checked<'_>, line: &[u8]) -> Self {
        let Checked { kind, text_start, text_end, parent, uuid, .. } = checked;
        Self {
            kind: *kind,
            before: line[..*text_start].into(),
            between: line[*text_end..uuid.start].into(),
            parent: parent.as_ref().map(|parent| parent.start - text_end..parent.end - text_end),
            uuid_length: uuid.len(),
            after: line[uuid.end..].into(),
        }
    }

    fn read<'a>(&self, line: &'a [u8]) -> Option<Delta<'a>> {
        let (text, rest) = string(line.strip_prefix(&*self.before)?)?;
        let (uuid, after) = rest.strip_prefix(&*self.between)?.split_at_checked(self.uuid_length)?;
        if after != &*self.after || !is_plain(uuid) {
            return None;
        }
        let parent = match &self.parent {
            Some(range) => Some(str::from_utf8(&rest[range.clone()]).ok()?),
            None => None,
        };
        Some(Delta { content: self.kind.of(text), parent })
    }
}

/// A line whose every byte is as it has to be.
struct Checked<'a> {
    kind: Kind,
    text: Cow<'a, str>,
    text_start: usize,
    /// Behind its closing quote.
    text_end: usize,
    parent: Option<Range<usize>>,
    uuid: Range<usize>,
}

impl<'a> Checked<'a> {
    fn of(line: &'a [u8]) -> Option<Self> {
        let at = |rest: &[u8]| line.len() - rest.len();
        let rest = digits(line.strip_prefix(HEAD)?)?.strip_prefix(DELTA)?;
        let kinds = [(Kind::Text, TEXT), (Kind::Thinking, THINKING), (Kind::Input, INPUT)];
        let (kind, rest) =
            kinds.into_iter().find_map(|(kind, name)| Some((kind, rest.strip_prefix(name)?)))?;
        let text_start = at(rest);
        let (text, rest) = string(rest)?;
        let text_end = at(rest);
        let rest = plain(rest.strip_prefix(SESSION)?)?;
        let rest = rest.strip_prefix(PARENT)?;
        let (parent, rest) = if let Some(rest) = rest.strip_prefix(b"null") {
            (None, rest)
        } else {
            let id = rest.strip_prefix(b"\"")?;
            let rest = plain(id)?;
            (Some(at(id)..at(rest)), rest.strip_prefix(b"\"")?)
        };
        let uuid = rest.strip_prefix(UUID)?;
        let rest = plain(uuid)?;
        let uuid = at(uuid)..at(rest);
        let rest = without_member(DISPLAY, rest)?;
        let rest = without_member(MESSAGE, rest)?;
        (rest == TAIL).then_some(Self { kind, text, text_start, text_end, parent, uuid })
    }

    fn delta(self, line: &'a [u8]) -> Delta<'a> {
        let parent = self.parent.and_then(|parent| str::from_utf8(&line[parent]).ok());
        Delta { content: self.kind.of(self.text), parent }
    }
}

/// What follows a member with a plain string, if it is there.
fn without_member<'a>(name: &[u8], bytes: &'a [u8]) -> Option<&'a [u8]> {
    match bytes.strip_prefix(name) {
        Some(rest) => plain(rest),
        None => Some(bytes),
    }
}

/// What follows a number without sign, fraction or leading zero.
fn digits(bytes: &[u8]) -> Option<&[u8]> {
    let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match bytes.first()? {
        b'0' if count > 1 => None,
        _ => (count > 0).then(|| &bytes[count..]),
    }
}

/// What follows a string of printable ASCII without escapes, from its closing quote on.
fn plain(bytes: &[u8]) -> Option<&[u8]> {
    let length = bytes.iter().position(|byte| *byte == b'"')?;
    let (text, rest) = bytes.split_at(length);
    is_plain(text).then_some(rest)
}

/// Whether these bytes between quotes are a string that is read as it stands.
fn is_plain(bytes: &[u8]) -> bool {
    let is_odd = |byte: u8| !(0x20..0x7f).contains(&byte) | matches!(byte, b'"' | b'\\');
    // None is skipped, so that many are looked at at once.
    !bytes.iter().fold(false, |odd, byte| odd | is_odd(*byte))
}

/// A string, unescaped, and what follows its closing quote.
fn string(bytes: &[u8]) -> Option<(Cow<'_, str>, &[u8])> {
    let end = next_odd(bytes)?;
    match bytes[end] {
        b'"' => Some((Cow::Borrowed(str::from_utf8(&bytes[..end]).ok()?), &bytes[end + 1..])),
        b'\\' => escaped_string(bytes, end),
        _ => None,
    }
}

fn escaped_string(bytes: &[u8], first: usize) -> Option<(Cow<'_, str>, &[u8])> {
    let mut text = String::with_capacity(bytes.len().min(first + 64));
    let mut rest = bytes;
    loop {
        let end = next_odd(rest)?;
        text.push_str(str::from_utf8(&rest[..end]).ok()?);
        match rest[end] {
            b'"' => return Some((Cow::Owned(text), &rest[end + 1..])),
            b'\\' => {
                let (char, length) = escape(&rest[end + 1..])?;
                text.push(char);
                rest = &rest[end + 1 + length..];
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::agent::claude::wire::Line;
    use crate::agent::json::CheckedJson;
    use crate::agent::lenient::object;

    /// What serde makes of a line, in the same words; `None` if it refuses it.
    fn by_serde(line: &[u8]) -> Option<(Option<String>, Option<String>, Option<String>)> {
        let line: Line<'_> = object(CheckedJson::parse(str::from_utf8(line).ok()?).ok()?)?;
        let delta = line.event?.delta?;
        Some((
            delta.text.map(|text| text.as_str().to_owned()),
            delta.thinking.map(|text| text.as_str().to_owned()),
            line.parent_tool_use_id.map(|id| id.as_str().to_owned()),
        ))
    }

    fn in_words(Delta { content, parent }: Delta<'_>) -> (Option<String>, Option<String>, Option<String>) {
        let parent = parent.map(ToOwned::to_owned);
        match content {
            Content::Text(text) => (Some(text.into_owned()), None, parent),
            Content::Thinking(text) => (None, Some(text.into_owned()), parent),
            Content::Input => (None, None, parent),
        }
    }

    /// What a reader makes of a line that has read nothing else.
    fn by_hand(line: &[u8]) -> Option<(Option<String>, Option<String>, Option<String>)> {
        DeltaReader::default().read(line).map(in_words)
    }

    fn line(delta: &str, parent: &str, tail: &str) -> String {
        format!(
            r#"{{"type":"stream_event","event":{{"type":"content_block_delta","index":0,"delta":{delta}}},"session_id":"s-1","parent_tool_use_id":{parent},"uuid":"u-1"{tail}}}"#
        )
    }

    #[test]
    fn every_delta_of_a_real_stream_is_taken_by_hand() {
        let mut taken = 0;
        for case in ["text", "thinking", "tool-bash"] {
            let path = format!("fixtures/transcripts/claude/{case}/stdout.jsonl");
            for line in std::fs::read_to_string(&path).expect(&path).lines() {
                if line.contains(r#""content_block_delta""#) && !line.contains("signature_delta") {
                    assert!(by_hand(line.as_bytes()).is_some(), "{line}");
                    assert_eq!(by_hand(line.as_bytes()), by_serde(line.as_bytes()));
                    taken += 1;
                }
            }
        }
        assert!(taken > 20);
    }

    #[test]
    fn what_is_odd_is_left_to_serde() {
        for odd in [
            line(r#"{"type":"text_delta","text":"\ud83d"}"#, "null", ""),
            line(r#"{"type":"text_delta","text":"\x"}"#, "null", ""),
            line("{\"type\":\"text_delta\",\"text\":\"a\u{1}b\"}", "null", ""),
            line(r#"{"type":"text_delta","text":null}"#, "null", ""),
            line(r#"{"type":"text_delta","text":"a","text":"b"}"#, "null", ""),
            line(r#"{"type":"text_delta","text":"a"}"#, "7", ""),
            line(r#"{"type":"text_delta","text":"a"}"#, "null", r#","abandoned_blocks":{}"#),
            line(r#"{"type":"text_delta","text":"a"}"#, "null", r#","type":"result""#),
            line(r#"{"type":"text_delta","text":"a"}"#, "null", "").replace(r#""index":0"#, r#""index":00"#),
            line(r#"{"type":"text_delta","text":"a"}"#, "null", "") + " ",
        ] {
            assert_eq!(DeltaReader::default().read(odd.as_bytes()), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_by_hand_is_what_serde_makes_of_it(
            kind in prop_oneof![Just(("text_delta", "text")), Just(("thinking_delta", "thinking")), Just(("input_json_delta", "partial_json"))],
            text in r#"(\\u[dD][89a-fA-F][0-9a-f]{2}|\\u[0-9a-f]{4}|\\[nrtbf/"\\ux]|[^"\\]|[\x00-\x1f]){0,20}"#,
            parent in prop_oneof![Just("null".to_owned()), "\"[ -~]{0,8}\""],
            tail in prop_oneof![Just(String::new()), Just(r#","api_message_id":"m""#.to_owned()), ".{0,12}"],
        ) {
            let (kind, field) = kind;
            let line = line(&format!(r#"{{"type":"{kind}","{field}":"{text}"}}"#), &parent, &tail);
            if let Some(taken) = by_hand(line.as_bytes()) {
                prop_assert_eq!(Some(taken), by_serde(line.as_bytes()), "{}", line);
            }
        }

        #[test]
        fn every_text_that_claude_escapes_is_taken_by_hand(text in "(.|[\u{0}-\u{1f}\u{7f}-\u{9f}😀\u{2028}]){0,40}") {
            let json = serde_json::to_string(&text).unwrap();
            let line = line(&format!(r#"{{"type":"text_delta","text":{json}}}"#), "null", "");
            let content = Content::Text(Cow::Owned(text));
            prop_assert_eq!(DeltaReader::default().read(line.as_bytes()), Some(Delta { content, parent: None }));
        }

        #[test]
        fn a_line_cut_or_changed_anywhere_is_taken_only_as_serde_takes_it(
            at in 0usize..300,
            byte: u8,
            warm: bool,
        ) {
            let whole = line(r#"{"type":"text_delta","text":"a\nb é"}"#, "\"toolu_1\"", r#","api_message_id":"m""#);
            let mut line = whole.clone().into_bytes();
            let mut reader = DeltaReader::default();
            if warm {
                reader.read(whole.as_bytes());
            }
            let at = at % line.len();
            prop_assert_eq!(reader.read(&line[..at]), None);
            line[at] = byte;
            let taken = reader.read(&line).map(in_words);
            prop_assert_eq!(&taken, &by_hand(&line));
            if taken.is_some() {
                prop_assert_eq!(taken, by_serde(&line));
            }
        }

        #[test]
        fn what_was_read_before_changes_nothing(
            lines in proptest::collection::vec(
                (0usize..3, r#"(\\n|\\u00e9|[^"\\]){0,12}"#, 0usize..4, "[0-9a-f]{0,3}\"?", any::<bool>()),
                1..40,
            ),
        ) {
            let mut reader = DeltaReader::default();
            for (kind, text, parent, uuid, has_message) in lines {
                let kind = ["text_delta\",\"text", "thinking_delta\",\"thinking", "input_json_delta\",\"partial_json"][kind];
                let parent = ["null", "\"toolu_1\"", "\"toolu_22\"", "\"\""][parent];
                let tail = if has_message { r#","api_message_id":"m""# } else { "" };
                let line = line(&format!(r#"{{"type":"{kind}":"{text}"}}"#), parent, tail).replace("u-1", &uuid);
                prop_assert_eq!(reader.read(line.as_bytes()).map(in_words), by_hand(line.as_bytes()), "{}", line);
            }
        }
    }
}
