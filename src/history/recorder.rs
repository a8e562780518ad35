//! What a session does, written down while it does it.
//!
//! [`Recorder::observe`] is called for every event by whoever runs the agent; it never waits for a disk. What was
//! observed is only gathered ([`backlog`]): a piece of text for at most [`CHECKPOINT`], a prompt, a tool or the end of a
//! turn not at all. One of a few threads that all recordings of the process share ([`writers`]) takes what was gathered,
//! makes lines of it without secrets ([`scribe`]), appends them to the conversation, and makes them durable where they
//! have to be ([`recording`]). A recording is written by one thread at a time, so its order is kept; one whose disk hangs
//! holds one thread and nobody else.
//!
//! What could not be written is kept and tried again with what comes next, up to [`BACKLOG_LIMIT`];
//! [`Recorder::failure`] and [`Recorder::sync`] tell. Beyond that it is given up, and whoever goes on with the session
//! opens it again. So it is where a disk does not answer; but how long that is waited for is decided by whoever observes:
//! [`Recorder::is_behind`] asks to observe no more for a while, [`Recorder::give_up`] ends the waiting.

mod backlog;
mod failure;
mod note;
mod recording;
mod said;
mod scribe;
mod writers;

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;

use self::note::Note;
use self::recording::Recording;
use self::scribe::{STRING_LIMIT, capped};
use super::conversation::Conversation;
use super::id::SessionId;
use super::record::{Header, Record, SCHEMA, State, Turn};
use super::redact::Redactor;
use super::store::{Store, redact_text};
use crate::error::{Error, Result};
use crate::event::{Event, Fact, Payload};
use crate::stream::Chunk;

pub use self::backlog::{BACKLOG_LIMIT, CHECKPOINT};

/// Which session is begun.
#[derive(Debug, Clone, Default)]
pub struct NewSession {
    /// Its id.
    pub id: String,
    /// Where the agent works.
    pub project_path: String,
    /// The agent's name.
    pub provider: String,
    /// The model that is asked for.
    pub model: Option<String>,
    /// What a person calls it.
    pub title: Option<String>,
}

/// Writes down a session. The session counts as open until the recorder is closed or dropped.
#[derive(Debug)]
pub struct Recorder {
    recording: Arc<Recording>,
    provider: String,
    model: Option<String>,
    ending: Ending,
}

/// What is known of the end of the turn under way.
#[derive(Debug, Default)]
struct Ending {
    error: Option<String>,
    content: String,
    stop_reason: Option<String>,
    agent_session_id: Option<String>,
}

impl Recorder {
    /// Begins to write down a new session. Nothing but the mark that it is open is made before the first prompt.
    /// Blocks for a moment.
    pub fn create(store: &Store, session: NewSession) -> Result<Self> {
        let NewSession { id, project_path, provider, model, title } = session;
        let mut header = Record::Session(Header {
            schema: SCHEMA,
            id,
            created_at: super::now(),
            project_path,
            provider: provider.clone(),
            model: model.clone(),
            title,
            ..Header::default()
        });
        header.for_each_text(&mut |text| redact_text(store.redactor(), text));
        let Record::Session(header) = header else { unreachable!("it was just made") };
        let conversation = Conversation::create(store.folder(), header)?;
        Self::start(conversation, store.redactor().clone(), provider, model)
    }

    /// Goes on with a session that is stored. Blocks for as long as it takes to read it.
    pub fn open(store: &Store, id: &str) -> Result<Self> {
        let conversation = Conversation::open(store.folder(), &SessionId::parse(id)?)?;
        let Header { provider, model, .. } = conversation.header().clone();
        Self::start(conversation, store.redactor().clone(), provider, model)
    }

    fn start(
        conversation: Conversation,
        redactor: Redactor,
        provider: String,
        model: Option<String>,
    ) -> Result<Self> {
        writers::start().map_err(super::failure("start the thread that writes", conversation.path()))?;
        let recording = Arc::new(Recording::of(conversation, redactor));
        Ok(Self { recording, provider, model, ending: Ending::default() })
    }

    /// Takes note of an event. Never waits.
    pub fn observe(&mut self, event: &Event<'_>, run_id: &str) {
        let timestamp = event.timestamp;
        match &event.payload {
            Payload::Chunk(Chunk::TextDelta { content, parent_tool_use_id: None }) => {
                self.recording.say(content, run_id, timestamp);
            }
            Payload::Chunk(chunk) => self.chunk(chunk, run_id, timestamp),
            Payload::Fact(fact) => self.fact(fact, run_id, timestamp),
        }
    }

    fn chunk(&mut self, chunk: &Chunk<'_>, run_id: &str, timestamp: u64) {
        let run_id = run_id.to_owned();
        match chunk {
            Chunk::ToolUse { tool, id, parameters: Some(parameters), parent_tool_use_id }
            | Chunk::ToolParameters { tool, id, parameters, parent_tool_use_id } => {
                self.recording.note(Note::ToolUse {
                    timestamp,
                    run_id,
                    id: id.to_string(),
                    tool: tool.to_string(),
                    parameters: RawValue::get(parameters).to_owned(),
                    parent: parent_tool_use_id.as_deref().map(Into::into),
                });
            }
            Chunk::ToolResult { tool, id, success, error, duration, parent_tool_use_id, .. } => {
                self.record(
                    timestamp,
                    Record::ToolResult {
                        run_id,
                        id: id.to_string(),
                        tool: tool.to_string(),
                        success: *success,
                        error: error.as_deref().map(|error| capped(error, STRING_LIMIT)),
                        duration_ms: Some(*duration),
                        parent_tool_use_id: parent_tool_use_id.as_deref().map(Into::into),
                    },
                );
            }
            Chunk::Error(report) => self.ending.error = Some(report.error.clone()),
            Chunk::Result(result) => {
                self.ending.content = result.content.clone().into_owned();
                self.ending.stop_reason = Some(result.stop_reason.clone().into_owned());
                self.ending.agent_session_id = result.agent_session_id.as_deref().map(Into::into);
            }
            _ => {}
        }
    }

    fn fact(&mut self, fact: &Fact<'_>, run_id: &str, timestamp: u64) {
        match fact {
            Fact::SessionStarted { provider, model, .. } => {
                (*provider).clone_into(&mut self.provider);
                self.model = model.map(ToOwned::to_owned);
            }
            Fact::PromptSubmitted { prompt, images } => {
                self.ending = Ending::default();
                self.record(
                    timestamp,
                    Record::Prompt {
                        run_id: run_id.to_owned(),
                        content: (*prompt).to_owned(),
                        provider: self.provider.clone(),
                        model: self.model.clone(),
                        images: images.to_vec(),
                    },
                );
            }
            Fact::RetryScheduled { attempt, code, message, delay_ms, how, .. } => {
                self.record(
                    timestamp,
                    Record::Retry {
                        run_id: run_id.to_owned(),
                        attempt: *attempt,
                        error_code: (*code).to_owned(),
                        error: capped(message, STRING_LIMIT),
                        delay_ms: *delay_ms,
                        how: (*how).to_owned(),
                    },
                );
            }
            Fact::TurnCompleted { run_id, success, code, duration_ms, tools_used, usage } => {
                let ending = std::mem::take(&mut self.ending);
                self.record(
                    timestamp,
                    Record::Turn(Turn {
                        run_id: (*run_id).to_owned(),
                        success: *success,
                        stop_reason: ending.stop_reason,
                        error_code: code.map(Into::into),
                        error: ending.error,
                        duration_ms: *duration_ms,
                        tools_used: tools_used.to_vec(),
                        usage: Some(usage.clone()),
                        agent_session_id: ending.agent_session_id,
                        content: Some(ending.content).filter(|content| !content.is_empty()),
                    }),
                );
            }
            _ => {}
        }
    }

    /// Writes down that something about the session changed.
    pub fn state(&mut self, state: State) {
        if let Some(provider) = &state.provider {
            self.provider.clone_from(provider);
            self.model.clone_from(&state.model);
        } else if state.model.is_some() {
            self.model.clone_from(&state.model);
        }
        self.record(super::now(), Record::State(state));
    }

    fn record(&self, timestamp: u64, record: Record) {
        self.recording.note(Note::Record { timestamp, record });
    }

    /// Waits until all that was observed is on disk and durable; the error says why it is not. Waits for as long as the
    /// disk does; whoever does not want to may drop the future.
    pub fn sync(&self) -> impl Future<Output = Result<()>> + Send + use<> {
        let answer = self.recording.sync();
        async { answer.await.unwrap_or_else(|_| Err(gone())) }
    }

    /// The same, and ends the recording: at once, even where nobody waits for the future.
    pub fn close(self) -> impl Future<Output = Result<()>> + Send + use<> {
        let answer = self.recording.close();
        async { answer.await.unwrap_or_else(|_| Err(gone())) }
    }

    /// Whether so much waits to be written that nothing more should be observed for now.
    pub fn is_behind(&self) -> bool {
        self.recording.is_behind()
    }

    /// Waits until it is not behind.
    pub fn caught_up(&self) -> impl Future<Output = ()> + Send + use<> {
        let recording = Arc::clone(&self.recording);
        async move { recording.caught_up().await }
    }

    /// Lets go of what waits to be written, because the disk has not answered for `waited`. What it has been given
    /// before it may still write.
    pub fn give_up(&self, waited: Duration) {
        self.recording.give_up(waited);
    }

    /// That the disk has not answered for `waited`.
    pub fn unanswered(&self, waited: Duration) -> Error {
        self.recording.unanswered(waited).error()
    }

    /// Whether so much could not be written that it was let go, and nothing more will be. The session may be opened again:
    /// what is missing then is a turn that has no end. Never so for a disk that failed, which is final.
    pub fn gave_up(&self) -> bool {
        self.recording.gave_up()
    }

    /// Why something could not be written, until it could.
    pub fn failure(&self) -> Option<Error> {
        self.recording.failure()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.recording.end();
    }
}

fn gone() -> Error {
    Error::Internal("the thread that writes the history is gone".into())
}
