//! The inside of JSON strings.

use std::borrow::Cow;

use memchr::memchr2;

/// How many bytes are looked at as one number.
const WORD: usize = size_of::<u64>();

/// How many words are looked at before a search is begun, which is faster, but not soon.
const NEAR: usize = 3;

/// What stands between two quotes without its escapes, borrowed where there are none; `None` where an escape is none or
/// half a surrogate pair. Control characters, which have to be escaped, are not looked for.
pub(in crate::agent) fn unescaped(inner: &str) -> Option<Cow<'_, str>> {
    let Some(first) = next_special(inner.as_bytes()) else { return Some(Cow::Borrowed(inner)) };
    let (plain, mut rest) = inner.split_at(first);
    let mut text = String::with_capacity(inner.len());
    text.push_str(plain);
    loop {
        let (char, length) = escape(rest.as_bytes().strip_prefix(b"\\")?)?;
        text.push(char);
        rest = &rest[1 + length..];
        let Some(next) = next_special(rest.as_bytes()) else {
            text.push_str(rest);
            return Some(Cow::Owned(text));
        };
        text.push_str(&rest[..next]);
        rest = &rest[next..];
    }
}

/// Where the first quote or backslash is.
#[inline]
pub(super) fn next_special(bytes: &[u8]) -> Option<usize> {
    let (words, _) = bytes.as_chunks::<WORD>();
    let near = words.iter().take(NEAR);
    let searched = near.len() * WORD;
    for (index, word) in near.enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = zeros(word ^ every(b'"')) | zeros(word ^ every(b'\\'));
        if found != 0 {
            return Some(index * WORD + found.trailing_zeros() as usize / 8);
        }
    }
    memchr2(b'"', b'\\', &bytes[searched..]).map(|found| searched + found)
}

/// Where the first byte is that does not stand for itself: a quote, a backslash or a control character.
#[inline]
pub(in crate::agent) fn next_odd(bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<WORD>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = below(word, 0x20) | zeros(word ^ every(b'"')) | zeros(word ^ every(b'\\'));
        if found != 0 {
            return Some(index * WORD + found.trailing_zeros() as usize / 8);
        }
    }
    let found = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
    Some(words.len() * WORD + found)
}

/// A word that consists of this byte.
const fn every(byte: u8) -> u64 {
    u64::from_le_bytes([byte; WORD])
}

/// The highest bit of the first byte that is zero, and perhaps of some behind it.
const fn zeros(word: u64) -> u64 {
    below(word, 1)
}

/// The highest bit of the first byte that is below `limit`, which is ASCII, and perhaps of some behind it.
const fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(every(limit)) & !word & every(0x80)
}

/// The character of an escape sequence behind its backslash, and the sequence's length; `None` for half a surrogate
/// pair too, which is for the repair.
pub(in crate::agent) fn escape(bytes: &[u8]) -> Option<(char, usize)> {
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

/// The length of an escape sequence behind its backslash, whatever it stands for; `None` if it is none.
pub(super) fn escape_length(bytes: &[u8]) -> Option<usize> {
    match bytes.first()? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(1),
        b'u' => unit(&bytes[1..]).map(|_| 5),
        _ => None,
    }
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

    proptest! {
        #[test]
        fn a_string_is_unescaped_as_serde_does_it(
            inner in r#"(\\u[dD][89a-fA-F][0-9a-f]{2}|\\u[0-9a-f]{4}|\\[nrtbf/"\\ux]|[^"\\\x00-\x1f]){0,30}"#,
        ) {
            let by_serde = serde_json::from_str::<String>(&format!("\"{inner}\"")).ok();
            prop_assert_eq!(unescaped(&inner).map(Cow::into_owned), by_serde);
        }

        #[test]
        fn every_text_comes_back(text in "(\\PC|[\\x00-\\x1f\"\\\\]|🦀){0,60}") {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(unescaped(&json[1..json.len() - 1]), Some(Cow::Borrowed(&*text)));
        }

        #[test]
        fn what_does_not_stand_for_itself_is_found(
            bytes in prop::collection::vec(prop_oneof![8 => b' '.., 1 => any::<u8>(), 1 => b'!'..=b'"', 1 => b'['..=b'\\'], 0..60),
        ) {
            let special = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\'));
            prop_assert_eq!(next_special(&bytes), special);
            let odd = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            prop_assert_eq!(next_odd(&bytes), odd);
        }

        #[test]
        fn anything_can_be_looked_at(inner in r#"([\\ud89efDn"]|.){0,30}"#) {
            let _ = unescaped(&inner);
        }
    }
}
