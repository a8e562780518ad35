//! What a word is, once for the index and for the files, so that they never disagree.

use std::borrow::Cow;

use rustc_hash::FxHashSet;

use super::cut_before;

/// The longest word that is told from another with the same beginning, in bytes.
const WORD_LIMIT: usize = 64;

/// The words of a text as ranges of it: runs of letters and digits; of scripts without spaces, each character.
pub(super) fn words(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let begin = loop {
            match next(text, at)? {
                (length, Kind::Letter) => {
                    at += length;
                    break at - length;
                }
                (length, Kind::Ideograph) => {
                    at += length;
                    return Some((at - length, at));
                }
                (length, Kind::Other) => at += length,
            }
        };
        while let Some((length, Kind::Letter)) = next(text, at) {
            at += length;
        }
        Some((begin, at))
    })
}

/// What a character is in a word.
enum Kind {
    Letter,
    Ideograph,
    Other,
}

/// The length in bytes and the kind of the character at `at`.
fn next(text: &str, at: usize) -> Option<(usize, Kind)> {
    let byte = *text.as_bytes().get(at)?;
    if byte.is_ascii() {
        return Some((1, if byte.is_ascii_alphanumeric() { Kind::Letter } else { Kind::Other }));
    }
    let c = text[at..].chars().next()?;
    let kind = match c {
        c if is_ideograph(c) => Kind::Ideograph,
        c if c.is_alphanumeric() => Kind::Letter,
        _ => Kind::Other,
    };
    Some((c.len_utf8(), kind))
}

/// Chinese characters and Japanese syllables are written without spaces.
fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// The form in which words are compared.
fn folded(word: &str) -> String {
    let word = &word[..cut_before(word, WORD_LIMIT)];
    if word.is_ascii() { word.to_ascii_lowercase() } else { word.to_lowercase() }
}

/// Adds the words of a text, each once, as they are compared.
pub(super) fn gather_words<'a>(text: &'a str, gathered: &mut FxHashSet<Cow<'a, str>>) {
    for (begin, end) in words(text) {
        let word = &text[begin..end];
        let as_it_is = word.len() <= WORD_LIMIT
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        gathered.insert(if as_it_is { Cow::Borrowed(word) } else { Cow::Owned(folded(word)) });
    }
}

/// What is looked for.
#[derive(Debug, Default)]
pub(super) struct Query {
    words: Vec<String>,
    phrases: Vec<String>,
}

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        let mut query = Self::default();
        for (index, part) in text.split('"').enumerate() {
            query.words.extend(words(part).map(|(begin, end)| folded(&part[begin..end])));
            let phrase = part.trim();
            if index % 2 == 1 && !phrase.is_empty() {
                query.phrases.push(phrase.to_lowercase());
            }
        }
        query
    }

    /// Whether nothing is looked for.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub(super) fn has_phrases(&self) -> bool {
        !self.phrases.is_empty()
    }

    /// The words, as they are compared; each is the beginning of a word.
    pub(super) fn words(&self) -> &[String] {
        &self.words
    }

    /// Whether a word of a text is one that is looked for.
    pub(super) fn has_word(&self, word: &str) -> bool {
        let word = folded(word);
        self.words.iter().any(|wanted| word.starts_with(wanted))
    }

    /// Whether all of it occurs in a text.
    pub(super) fn matches(&self, text: &str) -> bool {
        let mut missing: Vec<&String> = self.words.iter().collect();
        for (begin, end) in words(text) {
            if missing.is_empty() {
                break;
            }
            let word = folded(&text[begin..end]);
            missing.retain(|wanted| !word.starts_with(*wanted));
        }
        missing.is_empty()
            && (self.phrases.is_empty() || {
                let text = text.to_lowercase();
                self.phrases.iter().all(|phrase| text.contains(phrase))
            })
    }

    /// Whether any of its words occurs in a text.
    pub(super) fn matches_any(&self, text: &str) -> bool {
        words(text).any(|(begin, end)| self.has_word(&text[begin..end]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded_words(text: &str) -> Vec<String> {
        words(text).map(|(begin, end)| folded(&text[begin..end])).collect()
    }

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        assert_eq!(folded_words("Add OAuth2-login, für_Élise!"), ["add", "oauth2", "login", "für", "élise"]);
        assert_eq!(folded_words("你好 ab漢"), ["你", "好", "ab", "漢"]);
        assert_eq!(folded_words(""), Vec::<String>::new());
    }

    #[test]
    fn gathered_words_are_the_same_words() {
        let text = "Add OAuth2-login, für_Élise! 你好";
        let mut gathered = FxHashSet::default();
        gather_words(text, &mut gathered);
        assert_eq!(gathered, folded_words(text).into_iter().map(Cow::Owned).collect());
    }

    #[test]
    fn all_words_are_needed_and_phrases_word_for_word() {
        let text = "The quick brown fox";
        for (query, matches) in [
            ("quick fox", true),
            ("QUI", true),
            ("uick", false),
            ("quick dog", false),
            ("\"quick brown\"", true),
            ("\"brown quick\"", false),
        ] {
            assert_eq!(Query::parse(query).matches(text), matches, "{query}");
        }
    }
}
