//! What the agent has said in the turn under way, for whoever asks in the middle of it or after its failure.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::retry::Way;
use crate::event::{Fact, Payload};
use crate::history::Paragraphs;
use crate::stream::Chunk;

/// How much of it is kept, in bytes: its newest part. What is kept on disk is whole.
const LIMIT: usize = 4 * 1024 * 1024;

/// What was said, as far as its events were published.
#[derive(Debug, Default)]
pub(super) struct Answer {
    text: Mutex<String>,
}

impl Answer {
    /// The text, or its newest part where it is very long.
    pub(super) fn text(&self) -> String {
        let text = self.lock();
        newest(&text, LIMIT).to_owned()
    }

    fn lock(&self) -> MutexGuard<'_, String> {
        // A panic while the lock was held cannot have left half a change: see the few lines that hold it.
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gathers an [`Answer`] from the payloads of the events.
#[derive(Debug)]
pub(super) struct AnswerWriter {
    answer: Arc<Answer>,
    /// Said since the last publication.
    fresh: String,
    /// Whether what was published is void.
    anew: bool,
    paragraphs: Paragraphs,
}

impl AnswerWriter {
    pub(super) fn new(answer: Arc<Answer>) -> Self {
        Self { answer, fresh: String::new(), anew: false, paragraphs: Paragraphs::default() }
    }

    /// Takes note of what happens.
    pub(super) fn follow(&mut self, payload: &Payload<'_>) {
        match payload {
            Payload::Chunk(Chunk::TextDelta { content, parent_tool_use_id: None }) => {
                self.fresh.extend([self.paragraphs.before(content), content]);
            }
            Payload::Chunk(
                Chunk::ToolUse { parameters: Some(_), parent_tool_use_id: None, .. }
                | Chunk::ToolParameters { parent_tool_use_id: None, .. },
            ) => self.paragraphs.tool_used(),
            Payload::Fact(Fact::PromptSubmitted { .. }) => self.begin_anew(),
            Payload::Fact(Fact::RetryScheduled { how, .. }) if *how == Way::Repeat.word() => {
                self.begin_anew();
            }
            _ => {}
        }
    }

    fn begin_anew(&mut self) {
        self.anew = true;
        self.fresh.clear();
        self.paragraphs = Paragraphs::default();
    }

    /// Lets others see what was said until now.
    pub(super) fn publish(&mut self) {
        if self.fresh.is_empty() && !self.anew {
            return;
        }
        let mut text = self.answer.lock();
        if std::mem::take(&mut self.anew) {
            text.clear();
            text.shrink_to(LIMIT);
        }
        text.push_str(&self.fresh);
        // Not at every publication: moving the rest to the front costs as much as it is long.
        if text.len() > 2 * LIMIT {
            let forgotten = text.len() - newest(&text, LIMIT).len();
            text.drain(..forgotten);
        }
        drop(text);
        self.fresh.clear();
    }
}

/// The last `limit` bytes of a text, or a little less so that no character is cut.
fn newest(text: &str, limit: usize) -> &str {
    let start = text.len().saturating_sub(limit);
    let start = (start..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(start);
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::json_of;

    fn said(content: &str) -> Payload<'_> {
        Payload::Chunk(Chunk::TextDelta { content: content.into(), parent_tool_use_id: None })
    }

    fn retried(way: Way) -> Payload<'static> {
        Payload::Fact(Fact::RetryScheduled {
            attempt: 2,
            max_tries: 3,
            code: "NETWORK",
            message: "",
            delay_ms: 0,
            until: None,
            how: way.word(),
        })
    }

    fn after(payloads: &[Payload<'_>]) -> String {
        let answer = Arc::new(Answer::default());
        let mut writer = AnswerWriter::new(Arc::clone(&answer));
        for payload in payloads {
            writer.follow(payload);
            writer.publish();
        }
        answer.text()
    }

    #[test]
    fn a_subagents_words_are_not_part_of_it() {
        let subagent =
            Payload::Chunk(Chunk::TextDelta { content: "b".into(), parent_tool_use_id: Some("t".into()) });
        assert_eq!(after(&[said("a"), subagent, said("c")]), "ac");
    }

    #[test]
    fn what_is_said_after_a_tool_begins_a_paragraph_but_not_after_one_of_a_subagent() {
        let used = |parent: Option<&'static str>| {
            Payload::Chunk(Chunk::ToolParameters {
                tool: "Read".into(),
                id: "t".into(),
                parameters: json_of(&serde_json::json!({})),
                parent_tool_use_id: parent.map(Into::into),
            })
        };
        assert_eq!(after(&[said("a."), used(None), said("b"), used(Some("t")), said("c")]), "a.\n\nbc");
    }

    #[test]
    fn an_attempt_that_is_repeated_is_forgotten_and_one_that_is_continued_is_not() {
        assert_eq!(after(&[said("a"), retried(Way::Repeat), said("b")]), "b");
        assert_eq!(after(&[said("a"), retried(Way::Continue), said("b")]), "ab");
        let prompt = Payload::Fact(Fact::PromptSubmitted { prompt: "again", images: &[] });
        assert_eq!(after(&[said("a"), prompt, said("b")]), "b");
    }

    #[test]
    fn what_is_published_together_is_the_same() {
        let answer = Arc::new(Answer::default());
        let mut writer = AnswerWriter::new(Arc::clone(&answer));
        writer.follow(&said("void"));
        writer.publish();
        for payload in [said("void too"), retried(Way::Repeat), said("a"), said("b")] {
            writer.follow(&payload);
        }
        assert_eq!(answer.text(), "void");
        writer.publish();
        assert_eq!(answer.text(), "ab");
    }

    #[test]
    fn of_a_very_long_one_the_newest_part_is_kept() {
        let answer = Arc::new(Answer::default());
        let mut writer = AnswerWriter::new(Arc::clone(&answer));
        let piece = "é🦀 ".repeat(10_000);
        for _ in 0..300 {
            writer.follow(&said(&piece));
            writer.publish();
        }
        let text = answer.text();
        assert!(piece.repeat(300).ends_with(&text));
        assert!((LIMIT - 4..=LIMIT).contains(&text.len()));
        assert!(answer.lock().capacity() <= 4 * LIMIT);
    }
}
