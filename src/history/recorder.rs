//! What a session does, written down while it does it.
//!
//! [`Recorder::observe`] is called for every event by whoever runs the agent; it never waits for a disk. A piece of
//! text is only gathered. A thread of the recorder's own takes what was gathered at most [`CHECKPOINT`] after its first
//! piece, and at once when a prompt, a tool or the end of a turn came; it takes the secrets out, appends it to the
//! conversation and makes it durable where it has to be. What could not be written is kept and tried again with what
//! comes next, up to [`BACKLOG_LIMIT`]; [`Recorder::failure`] and [`Recorder::sync`] tell. Beyond that it is given up, and
//! whoever goes on with the session opens it again.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::conversation::Conversation;
use super::cut_before;
use super::id::SessionId;
use super::record::{Header, Record, SCHEMA, State, Turn, for_each_string};
use super::redact::{RedactedText, Redactor};
use super::store::{Store, redact_text};
use crate::error::{Error, Result};
use crate::event::{Event, Fact, Payload};
use crate::stream::Chunk;

/// How long a piece of text may wait to be written.
pub const CHECKPOINT: Duration = Duration::from_millis(200);

/// So much text is written at once, however long it has waited, in bytes.
const TEXT_LIMIT: usize = 64 * 1024;

/// How much is kept while it cannot be written, in bytes.
pub const BACKLOG_LIMIT: usize = 4 * 1024 * 1024;

/// The longest string in the parameters of a tool that is kept whole, in bytes.
const STRING_LIMIT: usize = 4 * 1024;

/// The longest parameters of a tool, in bytes of JSON.
const PARAMETERS_LIMIT: usize = 64 * 1024;

/// So much of a turn's text is remembered at least, to be compared with the answer of its result.
const SAID_LIMIT: usize = 256 * 1024;

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
    shared: Arc<Shared>,
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

#[derive(Debug, Default)]
struct Shared {
    gathered: Mutex<Gathered>,
    changed: Condvar,
}

/// What waits to be written.
#[derive(Debug, Default)]
struct Gathered {
    notes: VecDeque<Note>,
    /// What was said since the last note, by the main agent of `text_run`.
    text: String,
    text_run: String,
    /// When the first of it came.
    text_since: Option<Instant>,
    syncs: Vec<oneshot::Sender<Result<()>>>,
    closing: bool,
    /// Whether nobody writes any more.
    stopped: bool,
    /// Whether that is because too much could not be written.
    gave_up: bool,
    failure: Option<Failure>,
}

/// Something to be written, as it was observed; what is costly is done on the writing thread.
#[derive(Debug)]
enum Note {
    Record {
        timestamp: u64,
        record: Record,
    },
    Text {
        timestamp: u64,
        run_id: String,
        content: String,
        last: bool,
    },
    ToolUse {
        timestamp: u64,
        run_id: String,
        id: String,
        tool: String,
        parameters: String,
        parent: Option<String>,
    },
}

/// Why something could not be written; an [`Error`] that can be told more than once.
#[derive(Debug, Clone)]
struct Failure {
    action: &'static str,
    path: PathBuf,
    advice: &'static str,
    source: Option<(io::ErrorKind, Option<i32>, String)>,
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
        let shared = Arc::new(Shared::default());
        let path = conversation.path().to_owned();
        let writer = Writer::new(conversation, redactor);
        let theirs = Arc::clone(&shared);
        thread::Builder::new()
            .name("locus-history".into())
            .spawn(move || {
                let _stopped = Stopped(&theirs);
                writer.run(&theirs);
            })
            .map_err(super::failure("start the thread that writes", &path))?;
        Ok(Self { shared, provider, model, ending: Ending::default() })
    }

    /// Takes note of an event. Never waits.
    pub fn observe(&mut self, event: &Event<'_>, run_id: &str) {
        let timestamp = event.timestamp;
        match &event.payload {
            Payload::Chunk(Chunk::TextDelta { content, parent_tool_use_id: None }) => {
                self.shared.say(content, run_id, timestamp);
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
                self.shared.note(Note::ToolUse {
                    timestamp,
                    run_id,
                    id: id.to_string(),
                    tool: tool.to_string(),
                    parameters: RawValue::get(parameters).to_owned(),
                    parent: parent_tool_use_id.as_deref().map(Into::into),
                });
            }
            Chunk::ToolResult { tool, id, success, error, duration, parent_tool_use_id, .. } => {
                let record = Record::ToolResult {
                    run_id,
                    id: id.to_string(),
                    tool: tool.to_string(),
                    success: *success,
                    error: error.as_deref().map(|error| capped(error, STRING_LIMIT)),
                    duration_ms: Some(*duration),
                    parent_tool_use_id: parent_tool_use_id.as_deref().map(Into::into),
                };
                self.shared.note(Note::Record { timestamp, record });
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
                let record = Record::Prompt {
                    run_id: run_id.to_owned(),
                    content: (*prompt).to_owned(),
                    provider: self.provider.clone(),
                    model: self.model.clone(),
                    images: images.to_vec(),
                };
                self.shared.note(Note::Record { timestamp, record });
            }
            Fact::RetryScheduled { attempt, code, message, delay_ms, how, .. } => {
                let record = Record::Retry {
                    run_id: run_id.to_owned(),
                    attempt: *attempt,
                    error_code: (*code).to_owned(),
                    error: capped(message, STRING_LIMIT),
                    delay_ms: *delay_ms,
                    how: (*how).to_owned(),
                };
                self.shared.note(Note::Record { timestamp, record });
            }
            Fact::TurnCompleted { run_id, success, code, duration_ms, tools_used, usage } => {
                let ending = std::mem::take(&mut self.ending);
                let record = Record::Turn(Turn {
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
                });
                self.shared.note(Note::Record { timestamp, record });
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
        self.shared.note(Note::Record { timestamp: super::now(), record: Record::State(state) });
    }

    /// Waits until all that was observed is on disk and durable; the error says why it is not.
    pub async fn sync(&self) -> Result<()> {
        let answer = self.shared.request(false);
        answer.await.unwrap_or_else(|_| Err(gone()))
    }

    /// The same, and ends the recording.
    pub async fn close(self) -> Result<()> {
        let answer = self.shared.request(true);
        answer.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Whether so much could not be written that it was let go, and nothing more will be. The session may be opened again:
    /// what is missing then is a turn that has no end. Never so for a disk that failed, which is final.
    pub fn gave_up(&self) -> bool {
        self.shared.lock().gave_up
    }

    /// Why something could not be written, until it could.
    pub fn failure(&self) -> Option<Error> {
        self.shared.lock().failure.as_ref().map(Failure::error)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.changed.notify_all();
    }
}

/// However the writing thread ends: nobody waits for it any more.
struct Stopped<'a>(&'a Shared);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        let mut gathered = self.0.lock();
        gathered.stopped = true;
        gathered.syncs.clear();
    }
}

fn gone() -> Error {
    Error::Internal("the thread that writes the history is gone".into())
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is something to be written.
    fn wait(&self) -> MutexGuard<'_, Gathered> {
        let mut gathered = self.lock();
        loop {
            gathered = match gathered.wait() {
                Some(Duration::ZERO) => return gathered,
                Some(wait) => self
                    .changed
                    .wait_timeout(gathered, wait)
                    .map_or_else(|poisoned| poisoned.into_inner().0, |(gathered, _)| gathered),
                None => self.changed.wait(gathered).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn say(&self, piece: &str, run_id: &str, timestamp: u64) {
        let mut gathered = self.lock();
        if gathered.stopped || piece.is_empty() {
            return;
        }
        if gathered.text_since.is_none() || gathered.text_run != run_id {
            gathered.end_text(timestamp, false);
            run_id.clone_into(&mut gathered.text_run);
            gathered.text_since = Some(Instant::now());
            self.changed.notify_one();
        }
        let before = gathered.text.len();
        gathered.text.push_str(piece);
        if before < TEXT_LIMIT && gathered.text.len() >= TEXT_LIMIT {
            self.changed.notify_one();
        }
    }

    fn note(&self, note: Note) {
        let mut gathered = self.lock();
        if gathered.stopped {
            return;
        }
        gathered.end_text(note.timestamp(), true);
        gathered.notes.push_back(note);
        self.changed.notify_one();
    }

    fn request(&self, closing: bool) -> oneshot::Receiver<Result<()>> {
        let (done, answer) = oneshot::channel();
        let mut gathered = self.lock();
        if gathered.stopped {
            let outcome = gathered.failure.as_ref().map_or(Ok(()), |failure| Err(failure.error()));
            // The receiver is here.
            let _ = done.send(outcome);
        } else {
            gathered.end_text(super::now(), true);
            gathered.closing |= closing;
            gathered.syncs.push(done);
            self.changed.notify_one();
        }
        answer
    }
}

impl Gathered {
    /// Turns the text so far into a note. `last`: no more of it follows before something else does.
    fn end_text(&mut self, timestamp: u64, last: bool) {
        self.text_since = None;
        if self.text.is_empty() && !last {
            return;
        }
        let content = std::mem::take(&mut self.text);
        self.notes.push_back(Note::Text { timestamp, run_id: self.text_run.clone(), content, last });
    }

    /// How long the writer may wait; `None` for ever.
    fn wait(&self) -> Option<Duration> {
        if !self.notes.is_empty() || !self.syncs.is_empty() || self.closing || self.text.len() >= TEXT_LIMIT {
            return Some(Duration::ZERO);
        }
        self.text_since.map(|since| CHECKPOINT.saturating_sub(since.elapsed()))
    }
}

impl Note {
    fn timestamp(&self) -> u64 {
        match self {
            Self::Record { timestamp, .. }
            | Self::Text { timestamp, .. }
            | Self::ToolUse { timestamp, .. } => *timestamp,
        }
    }
}

/// What the thread has.
struct Writer {
    conversation: Conversation,
    redactor: Redactor,
    /// Lines that are not in the file yet.
    lines: Vec<u8>,
    /// Whether the file has, or `lines` have, what is to be durable and is not yet.
    durable: bool,
    text: Pending,
}

/// The text of the run under way.
#[derive(Default)]
struct Pending {
    run_id: String,
    redacted: RedactedText,
    /// The end of all that was said in this run, and how much that was.
    said: String,
    said_bytes: usize,
}

fn answer(syncs: Vec<oneshot::Sender<Result<()>>>, failure: Option<&Failure>) {
    for sync in syncs {
        // Whoever asked may have given up waiting.
        let _ = sync.send(failure.map_or(Ok(()), |failure| Err(failure.error())));
    }
}

impl Writer {
    fn new(conversation: Conversation, redactor: Redactor) -> Self {
        Self { conversation, redactor, lines: Vec::new(), durable: false, text: Pending::default() }
    }

    fn run(mut self, shared: &Shared) {
        let (syncs, failure) = loop {
            let mut gathered = shared.wait();
            if gathered.text_since.is_some() {
                gathered.end_text(super::now(), false);
            }
            if gathered.closing {
                gathered.end_text(super::now(), true);
            }
            let notes = std::mem::take(&mut gathered.notes);
            let syncs = std::mem::take(&mut gathered.syncs);
            let closing = gathered.closing;
            drop(gathered);

            for note in notes {
                self.take(note);
            }
            let outcome = self.write(!syncs.is_empty() || closing);
            let failure = outcome.err().map(|error| Failure::of(&error));
            let mut gathered = shared.lock();
            gathered.failure.clone_from(&failure);
            let too_much = self.lines.len() > BACKLOG_LIMIT;
            gathered.gave_up = too_much && !self.conversation.is_broken();
            gathered.stopped = closing || too_much;
            if gathered.stopped {
                let late = std::mem::take(&mut gathered.syncs);
                break (syncs.into_iter().chain(late).collect(), failure);
            }
            drop(gathered);
            answer(syncs, failure.as_ref());
        };
        // The session is no longer open when it is told that it was closed.
        drop(self);
        answer(syncs, failure.as_ref());
    }

    /// Puts what is to be written into lines.
    fn take(&mut self, note: Note) {
        match note {
            Note::Text { timestamp, run_id, content, last } => self.say(timestamp, run_id, &content, last),
            Note::Record { timestamp, mut record } => {
                if let Record::Turn(turn) = &mut record {
                    let said = self.text.run_id == turn.run_id
                        && turn.content.as_deref().is_none_or(|content| self.text.ends_with(content));
                    if said {
                        turn.content = None;
                    }
                    self.text = Pending::default();
                }
                if matches!(&record, Record::Retry { how, .. } if how == "repeat") {
                    self.text = Pending::default();
                }
                record.for_each_text(&mut |text| redact_text(&self.redactor, text));
                self.durable |= record.is_durable();
                record.write(timestamp, &mut self.lines);
            }
            Note::ToolUse { timestamp, run_id, id, tool, parameters, parent } => {
                let mut parameters =
                    serde_json::from_str(&parameters).unwrap_or_else(|_| unread(&parameters));
                for_each_string(&mut parameters, &mut |text| {
                    redact_text(&self.redactor, text);
                    if text.len() > STRING_LIMIT {
                        *text = capped(text, STRING_LIMIT);
                    }
                });
                let length = parameters.to_string().len();
                if length > PARAMETERS_LIMIT {
                    parameters = serde_json::json!({ "omitted": format!("{length} bytes") });
                }
                Record::ToolUse { run_id, id, tool, parameters, parent_tool_use_id: parent }
                    .write(timestamp, &mut self.lines);
            }
        }
    }

    fn say(&mut self, timestamp: u64, run_id: String, piece: &str, last: bool) {
        let text = &mut self.text;
        if text.run_id != run_id {
            *text = Pending { run_id, ..Pending::default() };
        }
        text.remember(piece);
        let content = text.redacted.push(&self.redactor, piece, last);
        if !content.is_empty() {
            Record::Text { run_id: text.run_id.clone(), content }.write(timestamp, &mut self.lines);
        }
    }

    /// Writes the lines, and makes them durable where they have to be or it is asked for.
    fn write(&mut self, sync: bool) -> Result<()> {
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

impl Pending {
    fn remember(&mut self, piece: &str) {
        self.said_bytes += piece.len();
        self.said.push_str(piece);
        if self.said.len() > 2 * SAID_LIMIT {
            let from = cut_before(&self.said, self.said.len() - SAID_LIMIT);
            self.said.drain(..from);
        }
    }

    /// Whether what was said ends with `content`, as far as it is remembered.
    fn ends_with(&self, content: &str) -> bool {
        let (said, content) = (self.said.trim_end(), content.trim_end());
        if content.len() <= said.len() {
            return said.ends_with(content);
        }
        let forgotten = self.said_bytes > self.said.len();
        forgotten && content.len() <= self.said_bytes && content.ends_with(said)
    }
}

impl Failure {
    fn of(error: &Error) -> Self {
        match error {
            Error::History { action, path, advice, source } => Self {
                action,
                path: path.clone(),
                advice,
                source: source.as_ref().map(|error| (error.kind(), error.raw_os_error(), error.to_string())),
            },
            other => Self {
                action: "write",
                path: PathBuf::new(),
                advice: "see the reason",
                source: Some((io::ErrorKind::Other, None, other.to_string())),
            },
        }
    }

    fn error(&self) -> Error {
        let source = self.source.as_ref().map(|(kind, code, text)| match code {
            Some(code) => io::Error::from_raw_os_error(*code),
            None => io::Error::new(*kind, text.clone()),
        });
        Error::History { action: self.action, path: self.path.clone(), advice: self.advice, source }
    }
}

/// Parameters that this version cannot read, as they were.
fn unread(parameters: &str) -> Value {
    serde_json::json!({ "unread": capped(parameters, STRING_LIMIT) })
}

/// The text, or its beginning and how much more there was.
fn capped(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let kept = &text[..cut_before(text, limit)];
    format!("{kept}… [{} more bytes]", text.len() - kept.len())
}
