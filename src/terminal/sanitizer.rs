//! Text of an agent, without anything that a terminal would obey.
//!
//! A terminal obeys what it is sent: titles, the clipboard, links, the cursor, the order in which letters are drawn.
//! What comes from an agent, and from what its tools have read, is data. So everything is parsed as a terminal would
//! parse it (by `vte`, the parser of Alacritty) and only what prints is passed on: characters, newlines and tabs. An
//! escape sequence may be split over any number of pieces; none reaches over the end of a line, so that an
//! unfinished one cannot swallow the rest of an answer.

use vte::{Parser, Perform};

/// Ends whatever sequence a terminal is in the middle of.
const CANCEL: &[u8] = &[0x18];

/// What the parser is given for any character beyond ASCII. It reads bytes, and takes one of 0x9c inside of a character
/// (as in "本") for the end of a sequence.
const BEYOND_ASCII: &[u8] = "é".as_bytes();

/// Cleans a stream of text, piece by piece.
#[derive(Default)]
pub struct Sanitizer {
    parser: Parser,
}

impl Sanitizer {
    /// A sanitizer at the beginning of a text.
    pub fn new() -> Self {
        Self::default()
    }

    /// What of the next piece of the text may be shown.
    pub fn push(&mut self, piece: &str) -> String {
        let mut printed = Printed { text: String::with_capacity(piece.len()), char: '\0' };
        for char in piece.chars() {
            printed.char = char;
            match (char, u8::try_from(char)) {
                ('\n', _) => {
                    self.parser.advance(&mut printed, CANCEL);
                    printed.text.push('\n');
                }
                (_, Ok(byte @ 0..=0x7f)) => self.parser.advance(&mut printed, &[byte]),
                // The one-character forms of ESC @ to ESC _, for which vte has no ear.
                (_, Ok(byte @ 0x80..=0x9f)) => self.parser.advance(&mut printed, &[0x1b, byte - 0x40]),
                _ => self.parser.advance(&mut printed, BEYOND_ASCII),
            }
        }
        printed.text
    }
}

impl std::fmt::Debug for Sanitizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sanitizer").finish_non_exhaustive()
    }
}

/// What a terminal would print.
struct Printed {
    text: String,
    /// The character that the parser looks at.
    char: char,
}

impl Perform for Printed {
    fn print(&mut self, _: char) {
        if is_harmless(self.char) {
            self.text.push(self.char);
        }
    }

    fn execute(&mut self, byte: u8) {
        if byte == b'\t' {
            self.text.push('\t');
        }
    }
}

/// Whether a character only prints itself: no control, nothing that reorders others or hides between them.
fn is_harmless(char: char) -> bool {
    !matches!(char,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        // Marks, embeddings, overrides and isolates of the bidirectional algorithm.
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        // Line and paragraph separators, byte order mark, interlinear annotations, deprecated format characters.
        | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{206a}'..='\u{206f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clean(text: &str) -> String {
        Sanitizer::new().push(text)
    }

    #[test]
    fn fault_51_nothing_that_a_terminal_obeys_is_passed_on() {
        for (hostile, shown) in [
            ("a\u{1b}]52;c;cm0gLXJm\u{7}b", "ab"),
            ("a\u{1b}]52;c;cm0gLXJm\u{1b}\\b", "ab"),
            ("\u{1b}]8;;http://evil.example\u{1b}\\text\u{1b}]8;;\u{1b}\\", "text"),
            ("\u{1b}]0;title\u{7}x", "x"),
            ("a\u{1b}[2J\u{1b}[Hb", "ab"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("a\u{1b}P1$r0m\u{1b}\\b", "ab"),
            ("a\u{1b}_Gq=2;payload\u{1b}\\b", "ab"),
            ("a\u{1b}^private\u{1b}\\b\u{1b}Xsos\u{1b}\\c", "abc"),
            ("a\u{9b}31mb\u{9d}52;c;x\u{9c}c\u{90}q\u{9c}d", "abcd"),
            ("safe\rEVIL", "safeEVIL"),
            ("line\r\nnext", "line\nnext"),
            ("abc\u{8}\u{8}d\u{7}\u{b}\u{c}\u{7f}", "abcd"),
            ("\u{202e}evil\u{202c} \u{2066}x\u{2069} \u{200f}", "evil x "),
            ("\u{1b}[200~paste\u{1b}[201~", "paste"),
            ("\u{1b}c\u{1b}7\u{1b}(0x", "x"),
            ("a\u{1b}Pq日本語\u{1b}\\b\u{1b}]0;日本語\u{7}c\u{1b}_本\u{1b}\\d", "abcd"),
        ] {
            assert_eq!(clean(hostile), shown, "{hostile:?}");
        }
    }

    #[test]
    fn what_is_only_text_is_left_alone() {
        let text = "naïve 日本語 🦀🎉 👩‍👩‍👧 עברית e\u{301}\n\tindented\u{a0}text ‘quoted’ [31m";
        assert_eq!(clean(text), text);
    }

    #[test]
    fn a_sequence_may_be_split_anywhere_but_ends_with_its_line() {
        let mut sanitizer = Sanitizer::new();
        assert_eq!(sanitizer.push("a\u{1b}"), "a");
        assert_eq!(sanitizer.push("]52;c;"), "");
        assert_eq!(sanitizer.push("secret"), "");
        assert_eq!(sanitizer.push("\nthe answer goes on"), "\nthe answer goes on");
    }

    proptest! {
        #[test]
        fn where_the_pieces_are_cut_changes_nothing(
            text in "(\u{1b}[\\[\\]P_()0-9;a-z\u{7}\\\\]{0,6}|[\u{80}-\u{9f}]|\n|.){0,40}",
            cut in 0usize..80,
        ) {
            let chars: Vec<char> = text.chars().collect();
            let (head, tail) = chars.split_at(cut.min(chars.len()));
            let mut sanitizer = Sanitizer::new();
            let mut pieces = sanitizer.push(&head.iter().collect::<String>());
            pieces.push_str(&sanitizer.push(&tail.iter().collect::<String>()));
            prop_assert_eq!(&pieces, &clean(&text));
            let mut source = text.chars();
            prop_assert!(pieces.chars().all(|char| source.any(|source| source == char)), "nothing is made up");
            prop_assert!(pieces.chars().all(|char| matches!(char, '\n' | '\t') || is_harmless(char)));
        }

        #[test]
        fn text_without_controls_is_never_changed(text in "[^\\p{C}\u{2028}\u{2029}]{0,60}") {
            prop_assert_eq!(clean(&text), text);
        }
    }
}
