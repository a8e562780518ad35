//! What an agent printed once, through the path of a live run.
//!
//! A [`Replay`] has the lines of a transcript decoded and dispatched as an executor does, but there is no process: nothing
//! is started, answered or written down, and questions for permission are left out, as nobody can answer them any more.
//!
//! A transcript does not say where its turns begin. The first begins with it, the others with the first line after a result
//! that is about work: the agent gets ready, speaks, thinks or uses a tool. Nor does it have times: each line comes
//! [`LINE_MS`] after the one before it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use memchr::memchr;
use tokio::sync::oneshot;

use super::dispatcher::Dispatcher;
use super::recognition::speaker_of;
use super::session::SessionOptions;
use super::sink::decode;
use super::turn::{Ended, Output};
use crate::agent::{Agent, AgentOptions, Dialect, Signal, Sink, TurnEnd};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Fact;
use crate::stream::{Batch, Chunk, EventQueue, Frame, Packer};

/// How much later than the line before it each line comes, in milliseconds.
const LINE_MS: u64 = 10;

/// So many lines are decoded at once.
const LINES_AT_ONCE: usize = 256;

/// A transcript that is played.
pub struct Replay {
    transcript: Vec<u8>,
    /// Where the next line begins.
    next: usize,
    dialect: Box<dyn Dialect>,
    stage: Stage,
    queue: Arc<EventQueue>,
    over: bool,
}

/// Where the events come together.
struct Stage {
    agent: Arc<dyn Agent>,
    dispatcher: Dispatcher,
    now: u64,
    turn: Option<TurnUnderWay>,
    turns: u64,
    agent_session_id: Option<String>,
}

struct TurnUnderWay {
    run_id: String,
    started: u64,
    output: Output,
}

impl Replay {
    /// The stdout of one of these agents, to be played from its beginning: of the one that understands it best, in
    /// whichever way it was spoken to; of equals the first.
    pub fn new(agents: Vec<Arc<dyn Agent>>, transcript: Vec<u8>) -> Result<Self> {
        let agent = speaker_of(agents, &transcript)
            .ok_or(Error::InvalidInput("there is no agent that the transcript could be of".into()))?;
        let dialect = agent.dialect(&AgentOptions::default())?;
        let queue = Arc::new(EventQueue::new(|| ()));
        let mut dispatcher =
            Dispatcher::new(Arc::clone(&queue), Packer::default(), Arc::default(), Some(Duration::ZERO));
        let now = dispatcher.tick();
        let stage = Stage { agent, dispatcher, now, turn: None, turns: 0, agent_session_id: None };
        Ok(Self { transcript, next: 0, dialect, stage, queue, over: false })
    }

    /// The next events; `None` when it is over.
    pub fn next_batch(&mut self) -> Option<Batch> {
        loop {
            if let Some(batch) = self.queue.take() {
                return Some(batch);
            }
            if self.over {
                return None;
            }
            for _ in 0..LINES_AT_ONCE {
                if !self.next_line() {
                    self.process_ends();
                    self.stage.end();
                    self.over = true;
                    break;
                }
            }
            self.stage.dispatcher.publish();
        }
    }

    /// Plays the next line; whether there was one.
    fn next_line(&mut self) -> bool {
        let Some((line, after)) = line_at(&self.transcript, self.next) else { return false };
        self.stage.dispatcher.set_time(self.stage.now);
        let mut ear =
            Ear { stage: &mut self.stage, from_here: &self.transcript[self.next..], signals: vec![] };
        ear.line(line, &mut *self.dialect);
        let signals = ear.signals;
        self.stage.act_on(signals);
        self.next = after;
        self.stage.now += LINE_MS;
        true
    }

    /// Where the transcript ends, its process is taken to have ended well.
    fn process_ends(&mut self) {
        let mut ear = Ear { stage: &mut self.stage, from_here: &[], signals: vec![] };
        self.dialect.ended(Some(0), &mut ear);
        let signals = ear.signals;
        self.stage.act_on(signals);
    }
}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay")
            .field("agent", &self.stage.agent)
            .field("bytes", &self.transcript.len())
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

/// The line that begins at `begin`, and where the one after it begins; `None` at the end.
fn line_at(transcript: &[u8], begin: usize) -> Option<(&[u8], usize)> {
    let rest = transcript.get(begin..).filter(|rest| !rest.is_empty())?;
    let end = memchr(b'\n', rest).unwrap_or(rest.len());
    Some((&rest[..end], begin + end + 1))
}

/// Hears what a line says.
struct Ear<'a> {
    stage: &'a mut Stage,
    /// The transcript from the line on that is being heard.
    from_here: &'a [u8],
    signals: Vec<Signal>,
}

impl Ear<'_> {
    fn line(&mut self, line: &[u8], dialect: &mut dyn Dialect) {
        let frame = Frame::of(line, SessionOptions::default().line_limit);
        if self.stage.turn.is_none() && dialect.prompt(line).is_some() {
            self.turn_begins();
        }
        decode(&frame, self.stage.now, dialect, self);
        if let Some(turn) = &mut self.stage.turn {
            turn.output.lines += u64::from(!line.trim_ascii().is_empty());
        }
    }

    fn turn_begins(&mut self) {
        if self.stage.turn.is_none() {
            let prompt = prompt_of_turn(&*self.stage.agent, self.from_here);
            self.stage.begin(prompt.as_deref());
        }
    }
}

impl Sink for Ear<'_> {
    fn chunk(&mut self, chunk: Chunk<'_>) {
        let is_work = match &chunk {
            Chunk::Status { status, .. } => status == "initialized",
            Chunk::Usage(_) | Chunk::Unparsed { .. } => false,
            _ => true,
        };
        if is_work || self.stage.turns == 0 {
            self.turn_begins();
        }
        if let Some(turn) = &mut self.stage.turn {
            turn.output.note(&chunk, &*self.stage.agent);
        }
        self.stage.dispatcher.chunk(chunk);
    }

    fn signal(&mut self, signal: Signal) {
        if matches!(signal, Signal::Ready { .. } | Signal::TurnEnded(_)) {
            self.turn_begins();
        }
        self.signals.push(signal);
    }
}

/// The prompt of the turn that begins with these lines, where one of them repeats it.
fn prompt_of_turn(agent: &dyn Agent, lines: &[u8]) -> Option<String> {
    /// Whether a turn has ended.
    struct Ended(bool);

    impl Sink for Ended {
        fn chunk(&mut self, _: Chunk<'_>) {}

        fn signal(&mut self, signal: Signal) {
            self.0 |= matches!(signal, Signal::TurnEnded(_));
        }
    }

    let mut dialect = agent.dialect(&AgentOptions::default()).ok()?;
    let (mut ended, mut begin) = (Ended(false), 0);
    while let Some((line, after)) = line_at(lines, begin).filter(|_| !ended.0) {
        let prompt = dialect.prompt(line);
        if prompt.is_some() {
            return prompt;
        }
        dialect.decode(line, 0, &mut ended);
        begin = after;
    }
    None
}

impl Stage {
    fn begin(&mut self, prompt: Option<&str>) {
        self.turns += 1;
        let run_id = format!("run-{}", self.turns);
        self.dispatcher.turn_begins(&run_id);
        if self.turns == 1 {
            let (provider, project_path) = (self.agent.name(), Cow::Borrowed(""));
            self.dispatcher.fact(Fact::SessionStarted { provider, model: None, project_path });
        }
        if let Some(prompt) = prompt {
            self.dispatcher.fact(Fact::PromptSubmitted { prompt, images: &[] });
        }
        self.dispatcher.fact(Fact::TurnStarted { run_id: &run_id, turn: self.turns, warm: self.turns > 1 });
        self.turn = Some(TurnUnderWay { run_id, started: self.now, output: Output::default() });
    }

    fn act_on(&mut self, signals: Vec<Signal>) {
        for signal in signals {
            match signal {
                Signal::Ready { agent_session_id } => self.agent_session_id = agent_session_id,
                Signal::TurnEnded(end) => self.settle(end),
                Signal::Permission(_) | Signal::PermissionWithdrawn(_) | Signal::Reply(_) => {}
            }
        }
    }

    /// Ends the turn under way, as an executor does.
    fn settle(&mut self, end: TurnEnd) {
        let Some(turn) = self.turn.take() else { return };
        self.dispatcher.turn_ending();
        if end.turns > 0 || end.usage.cost_usd.is_some() {
            self.dispatcher.chunk(Chunk::Usage(end.usage));
        }
        // Whoever interrupted it had asked for that.
        let error = if end.interrupted { Some(Error::Cancelled) } else { end.error };
        let stop_reason = match &error {
            Some(Error::Cancelled) => "cancelled".into(),
            Some(_) => "error".into(),
            None => end.stop_reason.map_or("end_turn".into(), Into::into),
        };
        let (done, _) = oneshot::channel();
        let ended = Ended {
            done,
            run_id: turn.run_id,
            content: if error.is_some() { String::new() } else { end.content },
            error: error.map(|error| error.report()),
            stop_reason,
            attempts: 1,
            usage: self.dispatcher.usage().clone(),
            duration_ms: self.now.saturating_sub(turn.started),
            turns: end.turns,
            tools_used: self.dispatcher.take_tools_used(),
            agent_session_id: end.agent_session_id.or_else(|| self.agent_session_id.clone()),
        };
        for payload in ended.payloads() {
            self.dispatcher.tell(payload);
        }
    }

    /// Ends it all. A turn without a result is one whose agent did not come to it.
    fn end(&mut self) {
        if let Some(turn) = &self.turn {
            let error = match turn.output.verdict(Some(0)) {
                ErrorKind::Protocol => {
                    (ErrorKind::Protocol, "there is no line that the agent's protocol knows")
                }
                _ => (ErrorKind::NoResult, "the transcript ends in the middle of the turn"),
            };
            let (kind, message) = (error.0, error.1.to_owned());
            let error = Some(Error::Agent { kind, message, available: None });
            self.settle(TurnEnd { error, ..TurnEnd::default() });
        }
        if self.turns > 0 {
            self.dispatcher.fact(Fact::SessionEnded { turns: self.turns });
        }
    }
}
