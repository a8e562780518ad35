//! The long strings of a line.
//!
//! What a tool returned may be a string of megabytes, several levels deep. It is looked at once here, as fast as its
//! end can be found: after that the line is checked without it, and taken apart by stepping over it.

use memchr::memchr;
use serde::de::IgnoredAny;

use super::string::{escape_length, next_special};
use crate::stream::has_controls;

/// A string is long that has more bytes than this, quotes included.
const LONG: usize = 512;

/// The long strings of a text, if they make up most of it.
#[derive(Debug, Default)]
pub(in crate::agent) struct LongStrings<'a>(Vec<&'a str>);

impl<'a> LongStrings<'a> {
    /// Finds them. They are strings if the text is JSON, and then they are valid ones.
    pub(in crate::agent) fn of(text: &'a str) -> Self {
        Self::longer_than(LONG, text)
    }

    /// The same for another length than the usual one.
    pub(super) fn longer_than(limit: usize, text: &'a str) -> Self {
        let found = if text.len() > limit { find(text, limit) } else { None };
        let found =
            found.filter(|found| found.iter().map(|string| string.len()).sum::<usize>() > text.len() / 2);
        Self(found.unwrap_or_default())
    }

    /// Whether `text`, in which they were found, is JSON. Without them it is a short text, and JSON just the same.
    pub(super) fn check(&self, text: &str) -> serde_json::Result<()> {
        if !self.0.is_empty() && serde_json::from_str::<IgnoredAny>(&self.outline(text)).is_ok() {
            return Ok(());
        }
        // What is wrong, in the words for the whole text.
        serde_json::from_str::<IgnoredAny>(text).map(|_| ())
    }

    /// The text with empty strings in their places.
    fn outline(&self, text: &str) -> String {
        let mut outline = String::new();
        let mut copied = 0;
        for string in &self.0 {
            let start = address(string) - address(text);
            outline.push_str(&text[copied..start]);
            outline.push_str("\"\"");
            copied = start + string.len();
        }
        outline.push_str(&text[copied..]);
        outline
    }

    /// In order of their places.
    pub(super) fn as_slice(&self) -> &[&'a str] {
        &self.0
    }
}

/// The length of that of the `long` strings with which `bytes` begin, if they do with one of them.
pub(super) fn length_at(bytes: &[u8], long: &[&str]) -> Option<usize> {
    let place = bytes.as_ptr().addr();
    let found = long.binary_search_by_key(&place, |string| address(string)).ok()?;
    Some(long[found].len())
}

/// Where a text is; only the texts of one line are compared.
fn address(text: &str) -> usize {
    text.as_ptr().addr()
}

/// `None` if it cannot be JSON.
fn find(text: &str, limit: usize) -> Option<Vec<&str>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(offset) = memchr(b'"', &bytes[at..]) {
        let start = at + offset;
        at = end_of_string(bytes, start + 1)?;
        if at - start > limit {
            let string = &text[start..at];
            if has_controls(string) {
                return None;
            }
            found.push(string);
        }
    }
    Some(found)
}

/// Behind the closing quote of the string whose inside begins at `at`.
fn end_of_string(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += next_special(bytes.get(at..)?)? + 1;
        if bytes[at - 1] == b'"' {
            return Some(at);
        }
        at += escape_length(&bytes[at..])?;
    }
}
