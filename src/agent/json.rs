//! JSON that has been checked, taken apart where it stands.
//!
//! A line is checked once, as a whole. After that its objects and lists are only cut into pieces, which takes a look at
//! the quotes and not at every byte: what a tool returned may have megabytes and lies several levels deep.

mod long_strings;
mod string;

use std::borrow::Cow;

use memchr::memchr;
use serde_json::Value;
use serde_json::value::RawValue;

use self::long_strings::length_at;
use self::string::unescaped;
use crate::stream::{Json, json_of};

pub(super) use self::long_strings::LongStrings;
pub(super) use self::string::{escape, next_odd};

/// A valid JSON value, without white space around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct CheckedJson<'a> {
    text: &'a str,
    /// Those that are known of the text that it is a part of.
    long: &'a [&'a str],
}

impl<'a> CheckedJson<'a> {
    /// Checks a text.
    pub(super) fn parse(text: &'a str) -> serde_json::Result<Self> {
        LongStrings::default().check(text)?;
        Ok(Self { text: text.trim_ascii(), long: &[] })
    }

    /// Checks a text whose long strings are known.
    pub(super) fn parse_with(text: &'a str, long: &'a LongStrings<'a>) -> serde_json::Result<Self> {
        long.check(text)?;
        Ok(Self { text: text.trim_ascii(), long: long.as_slice() })
    }

    /// A value that serde has checked.
    pub(super) fn of(value: &'a RawValue) -> Self {
        Self { text: value.get(), long: &[] }
    }

    pub(super) fn as_str(self) -> &'a str {
        self.text
    }

    /// What it says, if it is a string.
    #[inline(never)]
    pub(super) fn string(self) -> Option<Cow<'a, str>> {
        unescaped(self.text.strip_prefix('"')?.strip_suffix('"')?)
    }

    /// For a chunk.
    pub(super) fn json(self) -> Json<'a> {
        serde_json::from_str::<&RawValue>(self.text).map_or_else(|_| json_of(&self.text), Cow::Borrowed)
    }

    /// For an answer. It has been checked: only what is too deep or too large a number for serde is lost.
    pub(super) fn value(self) -> Value {
        serde_json::from_str(self.text).unwrap_or_default()
    }

    /// The members of an object; `None` if it is none.
    pub(super) fn members(self) -> Option<impl Iterator<Item = (Cow<'a, str>, Self)>> {
        let mut pieces = self.pieces('{', '}')?;
        Some(std::iter::from_fn(move || {
            let key = pieces.value()?;
            pieces.skip(':');
            let value = pieces.value()?;
            pieces.skip(',');
            Some((key.string()?, value))
        }))
    }

    /// Gives each member of an object to `each`; whether it is one.
    pub(super) fn each_member(self, each: &mut dyn FnMut(&str, Self)) -> bool {
        let Some(members) = self.members() else { return false };
        members.for_each(|(key, value)| each(&key, value));
        true
    }

    /// The items of a list; `None` if it is none.
    pub(super) fn items(self) -> Option<impl Iterator<Item = Self>> {
        let mut pieces = self.pieces('[', ']')?;
        Some(std::iter::from_fn(move || {
            let value = pieces.value()?;
            pieces.skip(',');
            Some(value)
        }))
    }

    fn pieces(self, open: char, close: char) -> Option<Pieces<'a>> {
        let rest = self.text.strip_prefix(open)?.strip_suffix(close)?.trim_ascii();
        Some(Pieces { rest, long: self.long })
    }
}

/// What is left of the inside of an object or a list.
struct Pieces<'a> {
    rest: &'a str,
    long: &'a [&'a str],
}

impl<'a> Pieces<'a> {
    #[inline(never)]
    fn skip(&mut self, separator: char) {
        let rest = self.rest.trim_ascii_start();
        self.rest = rest.strip_prefix(separator).unwrap_or(rest).trim_ascii_start();
    }

    /// The value that comes first.
    #[inline(never)]
    fn value(&mut self) -> Option<CheckedJson<'a>> {
        let bytes = self.rest.as_bytes();
        let length = match bytes.first()? {
            b'"' => self.string_length(bytes)?,
            b'{' | b'[' => self.nested_length(bytes)?,
            _ => bytes
                .iter()
                .position(|byte| matches!(byte, b',' | b':' | b'}' | b']') || byte.is_ascii_whitespace())
                .unwrap_or(bytes.len()),
        };
        // Without an end to it, a value that is none would come again and again.
        let (text, rest) = self.rest.split_at_checked(length).filter(|_| length > 0)?;
        self.rest = rest;
        Some(CheckedJson { text, long: self.long })
    }

    /// The length of the string that `bytes` begin with, quotes included.
    fn string_length(&self, bytes: &[u8]) -> Option<usize> {
        if let Some(length) = length_at(bytes, self.long) {
            return Some(length);
        }
        let mut from = 1;
        loop {
            let quote = from + memchr(b'"', bytes.get(from..)?)?;
            let backslashes = bytes[from..quote].iter().rev().take_while(|byte| **byte == b'\\').count();
            from = quote + 1;
            // Backslashes come in pairs, except for the one before a quote that belongs to the text.
            if backslashes % 2 == 0 {
                return Some(from);
            }
        }
    }

    /// The length of the object or list that `bytes` begin with.
    fn nested_length(&self, bytes: &[u8]) -> Option<usize> {
        let mut depth = 0_usize;
        let mut at = 0;
        loop {
            match bytes.get(at)? {
                b'"' => at += self.string_length(&bytes[at..])? - 1,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            at += 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;
    use serde_json::Map;

    use super::*;

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            text().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::vec((text(), inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    fn text() -> impl Strategy<Value = String> {
        r#"(["\\{}\[\],: ]|\n|é|[a-z]){0,8}"#
    }

    fn rebuilt(json: CheckedJson<'_>) -> Value {
        if let Some(members) = json.members() {
            return members
                .map(|(key, value)| (key.into_owned(), rebuilt(value)))
                .collect::<Map<_, _>>()
                .into();
        }
        match json.items() {
            Some(items) => items.map(rebuilt).collect::<Vec<_>>().into(),
            None => serde_json::from_str(json.as_str()).unwrap(),
        }
    }

    proptest! {
        #[test]
        fn the_pieces_are_those_that_serde_finds(value in json(), pretty: bool) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            let text = format!(" {}\n", text.unwrap());
            prop_assert_eq!(rebuilt(CheckedJson::parse(&text).unwrap()), serde_json::from_str::<Value>(&text).unwrap());
        }

        #[test]
        fn the_pieces_are_the_same_where_long_strings_are_stepped_over(
            value in json(),
            pretty: bool,
            longer_than in 0usize..12,
        ) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            let text = format!(" {}\n", text.unwrap());
            let long = LongStrings::longer_than(longer_than, &text);
            let json = CheckedJson::parse_with(&text, &long).unwrap();
            prop_assert_eq!(rebuilt(json), serde_json::from_str::<Value>(&text).unwrap());
        }

        #[test]
        fn long_strings_change_no_verdict(
            value in json(),
            scrap in r#"(\\u[0-9a-fx]{0,4}|[\\"{}\[\],: u/dD\x01]|[a-z0-9]){0,12}"#,
            at: prop::sample::Index,
            cut: prop::sample::Index,
            longer_than in 0usize..12,
        ) {
            let mut text = value.to_string();
            let places: Vec<_> = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
            let (start, end) = (*at.get(&places), *cut.get(&places));
            text.replace_range(start..end.max(start), &scrap);
            let long = LongStrings::longer_than(longer_than, &text);
            let by_serde = serde_json::from_str::<IgnoredAny>(&text).map(|_| ()).map_err(|error| error.to_string());
            let verdict = CheckedJson::parse_with(&text, &long).map(|_| ()).map_err(|error| error.to_string());
            prop_assert_eq!(verdict, by_serde, "{}", text);
        }

        #[test]
        fn what_is_no_json_is_refused_as_serde_refuses_it(text in r#"(["\\{}\[\],: ]|[a-z0-9]){0,12}"#) {
            prop_assert_eq!(CheckedJson::parse(&text).is_ok(), serde_json::from_str::<IgnoredAny>(&text).is_ok());
        }

        #[test]
        fn even_what_was_not_checked_does_no_harm(text in r#"(["\\{}\[\],: ]|[a-zé]){0,16}"#) {
            let unchecked = CheckedJson { text: &text, long: &[] };
            let _ = unchecked.members().map(Iterator::count);
            let _ = unchecked.items().map(Iterator::count);
        }
    }
}
