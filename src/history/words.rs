//! What a word is, once for the index and for the files, so that they never disagree.

use std::collections::HashSet;

use super::cut_before;

/// The longest word that is told from another with the same beginning, in bytes.
const WORD_LIMIT: usize = 64;

/// The words of a text as ranges of it: runs of letters and digits; of scripts without spaces, each character.
pub(super) fn words(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut chars = text.char_indices().peekable();
    std::iter::from_fn(move || {
        loop {
            let (begin, c) = chars.next()?;
            if is_ideograph(c) {
                return Some((begin, begin + c.len_utf8()));
            }
            if !c.is_alphanumeric() {
                continue;
            }
            let mut end = begin + c.len_utf8();
            while let Some((index, c)) = chars.next_if(|(_, c)| c.is_alphanumeric() && !is_ideograph(*c)) {
                end = index + c.len_utf8();
            }
            return Some((begin, end));
        }
    })
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
pub(super) fn gather_words(text: &str, gathered: &mut HashSet<String>) {
    let mut buffer = String::new();
    for (begin, end) in words(text) {
        let word = &text[begin..end];
        if word.is_ascii() {
            let word = &word[..word.len().min(WORD_LIMIT)];
            buffer.clear();
            buffer.extend(word.bytes().map(|byte| char::from(byte.to_ascii_lowercase())));
            if !gathered.contains(buffer.as_str()) {
                gathered.insert(buffer.clone());
            }
        } else {
            gathered.insert(folded(word));
        }
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
        let mut gathered = HashSet::new();
        gather_words(text, &mut gathered);
        assert_eq!(gathered, folded_words(text).into_iter().collect());
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
