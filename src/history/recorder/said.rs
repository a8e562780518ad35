//! The text of the run under way.

use crate::history::cut_before;
use crate::history::paragraphs::Paragraphs;
use crate::history::redact::RedactedText;

/// So much of a turn's text is remembered at least, to be compared with the answer of its result.
const SAID_LIMIT: usize = 256 * 1024;

#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) run_id: String,
    pub(super) redacted: RedactedText,
    /// The end of all that was said in this run, and how much that was.
    text: String,
    bytes: usize,
    pub(super) paragraphs: Paragraphs,
}

impl Said {
    pub(super) fn of(run_id: String) -> Self {
        Self { run_id, ..Self::default() }
    }

    pub(super) fn remember(&mut self, piece: &str) {
        let gap = self.paragraphs.before(piece);
        self.bytes += gap.len() + piece.len();
        self.text.extend([gap, piece]);
        if self.text.len() > 2 * SAID_LIMIT {
            let from = cut_before(&self.text, self.text.len() - SAID_LIMIT);
            self.text.drain(..from);
        }
    }

    /// Whether what was said ends with `content`, as far as it is remembered.
    pub(super) fn ends_with(&self, content: &str) -> bool {
        let (said, content) = (self.text.trim_end(), content.trim_end());
        if content.len() <= said.len() {
            return said.ends_with(content);
        }
        let forgotten = self.bytes > self.text.len();
        forgotten && content.len() <= self.bytes && content.ends_with(said)
    }
}
