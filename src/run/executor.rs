//! The actor of a session. How a turn begins is in `begin.rs`, how an attempt at it ends in `again.rs`, what turns may use in
//! `spending.rs`.

mod again;
mod begin;
mod spending;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::answer::Answer;
use super::cancel::{Cancellation, Measure, StopCause};
use super::dispatcher::Dispatcher;
use super::journal::Journal;
use super::session::{Message, SessionOptions};
use super::sink::{Heard, RunSink};
use super::turn::{Ended, Output, Turn};
use crate::agent::{Agent, Decision, Dialect, PermissionRequest, Signal, TurnEnd};
use crate::error::{Error, ErrorKind, ErrorReport, Result, Symptoms};
use crate::event::Fact;
use crate::history::State;
use crate::process::{Activity, Exit, Process};
use crate::stream::{Chunk, EventQueue, Frame, FrameDecoder, Packer, json_of};
use crate::usage::Usage;

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
        let may_read = (!full && flush.is_none()) || cancelled;
        let cancel =
            self.turn.as_ref().and_then(|turn| turn.cancellation.as_ref()).map(Cancellation::deadline);
        if cancel.is_some_and(|deadline| deadline <= Instant::now()) {
            return Step::CancelDue;
        }
        let watchdog = self.turn.as_ref().and_then(|turn| turn.watchdog(full));
        if let Some((deadline, kind)) = watchdog
            && deadline <= Instant::now()
        {
            // Not left to the timer alone: an agent that talks without a pause always has something ready.
            return Step::TimedOut(kind);
        }
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
            Message::Save { done } => {
                let _ = done.send(self.save().await);
            }
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

    /// Decodes what was read.
    async fn output(&mut self) {
        if let Some(turn) = &mut self.turn {
            turn.last_output = Instant::now();
        }
        if let Some(mut live) = self.live.take() {
            let drop_chunks = self.dispatcher.is_full();
            self.decode(&mut live, FrameDecoder::next_frame, drop_chunks).await;
            self.live = Some(live);
        }
    }

    /// Decodes the frames that `next` finds, and acts on each before the next one.
    async fn decode(
        &mut self,
        live: &mut Live,
        next: for<'a> fn(&'a mut FrameDecoder) -> Option<Frame<'a>>,
        drop_chunks: bool,
    ) {
        let now = self.dispatcher.tick();
        while let Some(frame) = next(&mut live.frames) {
            let mut sink = self.sink(drop_chunks);
            sink.frame(&frame, now, &mut *live.dialect);
            let heard = sink.heard();
            self.act_on_all(heard, live).await;
        }
    }

    fn sink(&mut self, drop_chunks: bool) -> RunSink<'_> {
        RunSink {
            dispatcher: &mut self.dispatcher,
            agent: &*self.agent,
            output: self.turn.as_mut().map(|turn| &mut turn.output),
            drop_chunks,
            heard: Heard::default(),
        }
    }

    async fn act_on_all(&mut self, heard: Heard, live: &mut Live) {
        if heard.used {
            self.keep_to_budget(live);
        }
        for signal in heard.signals {
            self.act_on(signal, live);
            self.conclude().await;
        }
    }

    fn with_live(&mut self, act: impl FnOnce(&mut Self, &mut Live)) {
        if let Some(mut live) = self.live.take() {
            act(self, &mut live);
            self.live = Some(live);
        }
    }

    fn act_on(&mut self, signal: Signal, live: &mut Live) {
        match signal {
            Signal::Ready { agent_session_id } => self.ready(agent_session_id, live),
            Signal::Permission(request) => self.permission(request, live),
            Signal::PermissionWithdrawn(id) => {
                if let Some(question) = self.take_question(&id) {
                    self.resolved(&question, "withdrawn", "agent", None);
                }
            }
            Signal::Reply(bytes) => live.process.write(bytes),
            Signal::TurnEnded(end) => {
                if !self.must_begin_anew(end.error.as_ref()) {
                    self.attempt_ended(end);
                }
            }
        }
    }

    fn ready(&mut self, agent_session_id: Option<String>, live: &mut Live) {
        if agent_session_id.is_some() && agent_session_id != self.agent_session_id {
            self.agent_session_id.clone_from(&agent_session_id);
            if let Some(recorder) = self.dispatcher.recorder() {
                recorder.state(State { agent_session_id, ..State::default() });
            }
        }
        live.ready = true;
        if std::mem::take(&mut live.resumes) {
            self.dispatcher.chunk(resumed("agent", None));
        }
        if let Some(turn) = &mut self.turn {
            turn.output.ready = true;
            turn.interruptible = true;
        }
        self.interrupt_if_cancelled(live);
    }

    fn permission(&mut self, request: PermissionRequest, live: &mut Live) {
        match (self.options.agent.permissions.decide(&request), &mut self.turn) {
            (Some((decision, by)), _) => self.answer(&request, &decision, by, live),
            (None, Some(turn)) => {
                self.dispatcher.chunk(Chunk::PermissionRequest {
                    id: (&request.id).into(),
                    tool: (&request.tool).into(),
                    parameters: Cow::Borrowed(&*request.parameters),
                    tool_use_id: request.tool_use_id.as_ref().map(Into::into),
                    suggestions: request.suggestions.as_deref().map(Cow::Borrowed),
                });
                turn.questions.push(request);
            }
            (None, None) => {
                let message = "no turn is running that could be asked".to_owned();
                self.answer(&request, &Decision::Deny { message }, "default", live);
            }
        }
    }

    fn take_question(&mut self, id: &str) -> Option<PermissionRequest> {
        let questions = &mut self.turn.as_mut()?.questions;
        let index = questions.iter().position(|question| question.id == id)?;
        Some(questions.remove(index))
    }

    fn answer(
        &mut self,
        question: &PermissionRequest,
        decision: &Decision,
        decided_by: &'static str,
        live: &mut Live,
    ) {
        live.process.write(live.dialect.answer(question, decision));
        match decision {
            Decision::Allow { .. } => self.resolved(question, "allow", decided_by, None),
            Decision::Deny { message } => self.resolved(question, "deny", decided_by, Some(message)),
        }
    }

    fn resolved(
        &mut self,
        question: &PermissionRequest,
        behavior: &'static str,
        decided_by: &'static str,
        message: Option<&str>,
    ) {
        let (id, tool) = (&question.id, &question.tool);
        self.journal.permission_resolved(tool, behavior, decided_by);
        self.dispatcher.fact(Fact::PermissionResolved { id, tool, behavior, decided_by, message });
    }

    /// The process has ended by itself, or because the cancellation came to that.
    async fn process_ended(&mut self, exit: Exit) {
        let Some(mut live) = self.live.take() else { return };
        self.journal.process_ended(exit);
        self.decode(&mut live, FrameDecoder::next_frame, false).await;
        self.decode(&mut live, FrameDecoder::finish, false).await;
        let mut sink = self.sink(false);
        live.dialect.ended(exit.code, &mut sink);
        let heard = sink.heard();
        self.act_on_all(heard, &mut live).await;
        if let Some(turn) = &self.turn {
            if turn.cancellation.is_some() {
                // Whoever cancelled is told when nothing is left.
                live.process.gone(self.options.cancel.grace).await;
            }
            let stderr_tail = live.process.stderr_tail().await;
            let error = ending(self.agent.name(), &turn.output, exit, stderr_tail);
            if let Some(agent) = self.other_way(exit, &error) {
                return self.fall_back(agent, &error).await;
            }
            if !self.must_begin_anew(Some(&error)) {
                self.attempt_ended(TurnEnd { error: Some(error), ..TurnEnd::default() });
            }
        }
        self.keep_dialect(live.dialect);
        self.conclude().await;
        self.dispatcher.publish();
    }

    /// Ends the turn under way with all that belongs to its end, in one order for every ending.
    fn settle(&mut self, end: TurnEnd) {
        let Some(turn) = self.turn.take() else { return };
        let usage = self.dispatcher.usage().clone();
        self.spent = self.spent.plus(&usage);
        let keeps_content = matches!(end.error, None | Some(Error::BudgetExceeded { .. }));
        let stop_reason = match &end.error {
            Some(Error::Cancelled) => "cancelled".into(),
            Some(_) => "error".into(),
            None => end.stop_reason.map_or("end_turn".into(), Into::into),
        };
        self.ended = Some(Ended {
            done: turn.done,
            run_id: turn.run_id,
            content: if keeps_content { end.content } else { String::new() },
            attempts: turn.attempts.number,
            error: end.error.map(|error| ErrorReport {
                needs_consent: turn.attempts.needs_consent,
                changed: turn.attempts.changed || turn.output.changed,
                attempts: if turn.attempts.number > 1 { turn.attempts.context.failures } else { Vec::new() },
                ..error.report()
            }),
            stop_reason,
            usage,
            duration_ms: u64::try_from(turn.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            turns: turn.attempts.model_turns + end.turns,
            tools_used: self.dispatcher.take_tools_used(),
            agent_session_id: self.agent_session_id.clone(),
        });
    }

    /// Tells that the turn is over, when that has been written down.
    async fn conclude(&mut self) {
        let Some(ended) = self.ended.take() else { return };
        self.journal.turn_ended(&ended);
        for payload in ended.payloads() {
            self.dispatcher.write_down(payload);
        }
        let counted = self.counted(&ended);
        let (saved, counted) = tokio::join!(self.dispatcher.saved(), counted);
        for error in [saved, counted].into_iter().filter_map(Result::err) {
            self.journal.not_saved(&error.report().error);
            self.dispatcher.chunk(status("not_saved", &[("message", &error.report().error)]));
        }
        for payload in ended.payloads() {
            self.dispatcher.tell(payload);
        }
        self.dispatcher.publish();
        // Those who wait may have given up.
        let _ = ended.done.send(());
        for done in self.cancelled.drain(..) {
            let _ = done.send(());
        }
    }

    fn timed_out(&mut self, kind: ErrorKind) {
        let Some(turn) = &self.turn else { return };
        let limit = match kind {
            ErrorKind::StartTimeout => turn.timeouts.start,
            ErrorKind::IdleTimeout => turn.timeouts.idle,
            _ => turn.timeouts.total,
        };
        self.stop(StopCause::Timeout(kind, limit));
    }

    /// Begins to stop the turn under way; the first cause is the one that counts.
    fn stop(&mut self, cause: StopCause) {
        let Some(turn) = &mut self.turn else {
            for done in self.cancelled.drain(..) {
                let _ = done.send(());
            }
            return;
        };
        let times = self.options.cancel;
        self.journal.stopping(cause.word());
        turn.cancellation.get_or_insert_with(|| Cancellation::new(cause, times, Instant::now()));
        if turn.pause.is_some() {
            // Nothing runs that would have to be stopped.
            return self.abandon_turn();
        }
        self.with_live(Self::interrupt_if_cancelled);
    }

    fn interrupt_if_cancelled(&mut self, live: &mut Live) {
        let Some(turn) = &mut self.turn else { return };
        let Some(cancellation) = &mut turn.cancellation else { return };
        if !turn.interruptible || !cancellation.interrupt() {
            return;
        }
        match live.dialect.interrupt() {
            Some(interrupt) => live.process.write(interrupt),
            // An agent that cannot be asked is not waited for.
            None => take_measure(cancellation.escalate(Instant::now()), self.options.cancel.grace, live),
        }
    }

    fn escalate(&mut self) {
        let (Some(turn), Some(live)) = (&mut self.turn, &mut self.live) else { return };
        if let Some(cancellation) = &mut turn.cancellation {
            take_measure(cancellation.escalate(Instant::now()), self.options.cancel.grace, live);
        }
    }

    /// Ends the session: the turn as cancelled, then the process.
    async fn end(&mut self) {
        self.dispatcher.tick();
        if let Some(live) = self.live.take() {
            let grace = self.options.cancel.grace;
            // A process in the middle of a turn would go on with it; it is asked to end at once.
            let linger = if self.turn.is_some() { Duration::ZERO } else { self.options.linger };
            live.process.terminate(linger, grace).await;
        }
        self.dispatcher.tick();
        self.abandon_turn();
        self.conclude().await;
        if let Err(error) = self.dispatcher.close_record().await {
            self.dispatcher.chunk(status("not_saved", &[("message", &error.report().error)]));
        }
        if self.turns > 0 {
            self.dispatcher.fact(Fact::SessionEnded { turns: self.turns });
        }
        self.dispatcher.publish();
        self.journal.session_ended(self.turns).await;
    }
}

fn take_measure(measure: Measure, grace: Duration, live: &mut Live) {
    match measure {
        Measure::Terminate => live.process.ask_to_end(grace),
        Measure::Kill => live.process.kill(),
    }
}

/// What the end of a process without a result is called.
fn ending(agent: &str, output: &Output, exit: Exit, stderr_tail: String) -> Error {
    match output.verdict(exit.code) {
        ErrorKind::Protocol => Error::Protocol {
            agent: agent.to_owned(),
            lines: output.lines,
            sample: output.sample.clone(),
            exit,
            stderr_tail,
        },
        kind => Error::Exited {
            agent: agent.to_owned(),
            kind,
            reason: said_reason(kind, &stderr_tail),
            exit,
            stderr_tail,
        },
    }
}

/// What an agent that left by itself said of the reason, where that leaves no doubt.
fn said_reason(ending: ErrorKind, stderr_tail: &str) -> Option<ErrorKind> {
    let left = matches!(ending, ErrorKind::ExitedBeforeInit | ErrorKind::ProcessCrashed);
    let reason = Symptoms { text: stderr_tail, ..Symptoms::default() }.kind();
    let telling = [ErrorKind::Auth, ErrorKind::RateLimit, ErrorKind::Network, ErrorKind::ContextLimit];
    reason.filter(|kind| left && telling.contains(kind))
}

/// That a conversation was resumed, by which way, and why not by the agent's own.
fn resumed(via: &'static str, reason: Option<&str>) -> Chunk<'static> {
    let facts = [("via", via)].into_iter().chain(reason.map(|reason| ("reason", reason)));
    status("resumed", &facts.collect::<Vec<_>>())
}

/// A status of the run itself.
fn status(name: &'static str, facts: &[(&str, &str)]) -> Chunk<'static> {
    let detail: serde_json::Map<_, _> =
        facts.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
    status_with(name, &detail)
}

/// The same, with facts of any shape.
fn status_with(name: &'static str, detail: &impl Serialize) -> Chunk<'static> {
    Chunk::Status { status: name.into(), detail: Some(json_of(detail)) }
}

/// Waits until a time, for ever if there is none.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}
