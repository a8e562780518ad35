//! An answer, put together from what was said before, between and after the tools of a turn.

/// Where a paragraph begins: agents say something, use a tool, and say something else without a blank between the two.
#[derive(Debug, Default)]
pub(crate) struct Paragraphs {
    after_tool: bool,
    after_word: bool,
}

impl Paragraphs {
    /// The main agent used a tool.
    pub(crate) fn tool_used(&mut self) {
        self.after_tool = true;
    }

    /// What stands between what was said so far and the next piece.
    pub(crate) fn before(&mut self, piece: &str) -> &'static str {
        let Some(first) = piece.chars().next() else { return "" };
        let begins = std::mem::take(&mut self.after_tool) && self.after_word && !first.is_whitespace();
        self.after_word = !piece.ends_with(char::is_whitespace);
        if begins { "\n\n" } else { "" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_begins_after_a_tool_where_words_would_touch() {
        for (pieces, expected) in [
            (&["I look.", "TOOL", "It is", " there."][..], "I look.\n\nIt is there."),
            (&["I look.", "TOOL", "TOOL", "", "It is."], "I look.\n\nIt is."),
            (&["I look.\n", "TOOL", "It is."], "I look.\nIt is."),
            (&["I look.", "TOOL", " It is."], "I look. It is."),
            (&["TOOL", "It is."], "It is."),
            (&["one", "word"], "oneword"),
        ] {
            let mut paragraphs = Paragraphs::default();
            let mut said = String::new();
            for piece in pieces {
                if *piece == "TOOL" {
                    paragraphs.tool_used();
                } else {
                    said.push_str(paragraphs.before(piece));
                    said.push_str(piece);
                }
            }
            assert_eq!(said, expected, "{pieces:?}");
        }
    }
}
