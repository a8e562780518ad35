//! What was observed and waits to be written.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;

use super::note::Note;
use crate::error::Result;

/// How long a piece of text may wait to be written.
pub const CHECKPOINT: Duration = Duration::from_millis(200);

/// How much is kept while it cannot be written, in bytes.
pub const BACKLOG_LIMIT: usize = 4 * 1024 * 1024;

/// So much text is written at once, however long it has waited, in bytes.
pub(super) const TEXT_LIMIT: usize = 64 * 1024;

/// Somebody who waits until everything so far is durable.
pub(super) type Waiter = oneshot::Sender<Result<()>>;

#[derive(Debug, Default)]
pub(super) struct Backlog {
    notes: VecDeque<Note>,
    /// What the notes weigh.
    bytes: usize,
    /// What was said since the last note, by the main agent of `text_run`.
    text: String,
    text_run: String,
    has_text: bool,
    waiters: Vec<Waiter>,
    closing: bool,
}

/// What is written at once.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) notes: VecDeque<Note>,
    pub(super) waiters: Vec<Waiter>,
    /// Whether nothing comes after it.
    pub(super) closing: bool,
}

/// When something is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    Now,
    /// A [`CHECKPOINT`] later at most.
    Soon,
    /// With what came before it.
    Along,
}

impl Backlog {
    pub(super) fn say(&mut self, piece: &str, run_id: &str, timestamp: u64) -> Urgency {
        let mut urgency = Urgency::Along;
        if !self.has_text || self.text_run != run_id {
            self.end_text(timestamp, false);
            run_id.clone_into(&mut self.text_run);
            self.has_text = true;
            urgency = Urgency::Soon;
        }
        let before = self.text.len();
        self.text.push_str(piece);
        if before < TEXT_LIMIT && self.text.len() >= TEXT_LIMIT {
            urgency = Urgency::Now;
        }
        urgency
    }

    pub(super) fn note(&mut self, note: Note) {
        self.end_text(note.timestamp(), true);
        self.push(note);
    }

    /// Has everything so far made durable, and `waiter` told.
    pub(super) fn sync(&mut self, waiter: Waiter, timestamp: u64) {
        self.end_text(timestamp, true);
        self.waiters.push(waiter);
    }

    /// Nothing comes after what is there.
    pub(super) fn close(&mut self) {
        self.closing = true;
    }

    /// About how much memory it takes, in bytes.
    pub(super) fn weight(&self) -> usize {
        self.bytes + self.text.len()
    }

    /// Whether there is anything that is not to wait.
    pub(super) fn is_urgent(&self) -> bool {
        !self.notes.is_empty() || !self.waiters.is_empty() || self.closing || self.text.len() >= TEXT_LIMIT
    }

    /// Whether there is text that may wait.
    pub(super) fn has_text(&self) -> bool {
        self.has_text
    }

    /// Takes everything out.
    pub(super) fn take(&mut self, timestamp: u64) -> Batch {
        if self.has_text || self.closing {
            self.end_text(timestamp, self.closing);
        }
        self.bytes = 0;
        Batch {
            notes: std::mem::take(&mut self.notes),
            waiters: std::mem::take(&mut self.waiters),
            closing: self.closing,
        }
    }

    /// Turns the text so far into a note. `last`: no more of it follows before something else does.
    fn end_text(&mut self, timestamp: u64, last: bool) {
        self.has_text = false;
        if self.text.is_empty() && !last {
            return;
        }
        let content = std::mem::take(&mut self.text);
        self.push(Note::Text { timestamp, run_id: self.text_run.clone(), content, last });
    }

    fn push(&mut self, note: Note) {
        self.bytes += note.weight();
        self.notes.push_back(note);
    }
}
