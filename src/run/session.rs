//! The handle of a session.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;
use tracing::Dispatch;
use tracing::dispatcher::get_default;
use tracing::instrument::WithSubscriber;

use super::answer::Answer;
use super::budget::Budget;
use super::cancel::CancelTimes;
use super::disk_times::DiskTimes;
use super::executor::Executor;
use super::retry::{RetryContext, RetryPolicy};
use super::watchdog::Timeouts;
use crate::agent::{Agent, AgentOptions, Decision, Image, ImageSource, read_images};
use crate::error::{Error, Result};
use crate::history::{State, Store};
use crate::log::Log;
use crate::stream::EventQueue;
use crate::usage::Usage;

/// How a session is to be run.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// How the agent is to be run.
    pub agent: AgentOptions,
    /// For how long events may be gathered after one that was published at once; at most 16 ms make sense. Where it is
    /// not said: not at all while only a few turns run in this process, and 16 ms while there are many.
    pub flush_window: Option<Duration>,
    /// Has what is said and thought come as lines of protocol 1 with this session id, not as events.
    pub json_lines: Option<String>,
    /// The deadlines of a cancellation.
    pub cancel: CancelTimes,
    /// How long the disk is waited for.
    pub disk: DiskTimes,
    /// How long the process may take to leave by itself when the session ends.
    pub linger: Duration,
    /// The longest line in bytes that is understood; a longer one is skipped and reported.
    pub line_limit: usize,
    /// What the whole conversation may use.
    pub budget: Budget,
    /// What the conversation has used before.
    pub spent: Usage,
    /// What is logged, if anything is.
    pub log: Option<Log>,
    /// Where the session is written down, if it is.
    pub record: Option<RecordOptions>,
}

/// Where a session is written down.
#[derive(Debug, Clone)]
pub struct RecordOptions {
    /// The history.
    pub store: Arc<Store>,
    /// The session's id in it.
    pub session_id: String,
    /// Whether the session is there already, to be gone on with.
    pub stored: bool,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            agent: AgentOptions::default(),
            flush_window: None,
            json_lines: None,
            cancel: CancelTimes::default(),
            disk: DiskTimes::default(),
            linger: Duration::from_secs(2),
            line_limit: 16 * 1024 * 1024,
            budget: Budget::default(),
            spent: Usage::default(),
            log: None,
            record: None,
        }
    }
}

impl SessionOptions {
    /// The options with what the agent chooses where they say nothing.
    fn for_agent(mut self, agent: &dyn Agent) -> Self {
        self.agent.model = self.agent.model.or_else(|| agent.default_model().map(ToOwned::to_owned));
        self
    }
}

/// One turn.
#[derive(Debug, Clone)]
pub struct TurnOptions {
    /// What the user asks.
    pub prompt: String,
    /// The images that belong to it.
    pub images: Vec<ImageSource>,
    /// The id of the run, for the events.
    pub run_id: String,
    /// Whether somebody is there to be asked for permission.
    pub can_ask: bool,
    /// How long it may take.
    pub timeouts: Timeouts,
    /// What it may use.
    pub budget: Budget,
    /// The prompt with the conversation so far in it, for an agent that cannot resume it by itself; absent where there
    /// is nothing to tell.
    pub retold: Option<String>,
    /// How often and how patiently it is tried.
    pub retry: RetryPolicy,
    /// What the agent is to know of earlier attempts at the same thing.
    pub context: RetryContext,
}

/// A conversation with one agent. All calls only send messages; what happens comes out of the queue as events.
#[derive(Debug, Clone)]
pub struct Session {
    messages: mpsc::UnboundedSender<Message>,
    answer: Arc<Answer>,
}

/// What a session can be asked to do.
#[derive(Debug)]
pub(super) enum Message {
    /// Run a turn; answered when its last event is in the queue, or at once if it cannot begin.
    Turn {
        options: Box<TurnOptions>,
        images: Vec<Image>,
        accepted: oneshot::Sender<Result<oneshot::Receiver<()>>>,
    },
    /// Stop the turn; answered when it is over.
    Cancel { done: oneshot::Sender<()> },
    /// Answer a question for permission; whether there is such a question.
    Respond { id: String, decision: Decision, known: oneshot::Sender<bool> },
    /// Go on with another agent or other options from the next turn on.
    Configure { agent: Arc<dyn Agent>, options: Box<SessionOptions>, done: oneshot::Sender<Result<()>> },
    /// Write down that something about the session changed.
    Note(Box<State>),
    /// Make durable what is written down.
    Save { done: oneshot::Sender<Result<()>> },
    /// End the session; answered when its process is gone.
    End { done: oneshot::Sender<()> },
}

impl Session {
    /// Begins a session in the current tokio runtime. No process is started before the first turn.
    pub fn start(agent: Arc<dyn Agent>, options: SessionOptions, queue: Arc<EventQueue>) -> Self {
        let options = options.for_agent(&*agent);
        let (messages, inbox) = mpsc::unbounded_channel();
        let subscriber = options.log.as_ref().map_or_else(|| get_default(Dispatch::clone), Log::subscriber);
        let answer = Arc::new(Answer::default());
        let executor = Executor::new(agent, options, queue, Arc::clone(&answer), inbox);
        tokio::spawn(executor.run().with_subscriber(subscriber));
        Self { messages, answer }
    }

    /// Runs a turn to its end. How it went is told by its events; the error is for a turn that could not begin.
    pub async fn run_turn(&self, mut options: TurnOptions) -> Result<()> {
        if options.prompt.trim().is_empty() {
            return Err(Error::InvalidInput("the prompt is empty; say what the agent is to do".into()));
        }
        let images = match std::mem::take(&mut options.images) {
            none if none.is_empty() => Vec::new(),
            some => spawn_blocking(|| read_images(some))
                .await
                .map_err(|error| Error::Internal(error.to_string().into()))??,
        };
        let (accepted, answer) = oneshot::channel();
        let message = Message::Turn { options: Box::new(options), images, accepted };
        let finished = self.ask(message, answer).await??;
        finished.await.map_err(|_| gone())
    }

    /// Stops the turn under way; returns when it is over. Does nothing when there is none.
    pub async fn cancel(&self) {
        let (done, answer) = oneshot::channel();
        // An actor that is gone has ended its turn before.
        let _ = self.ask(Message::Cancel { done }, answer).await;
    }

    /// What the main agent has said in the turn under way, or in the last one, as far as its events were published; of a
    /// very long answer the newest 4 MiB. An attempt that was repeated is not in it.
    pub fn answer(&self) -> String {
        self.answer.text()
    }

    /// Answers a question for permission; whether there is (still) such a question.
    pub async fn respond(&self, id: String, decision: Decision) -> Result<bool> {
        let (known, answer) = oneshot::channel();
        self.ask(Message::Respond { id, decision, known }, answer).await
    }

    /// Goes on with another agent, or with other options, from the next turn on; the process under way ends. The history
    /// stays where it is. Fails in the middle of a turn.
    pub async fn configure(&self, agent: Arc<dyn Agent>, options: SessionOptions) -> Result<()> {
        let (done, answer) = oneshot::channel();
        let options = Box::new(options.for_agent(&*agent));
        self.ask(Message::Configure { agent, options, done }, answer).await?
    }

    /// Writes down that something about the session changed, where it is written down at all.
    pub fn note(&self, state: State) -> Result<()> {
        self.messages.send(Message::Note(Box::new(state))).map_err(|_| gone())
    }

    /// Returns when everything so far is written down and survives a power cut; the error says why it does not.
    pub async fn save(&self) -> Result<()> {
        let (done, answer) = oneshot::channel();
        self.ask(Message::Save { done }, answer).await?
    }

    /// Ends the session: stops the turn under way and lets the process go. Does nothing the second time.
    pub async fn end(&self) {
        let (done, answer) = oneshot::channel();
        // An actor that is gone has ended the session before.
        let _ = self.ask(Message::End { done }, answer).await;
    }

    async fn ask<T>(&self, message: Message, answer: oneshot::Receiver<T>) -> Result<T> {
        self.messages.send(message).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())
    }
}

fn gone() -> Error {
    Error::SessionEnded
}
