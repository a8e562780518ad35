//! Lines that are nearly JSON.
//!
//! An agent cuts its text where it likes and prints what its tools print, so that a line may hold half a surrogate pair
//! (`\ud83d` alone) or a raw control character inside a string. `serde_json` refuses both; what they spoil is one
//! character, not the line.

use memchr::memmem;

/// `line` with the lone surrogates of its strings as U+FFFD and their control characters escaped; `None` if there are
/// none. Outside of strings nothing is changed.
pub fn repair(line: &str) -> Option<String> {
    // Nearly all lines: passes over many bytes at a time.
    if !has_controls(line) && !has_surrogates(line) {
        return None;
    }
    let mut repaired = String::new();
    let mut kept = 0;
    let mut in_string = false;
    let bytes = line.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let (length, replacement) = match byte {
            b'"' => {
                in_string = !in_string;
                (1, None)
            }
            b'\\' if in_string => escape(&line[at..]),
            0..=0x1f if in_string => (1, Some(format!("\\u{byte:04x}"))),
            _ => (1, None),
        };
        if let Some(replacement) = replacement {
            repaired.push_str(&line[kept..at]);
            repaired.push_str(&replacement);
            kept = at + length;
        }
        at += length;
    }
    if kept == 0 {
        return None;
    }
    repaired.push_str(&line[kept..]);
    Some(repaired)
}

/// Whether there are characters in it that have to be escaped in a string.
pub(crate) fn has_controls(line: &str) -> bool {
    // Counted in blocks whose counts fit into a byte, so that many bytes are looked at at once.
    let controls = |block: &[u8]| block.iter().map(|byte| u8::from(*byte < 0x20)).sum::<u8>();
    line.as_bytes().chunks(u8::MAX.into()).any(|block| controls(block) > 0)
}

/// Whether there is anything that looks like an escaped surrogate, alone or in a pair.
fn has_surrogates(line: &str) -> bool {
    [r"\ud", r"\uD"].iter().any(|escape| memmem::find(line.as_bytes(), escape.as_bytes()).is_some())
}

/// The length of the escape sequence that `text` begins with, and what it is to be replaced with, if it is.
fn escape(text: &str) -> (usize, Option<String>) {
    match unit(text) {
        Some(0xd800..=0xdbff) => match text.get(6..).and_then(unit) {
            Some(0xdc00..=0xdfff) => (12, None),
            _ => (6, Some("\\ufffd".to_owned())),
        },
        Some(0xdc00..=0xdfff) => (6, Some("\\ufffd".to_owned())),
        Some(_) => (6, None),
        // The escaped character is ASCII; if it is not, the line is beyond repair, and one byte is as good as another.
        None => {
            (if text.as_bytes().get(1).is_some_and(|byte| (0x20..0x80).contains(byte)) { 2 } else { 1 }, None)
        }
    }
}

/// The UTF-16 unit of a `\uXXXX` at the beginning of `text`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn repaired(line: &str) -> String {
        let repaired = repair(line).expect("something to repair");
        serde_json::from_str::<serde_json::Value>(&repaired).expect("repaired JSON")["a"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    #[test]
    fn half_a_surrogate_pair_becomes_a_replacement_character() {
        assert_eq!(repaired(r#"{"a":"x\ud83dy"}"#), "x\u{fffd}y");
        assert_eq!(repaired(r#"{"a":"\udd80"}"#), "\u{fffd}");
        assert_eq!(repaired(r#"{"a":"\ud83d\ud83d\ude00"}"#), "\u{fffd}😀");
        assert_eq!(repaired(r#"{"a":"\ud83d\n"}"#), "\u{fffd}\n");
        assert_eq!(repaired(r#"{"a":"\\\ud83d\\ud83d"}"#), "\\\u{fffd}\\ud83d");
    }

    #[test]
    fn raw_control_characters_are_kept_as_escapes() {
        assert_eq!(repaired("{\"a\":\"x\u{1b}[31m\ty\"}"), "x\u{1b}[31m\ty");
    }

    #[test]
    fn what_is_in_order_is_left_alone() {
        for line in
            [r#"{"a":"\ud83d\ude00 \\ud83d \" \u00e9"}"#, "{ \"a\" :\t1 }", "\u{1b}[0m", r#"{"a":"#, "\\"]
        {
            assert_eq!(repair(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn every_json_text_is_left_alone(text in ".{0,60}") {
            let line = serde_json::json!({ "a": text }).to_string();
            prop_assert_eq!(repair(&line), None);
        }

        #[test]
        fn anything_can_be_looked_at(line in "([\"\\\\u{}a-fD8\\x00-\\x1fé😀]|.){0,60}") {
            if let Some(once) = repair(&line) {
                prop_assert_eq!(repair(&once), None, "a repaired line needs no repair");
            }
        }
    }
}
