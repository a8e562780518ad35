//! The actor of a session: its state, and the loop that waits for whatever comes next.
//!
//! - `begin.rs`: how a turn begins. `hearing.rs`: what the agent says in it. `questions.rs`: what it asks.
//! - `again.rs`: how an attempt at a turn ends, and the next one begins. `ending.rs`: how turns and the session end.
//! - `stopping.rs`: how a turn is stopped. `spending.rs`: what turns may use, and did.
//! - `saving.rs`: what is written down, and how long the disk is waited for.
//! - `told.rs`: what the run itself tells.

mod again;
mod begin;
mod ending;
mod hearing;
mod questions;
mod saving;
mod spending;
mod stopping;
mod told;

use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use self::saving::DiskTask;
use super::answer::Answer;
use super::cancel::{Cancellation, StopCause};
use super::dispatcher::Dispatcher;
use super::journal::Journal;
use super::session::{Message, SessionOptions};
use super::turn::{Ended, Turn};
use crate::agent::{Agent, Dialect, TurnEnd};
use crate::error::{Error, ErrorKind};
use crate::history::{Recorder, State};
use crate::process::{Activity, Process};
use crate::stream::{EventQueue, FrameDecoder, Packer};
use crate::usage::{PriceTable, Usage};

/// An agent that always has something to read would keep the runtime from looking at anything else: exits, timers.
const READS_PER_YIELD: u32 = 8;

/// Owns the process of a session and runs its turns.
pub(super) struct Executor {
    agent: Arc<dyn Agent>,
    options: SessionOptions,
    inbox: mpsc::UnboundedReceiver<Message>,
    /// Taken from the inbox to be looked at, and not acted upon yet.
    waiting: VecDeque<Message>,
    dispatcher: Dispatcher,
    journal: Journal,
    live: Option<Live>,
    /// What the next process speaks, where one dialect serves all processes of the session.
    dialect: Option<Box<dyn Dialect>>,
    turn: Option<Turn>,
    turns: u64,
    /// Those who wait for the end of the turn under way.
    cancelled: Vec<oneshot::Sender<()>>,
    /// The turn that is over and that nobody has been told of, because its end has not been written down.
    ended: Option<Ended>,
    /// Changes to be written down as soon as there is something to write them to.
    unwritten: Vec<State>,
    /// The prompt of the turn under way, to be given to a new process that resumes nothing.
    restart: Option<String>,
    agent_session_id: Option<String>,
    /// What the conversation has used, the turn under way not included.
    spent: Usage,
    /// Whether the prices of the project were read.
    priced: bool,
    /// What the disk was asked for and has not answered.
    opening: DiskTask<Recorder>,
    pricing: DiskTask<PriceTable>,
    counting: DiskTask<()>,
    /// Whether the end of the last turn was not written down because the disk did not answer.
    disk_hangs: bool,
    /// Since when the disk has been slower than the agent.
    behind_since: Option<Instant>,
}

/// A running process and what it speaks.
struct Live {
    process: Process,
    dialect: Box<dyn Dialect>,
    frames: FrameDecoder,
    /// Whether it said that it is ready. One that did not may be there all the same when a turn begins.
    ready: bool,
    /// Whether it was started to resume a conversation and has not said yet that it did.
    resumes: bool,
    /// The agent's own limit of model requests in a turn, which it was started with.
    max_turns: Option<u64>,
}

/// What the actor acts on next.
enum Step {
    Message(Option<Message>),
    Activity(Activity),
    /// Nothing but to look again: there is room in the queue, or a deadline has passed.
    Check,
    FlushDue,
    RetryDue,
    CancelDue,
    /// The disk has been slower than the agent for too long.
    SlowDisk,
    TimedOut(ErrorKind),
}

impl Executor {
    pub(super) fn new(
        agent: Arc<dyn Agent>,
        options: SessionOptions,
        queue: Arc<EventQueue>,
        answer: Arc<Answer>,
        inbox: mpsc::UnboundedReceiver<Message>,
    ) -> Self {
        let packer = options.json_lines.as_deref().map_or_else(Packer::default, Packer::with_json_lines);
        let dispatcher = Dispatcher::new(queue, packer, answer, options.flush_window);
        let agent_session_id = options.agent.resume.clone();
        let session = options.record.as_ref().map(|record| record.session_id.clone()).unwrap_or_default();
        let journal = Journal::new(session, options.log.clone());
        let spent = options.spent.clone();
        Self {
            agent,
            options,
            inbox,
            waiting: VecDeque::new(),
            dispatcher,
            journal,
            live: None,
            dialect: None,
            turn: None,
            turns: 0,
            cancelled: Vec::new(),
            ended: None,
            unwritten: Vec::new(),
            restart: None,
            agent_session_id,
            spent,
            priced: false,
            opening: DiskTask::default(),
            pricing: DiskTask::default(),
            counting: DiskTask::default(),
            disk_hangs: false,
            behind_since: None,
        }
    }

    /// Runs until the session is ended or its last handle is dropped.
    pub(super) async fn run(mut self) {
        let mut reads: u32 = 0;
        let ended = loop {
            match self.next_step().await {
                Step::Message(Some(Message::End { done })) => break Some(done),
                Step::Message(None) => break None,
                Step::Message(Some(message)) => self.message(message).await,
                Step::Activity(Activity::Output(_)) => {
                    self.output().await;
                    reads += 1;
                    if reads.is_multiple_of(READS_PER_YIELD) {
                        tokio::task::yield_now().await;
                    }
                }
                Step::Activity(Activity::Ended(exit)) => self.process_ended(exit).await,
                Step::Activity(Activity::NotStarted(error)) => {
                    self.live = None;
                    self.dispatcher.tick();
                    self.attempt_ended(TurnEnd { error: Some(error), ..TurnEnd::default() });
                }
                Step::Check => {}
                Step::FlushDue => self.dispatcher.publish(),
                Step::RetryDue => self.resume_turn().await,
                Step::CancelDue => self.escalate(),
                Step::SlowDisk => self.give_up_recording(),
                Step::TimedOut(kind) => self.timed_out(kind),
            }
            if let Some(prompt) = self.restart.take() {
                self.begin_anew(&prompt).await;
            }
            self.conclude().await;
            self.dispatcher.flush();
            if let (Some(live), Some(_)) = (&mut self.live, self.dispatcher.window_end()) {
                live.process.pause_reading();
            }
        };
        self.end().await;
        if let Some(done) = ended {
            // The caller may have given up waiting.
            let _ = done.send(());
        }
    }

    async fn next_step(&mut self) -> Step {
        if let Some(message) = self.waiting.pop_front() {
            return Step::Message(Some(message));
        }
        let full = self.dispatcher.is_full();
        // A consumer that does not consume must not keep a cancelled agent alive: its output is then dropped.
        let cancelled = self.turn.as_ref().is_some_and(|turn| turn.cancellation.is_some());
        let queue = self.dispatcher.queue();
        let flush = self.dispatcher.window_end();
        let slow = self.slow_until();
        let may_read = ((!full && flush.is_none()) || cancelled) && slow.is_none();
        let cancel =
            self.turn.as_ref().and_then(|turn| turn.cancellation.as_ref()).map(Cancellation::deadline);
        if cancel.is_some_and(|deadline| deadline <= Instant::now()) {
            return Step::CancelDue;
        }
        if slow.is_some_and(|until| until <= Instant::now()) {
            return Step::SlowDisk;
        }
        let stalled = full || slow.is_some();
        let watchdog = self.turn.as_ref().and_then(|turn| turn.watchdog(stalled));
        if let Some((deadline, kind)) = watchdog
            && deadline <= Instant::now()
        {
            // Not left to the timer alone: an agent that talks without a pause always has something ready.
            return Step::TimedOut(kind);
        }
        let caught_up = slow.map(|_| self.dispatcher.caught_up());
        let retry = self.turn.as_ref().and_then(|turn| turn.pause).map(|pause| pause.until);
        let live = self.live.as_mut();
        let activity = async {
            match live {
                Some(live) => live.process.activity(live.frames.buffer(), may_read).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            message = self.inbox.recv() => Step::Message(message),
            () = at(cancel) => Step::CancelDue,
            () = at(flush) => Step::FlushDue,
            () = at(retry) => Step::RetryDue,
            () = at(watchdog.map(|(deadline, _)| deadline)) => Step::Check,
            activity = activity => Step::Activity(activity),
            () = queue.room(), if full => Step::Check,
            () = waited_for(caught_up) => Step::Check,
            () = at(slow) => Step::Check,
        }
    }

    fn with_live(&mut self, act: impl FnOnce(&mut Self, &mut Live)) {
        if let Some(mut live) = self.live.take() {
            act(self, &mut live);
            self.live = Some(live);
        }
    }

    async fn message(&mut self, message: Message) {
        match message {
            Message::Turn { options, images, accepted } => {
                let (done, finished) = oneshot::channel();
                let begun = match self.account(options.budget).used_up() {
                    _ if self.turn.is_some() => Err(Error::SessionBusy),
                    Some(exceeded) => Err(Error::BudgetExceeded { exceeded }),
                    None if !images.is_empty() && !self.agent.takes_images() => {
                        Err(begin::takes_no_images(&*self.agent))
                    }
                    None => Ok(finished),
                };
                let begins = begun.is_ok();
                // The caller may have given up waiting; the turn's events are in the queue all the same.
                let _ = accepted.send(begun);
                if begins {
                    self.begin(*options, images, done).await;
                }
            }
            Message::Configure { agent, options, done } => {
                let _ = done.send(self.configure(agent, *options).await);
            }
            Message::Note(state) => match self.dispatcher.recorder() {
                Some(recorder) if !recorder.gave_up() => recorder.state(*state),
                _ if self.options.record.is_some() => self.unwritten.push(*state),
                _ => {}
            },
            Message::Save { done } => self.save(done).await,
            Message::Cancel { done } => {
                self.cancelled.push(done);
                self.stop(StopCause::Asked);
            }
            Message::Respond { id, decision, known } => {
                let question = self.take_question(&id);
                let _ = known.send(question.is_some());
                self.with_live(|executor, live| {
                    if let Some(question) = question {
                        executor.answer(&question, &decision, "user", live);
                    }
                });
            }
            Message::End { .. } => unreachable!("the loop takes it"),
        }
    }
}

/// Waits for what there is, for ever if there is nothing.
async fn waited_for(future: Option<impl Future<Output = ()>>) {
    match future {
        Some(future) => future.await,
        None => pending().await,
    }
}

/// Waits until a time, for ever if there is none.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}
