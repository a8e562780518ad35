//! A session that is being written down: what its observer and the thread that writes it share.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use super::backlog::{BACKLOG_LIMIT, Backlog, Batch, TEXT_LIMIT, Urgency, Waiter};
use super::failure::Failure;
use super::note::Note;
use super::scribe::Scribe;
use super::writers::{self, Work};
use crate::error::{Error, Result};
use crate::history::conversation::Conversation;
use crate::history::now;
use crate::history::redact::Redactor;

#[derive(Debug)]
pub(super) struct Recording {
    path: PathBuf,
    state: Mutex<State>,
    /// Held by the thread that writes, while it writes; gone when the recording is over.
    pen: Mutex<Option<Pen>>,
    /// Whether the backlog is at its limit.
    behind: AtomicBool,
    caught_up: Notify,
}

#[derive(Debug, Default)]
struct State {
    backlog: Backlog,
    /// Whether a thread writes it, or will as soon as there is one.
    at_work: bool,
    alarm: Alarm,
    /// Whether nobody writes any more.
    stopped: bool,
    /// Whether that is because too much could not be written.
    gave_up: bool,
    failure: Option<Failure>,
}

/// What the clock knows of text that waits.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Alarm {
    #[default]
    Off,
    Set,
    /// It has waited long enough.
    Rung,
}

/// What writes.
#[derive(Debug)]
struct Pen {
    conversation: Conversation,
    scribe: Scribe,
    /// Lines that are not in the file yet.
    lines: Vec<u8>,
    /// Whether the file has, or `lines` have, what is to be durable and is not yet.
    durable: bool,
}

impl Recording {
    pub(super) fn of(conversation: Conversation, redactor: Redactor) -> Self {
        let path = conversation.path().to_owned();
        let scribe = Scribe::new(redactor);
        Self {
            path,
            state: Mutex::default(),
            pen: Mutex::new(Some(Pen { conversation, scribe, lines: Vec::new(), durable: false })),
            behind: AtomicBool::new(false),
            caught_up: Notify::new(),
        }
    }

    pub(super) fn say(self: &Arc<Self>, piece: &str, run_id: &str, timestamp: u64) {
        let mut state = self.lock();
        if state.stopped || piece.is_empty() {
            return;
        }
        match state.backlog.say(piece, run_id, timestamp) {
            Urgency::Now => self.to_work(&mut state),
            Urgency::Soon if state.alarm == Alarm::Off => {
                state.alarm = Alarm::Set;
                writers::write_later(Arc::<Self>::clone(self));
            }
            Urgency::Soon | Urgency::Along => {}
        }
        self.weigh(&state);
    }

    pub(super) fn note(self: &Arc<Self>, note: Note) {
        let mut state = self.lock();
        if !state.stopped {
            state.backlog.note(note);
            self.to_work(&mut state);
            self.weigh(&state);
        }
    }

    /// Has everything so far made durable; the answer tells when it is, or why it is not.
    pub(super) fn sync(self: &Arc<Self>) -> oneshot::Receiver<Result<()>> {
        self.ask(&mut self.lock())
    }

    /// The same, and ends the recording.
    pub(super) fn close(self: &Arc<Self>) -> oneshot::Receiver<Result<()>> {
        let mut state = self.lock();
        state.backlog.close();
        self.ask(&mut state)
    }

    fn ask(self: &Arc<Self>, state: &mut State) -> oneshot::Receiver<Result<()>> {
        let (waiter, answer) = oneshot::channel();
        if state.stopped {
            // The receiver is here.
            let _ = waiter.send(Failure::outcome(state.failure.as_ref()));
        } else {
            state.backlog.sync(waiter, now());
            self.to_work(state);
        }
        answer
    }

    /// Ends the recording when all is written; nobody waits for that.
    pub(super) fn end(self: &Arc<Self>) {
        let mut state = self.lock();
        if !state.stopped {
            state.backlog.close();
            self.to_work(&mut state);
        }
    }

    pub(super) fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Relaxed)
    }

    pub(super) async fn caught_up(&self) {
        while self.is_behind() {
            self.caught_up.notified().await;
        }
    }

    pub(super) fn unanswered(&self, waited: Duration) -> Failure {
        Failure::unanswered(self.path.clone(), waited)
    }

    /// Lets go of all that waits.
    pub(super) fn give_up(self: &Arc<Self>, waited: Duration) {
        let mut state = self.lock();
        if state.stopped {
            return;
        }
        state.stopped = true;
        state.gave_up = true;
        let failure = state.failure.insert(self.unanswered(waited)).clone();
        let waiters = state.backlog.take(now()).waiters;
        self.weigh(&state);
        // Whoever has the pen puts it down when the disk answers at last.
        self.to_work(&mut state);
        drop(state);
        answer(waiters, Some(&failure));
    }

    pub(super) fn gave_up(&self) -> bool {
        self.lock().gave_up
    }

    pub(super) fn failure(&self) -> Option<Error> {
        self.lock().failure.as_ref().map(Failure::error)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn to_work(self: &Arc<Self>, state: &mut State) {
        if !std::mem::replace(&mut state.at_work, true) {
            writers::write(Arc::<Self>::clone(self));
        }
    }

    /// Looks whether the backlog is at its limit.
    fn weigh(&self, state: &State) {
        let behind = !state.stopped && state.backlog.weight() >= BACKLOG_LIMIT;
        if self.behind.swap(behind, Ordering::Relaxed) && !behind {
            self.caught_up.notify_one();
        }
    }

    fn take(&self) -> Batch {
        let mut state = self.lock();
        if state.alarm == Alarm::Rung {
            state.alarm = Alarm::Off;
        }
        let batch = state.backlog.take(now());
        self.weigh(&state);
        batch
    }
}

impl Work for Recording {
    fn write(&self) -> bool {
        let mut place = self.pen.lock().unwrap_or_else(PoisonError::into_inner);
        let _stopped = StoppedByPanic(self);
        let Some(pen) = &mut *place else { return false };
        let Batch { notes, mut waiters, closing } = self.take();
        let outcome = pen.write(notes, !waiters.is_empty() || closing);

        let mut state = self.lock();
        if state.gave_up {
            let failure = state.failure.clone();
            *place = None;
            drop(state);
            answer(waiters, failure.as_ref());
            return false;
        }
        let failure = outcome.err().map(|error| Failure::of(&error));
        state.failure.clone_from(&failure);
        let too_much = pen.lines.len() > BACKLOG_LIMIT;
        state.gave_up = too_much && !pen.conversation.is_broken();
        state.stopped = closing || too_much;
        let goes_on = !state.stopped && (state.alarm == Alarm::Rung || state.backlog.is_urgent());
        state.at_work = goes_on;
        if state.stopped {
            waiters.extend(state.backlog.take(now()).waiters);
            self.weigh(&state);
            // The session is no longer open when it is told that it was closed.
            *place = None;
        }
        drop(state);
        drop(place);
        answer(waiters, failure.as_ref());
        goes_on
    }

    fn is_due(&self) -> bool {
        let mut state = self.lock();
        let rings = !state.stopped && state.backlog.has_text();
        state.alarm = if rings { Alarm::Rung } else { Alarm::Off };
        rings && !std::mem::replace(&mut state.at_work, true)
    }
}

/// Nobody waits for a thread that panicked.
struct StoppedByPanic<'a>(&'a Recording);

impl Drop for StoppedByPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let mut state = self.0.lock();
            state.stopped = true;
            drop(state.backlog.take(now()));
            self.0.weigh(&state);
        }
    }
}

fn answer(waiters: Vec<Waiter>, failure: Option<&Failure>) {
    for waiter in waiters {
        // Whoever asked may have given up waiting.
        let _ = waiter.send(Failure::outcome(failure));
    }
}

impl Pen {
    /// Writes the notes behind what could not be written before, and makes all durable where it has to be or is asked
    /// for.
    fn write(&mut self, notes: impl IntoIterator<Item = Note>, sync: bool) -> Result<()> {
        for note in notes {
            self.durable |= self.scribe.write(note, &mut self.lines);
        }
        if !self.lines.is_empty() {
            self.conversation.append(&self.lines)?;
            self.lines.clear();
            self.lines.shrink_to(TEXT_LIMIT);
        }
        if self.durable || sync {
            self.conversation.sync()?;
            self.durable = false;
        }
        Ok(())
    }
}
