//! Secrets are taken out of everything on its way to disk.
//!
//! Two things count as a secret: what has the shape of a well-known key (a telling prefix and enough random looking
//! characters behind it), and the values that the caller gives, which come from variables whose names tell
//! ([`Redactor::from_env`]). One automaton finds the prefixes and the values in one pass. A secret may come in pieces:
//! a [`RedactedText`] holds back what may be the beginning of one until the rest is known.

use std::borrow::Cow;
use std::sync::Arc;

use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;
use aho_corasick::{Input, Match, MatchKind};

use super::cut_before;

/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// How a variable's name ends that holds a secret.
const TELLING_NAMES: &[&str] = &["_KEY", "_TOKEN", "_SECRET", "_PASSWORD", "_PASSWD", "_CREDENTIALS"];

/// A shorter value is no secret, and would be found everywhere.
const VALUE_LEAST: usize = 8;

/// The longest piece of text that waits for its rest, in bytes.
const HOLD_LIMIT: usize = 16 * 1024;

/// How much of what may be the beginning of a secret makes a text wait; less is covered by its context.
const HOLD_LEAST: usize = 3;

const PEM_BEGIN: &str = "-----BEGIN ";
const PEM_END: &str = "-----END ";
const PEM_KIND: &str = "PRIVATE KEY-----";

/// A prefix, and how what follows must look.
struct Shape {
    prefix: &'static str,
    body: fn(u8) -> bool,
    least: usize,
    /// Whether the prefix itself says nothing and stays.
    keep: bool,
}

const fn key(prefix: &'static str, least: usize) -> Shape {
    Shape { prefix, body: is_key, least, keep: false }
}

const fn after(prefix: &'static str, least: usize) -> Shape {
    Shape { prefix, body: is_token, least, keep: true }
}

/// Prefixes as their issuers document them. None begins with another.
const SHAPES: &[Shape] = &[
    key("sk-", 20),
    key("sk_live_", 16),
    key("sk_test_", 16),
    key("rk_live_", 16),
    key("ghp_", 30),
    key("gho_", 30),
    key("ghu_", 30),
    key("ghs_", 30),
    key("ghr_", 30),
    key("github_pat_", 22),
    key("glpat-", 20),
    key("xoxa-", 10),
    key("xoxb-", 10),
    key("xoxp-", 10),
    key("xoxr-", 10),
    key("xoxs-", 10),
    key("xapp-", 10),
    Shape { prefix: "AKIA", body: is_upper, least: 16, keep: false },
    Shape { prefix: "ASIA", body: is_upper, least: 16, keep: false },
    key("AIza", 35),
    key("ya29.", 20),
    key("npm_", 30),
    key("pypi-", 30),
    key("hf_", 30),
    key("gsk_", 40),
    key("xai-", 40),
    key("r8_", 30),
    key("dop_v1_", 40),
    key("shpat_", 30),
    key("lin_api_", 30),
    Shape { prefix: "SG.", body: is_token, least: 40, keep: false },
    // A JSON web token: `eyJ` is `{"` in its alphabet.
    Shape { prefix: "eyJ", body: is_token, least: 60, keep: false },
    after("Bearer ", 20),
    after("_KEY=", 12),
    after("_TOKEN=", 12),
    after("_SECRET=", 12),
    after("_PASSWORD=", 8),
];

fn is_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn is_upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn is_token(byte: u8) -> bool {
    is_key(byte) || matches!(byte, b'.' | b'~' | b'+' | b'/' | b'=')
}

/// Takes secrets out of texts.
#[derive(Debug, Clone)]
pub struct Redactor {
    /// Finds the shapes' prefixes, then [`PEM_BEGIN`], then the values.
    automaton: Arc<DFA>,
    values: Vec<String>,
}

impl Default for Redactor {
    fn default() -> Self {
        Self::new([])
    }
}

impl Redactor {
    /// One that knows the shapes of common keys and these values.
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let mut values: Vec<String> = values.into_iter().filter(|value| value.len() >= VALUE_LEAST).collect();
        // Where one begins with another, the longer one is meant.
        values.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        values.dedup();
        let build = |values: &[String]| {
            let shapes = SHAPES.iter().map(|shape| shape.prefix).chain([PEM_BEGIN]);
            DFA::builder()
                .match_kind(MatchKind::LeftmostFirst)
                .build(values.iter().map(String::as_str).chain(shapes))
                .map(Arc::new)
        };
        match build(&values) {
            Ok(automaton) => Self { automaton, values },
            // Only gigabytes of values are too much for it; the shapes alone never are.
            Err(_) => match build(&[]) {
                Ok(automaton) => Self { automaton, values: Vec::new() },
                Err(error) => unreachable!("a few short patterns: {error}"),
            },
        }
    }

    /// One that knows the values of those variables whose names tell that they hold secrets.
    pub fn from_env(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let telling = |name: &str| {
            let name = name.to_ascii_uppercase();
            TELLING_NAMES.iter().any(|end| name.ends_with(end) || name == end[1..])
        };
        Self::new(variables.into_iter().filter(|(name, _)| telling(name)).map(|(_, value)| value))
    }

    /// The text without its secrets.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.redact_after(text, 0)
    }

    /// `text[skip..]` without its secrets, those that begin before it included.
    fn redact_after<'a>(&self, text: &'a str, skip: usize) -> Cow<'a, str> {
        let mut clean = String::new();
        let mut copied = skip;
        let mut at = 0;
        while let Some(found) = self.find(text, at) {
            let Some((begin, end)) =
                self.secret(text, found.pattern().as_usize(), found.start(), found.end())
            else {
                at = found.start() + 1;
                continue;
            };
            at = end;
            if end > copied {
                clean.push_str(&text[copied..begin.max(copied)]);
                clean.push_str(REDACTED);
                copied = end;
            }
        }
        if clean.is_empty() && copied == skip {
            return Cow::Borrowed(&text[skip..]);
        }
        clean.push_str(&text[copied..]);
        Cow::Owned(clean)
    }

    /// The first match from `at` on.
    fn find(&self, text: &str, at: usize) -> Option<Match> {
        // It fails only for searches that it was not built for.
        self.automaton.try_find(&Input::new(text).range(at..)).ok().flatten()
    }

    /// What is secret of a match: from where to where.
    fn secret(&self, text: &str, pattern: usize, start: usize, end: usize) -> Option<(usize, usize)> {
        let Some(index) = pattern.checked_sub(self.values.len()) else { return Some((start, end)) };
        let Some(shape) = SHAPES.get(index) else { return private_key(text, start) };
        let bytes = text.as_bytes();
        if !shape.keep && start.checked_sub(1).is_some_and(|before| bytes[before].is_ascii_alphanumeric()) {
            return None;
        }
        let quote = usize::from(shape.keep && matches!(bytes.get(end), Some(b'"' | b'\'')));
        let body = &bytes[end + quote..];
        let length = body.iter().position(|byte| !(shape.body)(*byte)).unwrap_or(body.len());
        let body = &body[..length];
        // Random characters have digits and letters among them, names made of words do not.
        let random = body.iter().any(u8::is_ascii_digit) && body.iter().any(u8::is_ascii_alphabetic);
        (length >= shape.least && random)
            .then_some((if shape.keep { end + quote } else { start }, end + quote + length))
    }

    /// From where on `text`, which is to be continued, may be the beginning of a secret; its length where nothing is.
    fn held_from(&self, text: &str) -> usize {
        let limit = cut_before(text, text.len().saturating_sub(HOLD_LIMIT));
        let tail = &text[limit..];
        if let Some(begin) = tail.rfind(PEM_BEGIN)
            && !tail[begin..].contains(PEM_END)
        {
            return limit + begin;
        }
        // The last two words: a prefix may end with a blank.
        let spaces = tail.char_indices().rev().filter(|(_, c)| c.is_whitespace());
        let begin = spaces.map(|(index, c)| index + c.len_utf8()).nth(1).unwrap_or(0);
        let mut at = begin;
        while let Some(found) = self.find(tail, at) {
            let complete = self.secret(tail, found.pattern().as_usize(), found.start(), found.end());
            // A body has no blanks, but the prefix itself may end with one.
            let reaches_end = !tail[found.end()..].contains(char::is_whitespace);
            if reaches_end && found.pattern().as_usize() >= self.values.len() {
                return limit + found.start();
            }
            at = complete.map_or(found.start() + 1, |(_, end)| end);
        }
        let prefixes = SHAPES.iter().map(|shape| shape.prefix).chain([PEM_BEGIN]);
        let longest = self
            .values
            .iter()
            .map(String::as_str)
            .chain(prefixes)
            .filter_map(|pattern| {
                (HOLD_LEAST..pattern.len().min(tail.len() + 1))
                    .rev()
                    .find(|length| pattern.is_char_boundary(*length) && tail.ends_with(&pattern[..*length]))
            })
            .max();
        text.len() - longest.unwrap_or(0)
    }
}

/// A text that comes in pieces, on its way to disk: what may be the beginning of a secret waits for the rest.
#[derive(Debug, Default)]
pub(super) struct RedactedText {
    held: String,
    /// The end of what was let through.
    context: String,
}

impl RedactedText {
    /// What may be written once `piece` is known; after the `last` piece that is everything.
    pub(super) fn push(&mut self, redactor: &Redactor, piece: &str, last: bool) -> String {
        let skip = self.context.len();
        let mut whole = std::mem::take(&mut self.context);
        whole.push_str(&self.held);
        whole.push_str(piece);
        let ready = if last { whole.len() } else { redactor.held_from(&whole).max(skip) };
        self.held = whole.split_off(ready);
        let clean = redactor.redact_after(&whole, skip).into_owned();
        let context =
            if last { "" } else { &whole[cut_before(&whole, ready.saturating_sub(HOLD_LEAST + 1))..] };
        context.clone_into(&mut self.context);
        clean
    }
}

fn private_key(text: &str, start: usize) -> Option<(usize, usize)> {
    let rest = &text[start..];
    let head = &rest[..rest.find('\n').unwrap_or(rest.len()).min(80).min(rest.len())];
    if !head.contains(PEM_KIND) {
        return None;
    }
    let end = rest.find(PEM_END).map_or(rest.len(), |end| {
        rest[end..].find(PEM_KIND).map_or(rest.len(), |kind| end + kind + PEM_KIND.len())
    });
    Some((start, start + end))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    /// Fakes, put together here so that nobody's scanner takes them for real ones.
    fn fakes() -> Vec<String> {
        let random = "a1B2c3D4e5F6g7H8i9J0a1B2c3D4e5F6g7H8i9J0a1B2c3D4e5F6g7H8i9J0a1B2c3D4";
        SHAPES
            .iter()
            .map(|shape| {
                let body: String = random.bytes().filter(|b| (shape.body)(*b)).map(char::from).collect();
                let body = if shape.prefix.starts_with('A') { body.repeat(2) } else { body };
                format!("{}{}", shape.prefix, &body[..shape.least.max(20).min(body.len())])
            })
            .collect()
    }

    #[test]
    fn common_keys_are_taken_out() {
        let redactor = Redactor::default();
        for fake in fakes() {
            let text = format!("use {fake}, please");
            let clean = redactor.redact(&text);
            assert!(clean.contains(REDACTED), "{clean}");
            assert!(clean.starts_with("use ") && clean.ends_with(", please"), "{clean}");
            assert!(!clean.contains("c3D4"), "{clean}");
        }
    }

    #[test]
    fn what_only_looks_like_one_stays() {
        let redactor = Redactor::default();
        for text in [
            "task-management-of-things-that-go-on-2",
            "sk-learn is a library",
            "sk-a-very-long-name-without-any-digit",
            "const API_KEY=process",
            "-----BEGIN CERTIFICATE-----\nabc",
            "eyJ",
        ] {
            assert_eq!(redactor.redact(text), text);
        }
    }

    #[test]
    fn values_of_telling_variables_are_taken_out() {
        let env = [("MY_TOKEN", "correct horse battery"), ("HOME", "/home/somebody"), ("X_KEY", "short")];
        let redactor = Redactor::from_env(env.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let text = "it is correct horse battery in /home/somebody, short";
        assert_eq!(redactor.redact(text), "it is [redacted] in /home/somebody, short");
    }

    #[test]
    fn private_keys_are_taken_out_whole() {
        let begin = format!("{PEM_BEGIN}RSA {PEM_KIND}");
        let end = format!("{PEM_END}RSA {PEM_KIND}");
        let text = format!("a {begin}\nMIIE\nabc\n{end} b");
        assert_eq!(Redactor::default().redact(&text), "a [redacted] b");
        let cut = format!("a {begin}\nMIIE");
        assert_eq!(Redactor::default().held_from(&cut), 2);
    }

    #[test]
    fn only_what_may_become_a_secret_is_held() {
        let redactor = Redactor::new(["correct horse battery".to_owned()]);
        for (text, held) in [
            ("Hello", ""),
            ("files", ""),
            ("", ""),
            ("use sk-", "sk-"),
            ("use sk-abc", "sk-abc"),
            ("use sk-abc ", ""),
            ("it is correct hor", "correct hor"),
            ("Bearer abc", "Bearer abc"),
            ("is Bearer ", "Bearer "),
            ("Bearer abc ", ""),
            ("AKI", "AKI"),
        ] {
            assert_eq!(&text[redactor.held_from(text)..], held, "{text:?}");
        }
    }

    /// Every shape, cut at every two places.
    #[test]
    fn a_secret_in_pieces_is_a_secret() {
        let redactor = Redactor::default();
        for fake in fakes() {
            let text = format!("the key is {fake} and that is it");
            for first in 0..=text.len() {
                for second in first..=text.len() {
                    let mut redacted = RedactedText::default();
                    let mut written = redacted.push(&redactor, &text[..first], false);
                    written.push_str(&redacted.push(&redactor, &text[first..second], false));
                    written.push_str(&redacted.push(&redactor, &text[second..], true));
                    // The first letters of a prefix are no secret and do not wait.
                    let whole = redactor.redact(&text);
                    let (before, after) = whole.split_once(REDACTED).expect("it is redacted");
                    let (shown, rest) = written.split_once(REDACTED).expect("so are its pieces");
                    assert_eq!(rest, after, "cut at {first} and {second}");
                    let letters = shown.strip_prefix(before).expect("what is before it stays");
                    assert!(letters.len() < HOLD_LEAST && fake.starts_with(letters), "{written}");
                }
            }
        }
    }

    static REDACTOR: LazyLock<Redactor> = LazyLock::new(Redactor::default);

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), skip in 0..40usize) {
            let redactor = &*REDACTOR;
            let skip = cut_before(&text, skip);
            let _ = redactor.redact_after(&text, skip);
            let held = redactor.held_from(&text);
            prop_assert!(text.is_char_boundary(held));
        }
    }
}
