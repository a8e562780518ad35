//! A conversation as one plain object, `{ id, projectPath, messages, createdAt, updatedAt, metadata }`: what a program
//! holds in its hands and changes as it likes, and what Locus 0.14.x keeps in a file for each session.
//!
//! To save one is to write down what the stored conversation has not: messages that came, the rest of an answer. Only
//! where the program has changed what was said before, the conversation is replaced. A snapshot may also be kept as it
//! is, in a `<id>.json` that whoever knows the shape can read.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::conversation::{Conversation, put_in_place, remove_if_there};
use super::folder::{COMPRESSED, MARK, PLAIN, PLAN};
use super::id::SessionId;
use super::mark::OpenMark;
use super::record::{Header, Record, SCHEMA, State, Turn, for_each_string};
use super::redact::{RedactedText, Redactor};
use super::source::{self, Place, Source};
use super::store::{Store, redact_text};
use super::transcript::{Role, StoredMessage, Transcript};
use super::{failure, now};
use crate::error::{Error, Result};
use crate::usage::Usage;

/// A conversation as one object. Times are in milliseconds since the epoch. What it has beside these fields is kept in a
/// file of its own shape, and nowhere else.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the fields are named as in the object, which the module describes")]
pub struct Snapshot {
    pub id: String,
    pub project_path: String,
    pub messages: Vec<SnapshotMessage>,
    #[serde(deserialize_with = "milliseconds")]
    pub created_at: u64,
    #[serde(deserialize_with = "milliseconds")]
    pub updated_at: u64,
    pub metadata: SnapshotMetadata,
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What is known of the conversation as a whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the fields are named as in the object, which the module describes")]
pub struct SnapshotMetadata {
    pub model: String,
    pub provider: String,
    /// Artifacts and tasks; absent: as they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_tracker: Option<Value>,
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Something that was said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the fields are named as in the object, which the module describes")]
pub struct SnapshotMessage {
    pub role: Role,
    #[serde(default)]
    pub content: String,
    #[serde(default, deserialize_with = "milliseconds")]
    pub timestamp: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<AnswerMetadata>,
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What is known of an answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the fields are named as in the object, which the module describes")]
pub struct AnswerMetadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools_used: Option<Vec<String>>,
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// Whether more may follow; the text may then end in the middle of a word.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub interrupted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// How a snapshot is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotForm {
    /// As the records of a conversation.
    Records,
    /// As it is, in a file that Locus 0.14.x reads.
    Json,
}

impl Store {
    /// A whole session as one object; `None` where there is none.
    pub fn snapshot(&self, id: &str) -> Result<Option<Snapshot>> {
        let id = SessionId::parse(id)?;
        let Some(source) = source::locate(self.folder(), &id)? else { return Ok(None) };
        if matches!(source.place, Place::Plan | Place::Locus)
            && let Some(snapshot) = Snapshot::parse(&source.text()?)
        {
            return Ok(Some(Snapshot { id: id.to_string(), ..snapshot }));
        }
        let (transcript, _, _) = source.transcript()?;
        Ok(Some(Snapshot::of(&transcript, id.as_str())))
    }

    /// Writes down what the stored session has not; it is durable when this returns.
    pub fn save_snapshot(&self, snapshot: &Snapshot, form: SnapshotForm) -> Result<()> {
        let id = SessionId::parse(&snapshot.id)?;
        let snapshot = snapshot.redacted(self.redactor());
        match form {
            SnapshotForm::Records => self.save_as_records(&id, &snapshot),
            SnapshotForm::Json => self.save_as_json(&id, &snapshot),
        }
    }

    fn save_as_records(&self, id: &SessionId, snapshot: &Snapshot) -> Result<()> {
        let Some(source) = source::locate(self.folder(), id)? else {
            return self.put(id, &snapshot.whole(self.folder().project()));
        };
        let stored = Stored::read(&source)?;
        let Some(lines) = stored.missing(snapshot) else {
            let project = self.folder().project();
            return self.replace(id, PLAIN, &snapshot.whole(project), &[COMPRESSED, PLAN]);
        };
        if lines.is_empty() {
            return Ok(());
        }
        let mut conversation = Conversation::open(self.folder(), id)?;
        conversation.append(&lines)?;
        conversation.sync()
    }

    fn save_as_json(&self, id: &SessionId, snapshot: &Snapshot) -> Result<()> {
        let json = serde_json::to_vec_pretty(snapshot)
            .map_err(|error| Error::InvalidInput(format!("the session is no JSON: {error}").into()))?;
        // Where there are records, they would hide it.
        self.replace(id, PLAN, &json, &[COMPRESSED, PLAIN])
    }

    /// Puts a session's file in place of whatever there is of it, unless a process has it open.
    fn replace(&self, id: &SessionId, ending: &str, bytes: &[u8], others: &[&str]) -> Result<()> {
        self.folder().create()?;
        let mark = self.folder().file(id, MARK);
        let Some(_alone) = OpenMark::try_alone(&mark).map_err(failure("lock", &mark))? else {
            return Err(Error::History {
                action: "replace",
                path: self.folder().file(id, ending),
                advice: "a process has it open; end that first",
                source: None,
            });
        };
        put_in_place(self.folder(), id, ending, bytes)?;
        others.iter().try_for_each(|other| remove_if_there(&self.folder().file(id, other)).map(drop))
    }
}

impl Snapshot {
    /// The object in a text, if it is one of this shape.
    pub fn parse(text: &str) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Shape {
            #[serde(rename = "messages")]
            _messages: Vec<serde::de::IgnoredAny>,
            #[serde(rename = "createdAt")]
            _created_at: f64,
        }
        serde_json::from_str::<Shape>(text).ok()?;
        serde_json::from_str(text).ok()
    }

    /// What lines amount to. An answer of which nothing was said is not there.
    fn of(transcript: &Transcript, id: &str) -> Self {
        let summary = transcript.summary(id);
        let header = transcript.header.as_ref();
        Self {
            id: id.to_owned(),
            project_path: header.map(|header| header.project_path.clone()).unwrap_or_default(),
            messages: said(&transcript.messages).map(SnapshotMessage::of).collect(),
            created_at: summary.created_at,
            updated_at: summary.updated_at,
            metadata: SnapshotMetadata {
                model: summary.model.unwrap_or_default(),
                provider: summary.provider,
                context_tracker: context_of(transcript),
                other: Map::new(),
            },
            other: Map::new(),
        }
    }

    /// The same without secrets.
    fn redacted(&self, redactor: &Redactor) -> Self {
        let mut clean = self.clone();
        let redact = &mut |text: &mut String| redact_text(redactor, text);
        for message in &mut clean.messages {
            message.content = RedactedText::default().push(redactor, &message.content, !message.is_open());
            let about = message.metadata.iter_mut().flat_map(|metadata| metadata.other.values_mut());
            about.chain(message.other.values_mut()).for_each(|value| for_each_string(value, redact));
        }
        clean.metadata.context_tracker.iter_mut().for_each(|context| for_each_string(context, redact));
        for value in clean.metadata.other.values_mut().chain(clean.other.values_mut()) {
            for_each_string(value, redact);
        }
        clean
    }

    /// All of it as lines.
    fn whole(&self, project: &std::path::Path) -> Vec<u8> {
        let mut lines = Vec::new();
        let project_path = match self.project_path.as_str() {
            "" => project.to_string_lossy().into_owned(),
            path => path.to_owned(),
        };
        let header = Header {
            schema: SCHEMA,
            id: self.id.clone(),
            created_at: self.created_at,
            project_path,
            provider: self.metadata.provider.clone(),
            model: self.model(),
            ..Header::default()
        };
        Record::Session(header).write(self.created_at, &mut lines);
        self.write(&self.messages, None, &mut lines);
        if let Some(context) = &self.metadata.context_tracker {
            let state = State { context: Some(context.clone()), ..State::default() };
            Record::State(state).write(now(), &mut lines);
        }
        lines
    }

    /// These of its messages as lines; `open` is the run of a prompt before them that has no answer.
    fn write(&self, messages: &[SnapshotMessage], mut open: Option<String>, lines: &mut Vec<u8>) {
        for message in messages {
            if message.role == Role::User {
                let run_id = new_run();
                open = Some(run_id.clone());
                let (provider, model) = (self.metadata.provider.clone(), self.model());
                // Who only knows the words cannot say what images went with them.
                let (content, images) = (message.content.clone(), Vec::new());
                Record::Prompt { run_id, content, provider, model, images }.write(message.timestamp, lines);
            } else {
                let run_id = open.take().unwrap_or_else(new_run);
                message.write_answer(&run_id, &message.content, lines);
            }
        }
    }

    fn model(&self) -> Option<String> {
        Some(self.metadata.model.clone()).filter(|model| !model.is_empty())
    }
}

impl SnapshotMessage {
    fn of(stored: &StoredMessage) -> Self {
        let metadata = stored.metadata.as_ref().map(|metadata| AnswerMetadata {
            tools_used: Some(metadata.tools_used.clone()).filter(|tools| !tools.is_empty()),
            #[expect(clippy::cast_precision_loss, reason = "a turn takes less than 2^53 ms")]
            duration: metadata.duration_ms.map(|ms| ms as f64),
            interrupted: metadata.interrupted,
            error_code: metadata.error_code.clone(),
            usage: metadata.usage.as_ref().and_then(|usage| Usage::deserialize(usage).ok()),
            other: metadata.images.iter().map(|images| ("images".to_owned(), images.clone())).collect(),
        });
        let StoredMessage { role, content, timestamp, .. } = stored;
        Self { role: *role, content: content.clone(), timestamp: *timestamp, metadata, other: Map::new() }
    }

    /// Whether more may follow.
    fn is_open(&self) -> bool {
        self.metadata.as_ref().is_some_and(|metadata| metadata.interrupted)
    }

    /// This much of the text of an answer, and its end if it has one.
    fn write_answer(&self, run: &str, text: &str, lines: &mut Vec<u8>) {
        if !text.is_empty() {
            Record::Text { run_id: run.to_owned(), content: text.to_owned() }.write(self.timestamp, lines);
        }
        if self.is_open() {
            return;
        }
        let metadata = self.metadata.clone().unwrap_or_default();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "what is no duration counts as none: the cast saturates"
        )]
        let duration_ms = metadata.duration.unwrap_or(0.0) as u64;
        let turn = Turn {
            run_id: run.to_owned(),
            success: metadata.error_code.is_none(),
            error_code: metadata.error_code,
            duration_ms,
            tools_used: metadata.tools_used.unwrap_or_default(),
            usage: metadata.usage,
            ..Turn::default()
        };
        Record::Turn(turn).write(self.timestamp, lines);
    }
}

/// What there is of a session already.
struct Stored {
    transcript: Transcript,
}

impl Stored {
    fn read(source: &Source) -> Result<Self> {
        let (transcript, _, _) = source.transcript()?;
        Ok(Self { transcript })
    }

    /// The lines that a snapshot has and this has not; `None` where this has something that the snapshot has not.
    fn missing(&self, snapshot: &Snapshot) -> Option<Vec<u8>> {
        let stored: Vec<&StoredMessage> = said(&self.transcript.messages).collect();
        let wanted = &snapshot.messages;
        let is_same = |(stored, wanted): &(&&StoredMessage, &SnapshotMessage)| {
            stored.role == wanted.role && stored.content == wanted.content
        };
        let shared = stored.iter().zip(wanted).take_while(is_same).count();
        let mut lines = Vec::new();
        let mut open = None;
        let mut next = shared;
        match &stored[shared..] {
            [] => match stored.last() {
                Some(last) if last.role == Role::User => open = Some(last.run_id.clone()),
                Some(last) if is_interrupted(last) && !wanted[shared - 1].is_open() => {
                    wanted[shared - 1].write_answer(&last.run_id, "", &mut lines);
                }
                _ => {}
            },
            [answer] if is_interrupted(answer) => {
                let longer = wanted.get(shared).filter(|wanted| wanted.role == Role::Assistant)?;
                longer.write_answer(
                    &answer.run_id,
                    longer.content.strip_prefix(&answer.content)?,
                    &mut lines,
                );
                next += 1;
            }
            _ => return None,
        }
        snapshot.write(&wanted[next..], open, &mut lines);
        self.write_state(snapshot, next < wanted.len(), &mut lines);
        Some(lines)
    }

    /// What else has changed; who has the next prompt is told with it.
    fn write_state(&self, snapshot: &Snapshot, said_more: bool, lines: &mut Vec<u8>) {
        let summary = self.transcript.summary(&snapshot.id);
        let SnapshotMetadata { provider, context_tracker, .. } = &snapshot.metadata;
        let moved = !said_more && (*provider != summary.provider || snapshot.model() != summary.model);
        let context =
            context_tracker.clone().filter(|context| Some(context) != context_of(&self.transcript).as_ref());
        if moved || context.is_some() {
            let state = State {
                provider: moved.then(|| provider.clone()),
                model: snapshot.model().filter(|_| moved),
                context,
                ..State::default()
            };
            Record::State(state).write(now(), lines);
        }
    }
}

/// The messages in which something was said.
fn said(messages: &[StoredMessage]) -> impl Iterator<Item = &StoredMessage> {
    messages.iter().filter(|message| !(is_interrupted(message) && message.content.is_empty()))
}

fn is_interrupted(message: &StoredMessage) -> bool {
    message.metadata.as_ref().is_some_and(|metadata| metadata.interrupted)
}

fn context_of(transcript: &Transcript) -> Option<Value> {
    transcript.context.as_ref().and_then(|context| serde_json::from_str(context.get()).ok())
}

fn new_run() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// A time as JavaScript may have it; what is none counts as the beginning of all times.
fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    Ok(Option::<f64>::deserialize(deserializer)?.map_or(0, |ms| ms as u64))
}
