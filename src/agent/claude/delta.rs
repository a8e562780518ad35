//! The deltas, nearly all of a stream, without a JSON parser.
//!
//! Only a line that is exactly of the shape that claude writes is taken, to its last byte, with strings that are valid
//! and numbers that are numbers. For such a line the result is what serde makes of it (the tests and a fuzz target
//! compare the two); every other line, however slightly different, is left to serde.

use std::borrow::Cow;

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

/// The delta that `line` is; `None` if it has to be looked at with serde.
pub(super) fn delta(line: &[u8]) -> Option<Delta<'_>> {
    let rest = digits(line.strip_prefix(HEAD)?)?.strip_prefix(DELTA)?;
    let (content, rest) = if let Some(rest) = rest.strip_prefix(TEXT) {
        let (text, rest) = string(rest)?;
        (Content::Text(text), rest)
    } else if let Some(rest) = rest.strip_prefix(THINKING) {
        let (text, rest) = string(rest)?;
        (Content::Thinking(text), rest)
    } else {
        let (_, rest) = string(rest.strip_prefix(INPUT)?)?;
        (Content::Input, rest)
    };
    let (_, rest) = plain(rest.strip_prefix(SESSION)?)?;
    let rest = rest.strip_prefix(PARENT)?;
    let (parent, rest) = if let Some(rest) = rest.strip_prefix(b"null") {
        (None, rest)
    } else {
        let (id, rest) = plain(rest.strip_prefix(b"\"")?)?;
        (Some(id), rest.strip_prefix(b"\"")?)
    };
    let (_, rest) = plain(rest.strip_prefix(UUID)?)?;
    let rest = without_member(DISPLAY, rest)?;
    let rest = without_member(MESSAGE, rest)?;
    (rest == TAIL).then_some(Delta { content, parent })
}

/// What follows a member with a plain string, if it is there.
fn without_member<'a>(name: &[u8], bytes: &'a [u8]) -> Option<&'a [u8]> {
    match bytes.strip_prefix(name) {
        Some(rest) => Some(plain(rest)?.1),
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

/// A string of printable ASCII without escapes, up to its closing quote, and what follows from that quote on.
fn plain(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let length = bytes.iter().position(|byte| *byte == b'"')?;
    let (text, rest) = bytes.split_at(length);
    if text.iter().any(|byte| !(0x20..0x7f).contains(byte) || *byte == b'\\') {
        return None;
    }
    Some((str::from_utf8(text).ok()?, rest))
}

/// A string, unescaped, and what follows its closing quote.
fn string(bytes: &[u8]) -> Option<(Cow<'_, str>, &[u8])> {
    let end = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
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
        let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
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

/// The character of an escape sequence behind its backslash, and the sequence's length; `None` for half a surrogate
/// pair too, which is for the repair.
fn escape(bytes: &[u8]) -> Option<(char, usize)> {
    let char = match bytes.first()? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let high = unit(&bytes[1..])?;
            if !(0xd800..0xe000).contains(&high) {
                return Some((char::from_u32(high.into())?, 5));
            }
            let low = unit(bytes.get(5..)?.strip_prefix(b"\\u")?)?;
            let pair = char::decode_utf16([high, low]).next()?.ok()?;
            return Some((pair, 11));
        }
        _ => return None,
    };
    Some((char, 1))
}

/// Four hexadecimal digits.
fn unit(bytes: &[u8]) -> Option<u16> {
    bytes.get(..4)?.iter().try_fold(0, |unit, byte| {
        let digit = char::from(*byte).to_digit(16)?;
        Some(unit << 4 | u16::try_from(digit).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::agent::claude::wire::Line;

    /// What serde makes of a line, in the same words; `None` if it refuses it.
    fn by_serde(line: &[u8]) -> Option<(Option<String>, Option<String>, Option<String>)> {
        let line: Line<'_> = serde_json::from_slice(line).ok()?;
        let delta = line.event?.delta?;
        Some((
            delta.text.map(|text| text.as_str().to_owned()),
            delta.thinking.map(|text| text.as_str().to_owned()),
            line.parent_tool_use_id.map(|id| id.as_str().to_owned()),
        ))
    }

    fn by_hand(line: &[u8]) -> Option<(Option<String>, Option<String>, Option<String>)> {
        let Delta { content, parent } = delta(line)?;
        let parent = parent.map(ToOwned::to_owned);
        Some(match content {
            Content::Text(text) => (Some(text.into_owned()), None, parent),
            Content::Thinking(text) => (None, Some(text.into_owned()), parent),
            Content::Input => (None, None, parent),
        })
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
            assert_eq!(delta(odd.as_bytes()), None, "{odd}");
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
            prop_assert_eq!(delta(line.as_bytes()), Some(Delta { content, parent: None }));
        }

        #[test]
        fn a_line_cut_or_changed_anywhere_is_taken_only_as_serde_takes_it(at in 0usize..300, byte: u8) {
            let mut line = line(r#"{"type":"text_delta","text":"a\nb é"}"#, "\"toolu_1\"", r#","api_message_id":"m""#).into_bytes();
            let at = at % line.len();
            prop_assert_eq!(delta(&line[..at]), None);
            line[at] = byte;
            if let Some(taken) = by_hand(&line) {
                prop_assert_eq!(Some(taken), by_serde(&line));
            }
        }
    }
}
