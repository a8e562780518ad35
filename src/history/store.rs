//! Everything that can be done with stored sessions.
//!
//! All calls do their work on the caller's thread and block for as long as it takes.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::conversation::{Conversation, put_in_place, remove_if_there};
use super::folder::{COMPRESSED, Folder, MARK, PLAIN, PLAN};
use super::id::SessionId;
use super::index::Index;
use super::mark::OpenMark;
use super::reader::{Problem, Reading, read_lines};
use super::record::{Header, Record, SCHEMA, State, for_each_string};
use super::redact::Redactor;
use super::source::{self, Place, Source};
use super::transcript::{SessionSummary, StoredSession};
use super::{failure, legacy, now};
use crate::error::{Error, Result};

/// Which sessions are to be listed, newest first.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ListFilter {
    /// Words that all occur in the session's text, title or id.
    pub query: Option<String>,
    /// The agent's name.
    pub provider: Option<String>,
    /// Begun at this time or later; milliseconds since the epoch.
    pub after: Option<u64>,
    /// Begun at this time or earlier; milliseconds since the epoch.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: Option<usize>,
    /// After so many.
    pub offset: usize,
}

/// The sessions that a filter lets through.
#[derive(Debug, Serialize)]
pub struct Listing {
    /// The page that was asked for.
    pub sessions: Vec<SessionSummary>,
    /// How many there are on all pages.
    pub total: usize,
    /// What could not be understood, over all sessions.
    pub problems: Vec<Problem>,
}

/// The stored sessions of one project.
#[derive(Debug)]
pub struct Store {
    folder: Folder,
    redactor: Redactor,
    index: Mutex<Option<Index>>,
}

impl Store {
    /// The history in `folder`; `redactor` takes the secrets out of what is written. Touches nothing.
    pub fn new(folder: Folder, redactor: Redactor) -> Self {
        Self { folder, redactor, index: Mutex::new(None) }
    }

    /// The history of `project`, at its usual place or in `folder`.
    pub fn of_project(project: &Path, folder: Option<&Path>, redactor: Redactor) -> Self {
        Self::new(Folder::new(project, folder), redactor)
    }

    /// Where the files are.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// What takes the secrets out.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Sessions at a glance, newest first.
    pub fn list(&self, filter: &ListFilter) -> Result<Listing> {
        let ((mut sessions, total), problems, marks) =
            self.ask(|index| Ok((index.list(filter)?, index.problems()?, index.marks()?)))?;
        let held = |id: &String| {
            SessionId::parse(id).is_ok_and(|id| OpenMark::is_held(&self.folder.file(&id, MARK)))
        };
        let open: HashSet<String> = marks.into_iter().filter(held).collect();
        for session in &mut sessions {
            session.open = open.contains(&session.id);
        }
        Ok(Listing { sessions, total, problems })
    }

    /// The ids that begin with `prefix`, newest first; one that is exactly that comes alone.
    pub fn find(&self, prefix: &str) -> Result<Vec<String>> {
        let prefix = SessionId::parse(prefix)?;
        if source::locate(&self.folder, &prefix)?.is_some() {
            return Ok(vec![prefix.to_string()]);
        }
        self.ask(|index| index.find(prefix.as_str()))
    }

    /// A whole session.
    pub fn read(&self, id: &str) -> Result<StoredSession> {
        let source = self.source(id)?;
        let mut stored = read_stored(&source)?;
        if stored.1.torn && source.place == Place::Plain {
            // Somebody may be in the middle of an append.
            source.settle()?;
            stored = read_stored(&source)?;
        }
        let (mut session, _) = stored;
        session.summary.open = OpenMark::is_held(&self.folder.file(&source.id, MARK));
        Ok(session)
    }

    /// The text of a session's file, in our format.
    pub fn export(&self, id: &str) -> Result<String> {
        let mut lines = Vec::new();
        self.source(id)?.copy_lines(&mut lines)?;
        Ok(String::from_utf8(lines)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// Gives a session a title; an empty one takes it away.
    pub fn rename(&self, id: &str, title: &str) -> Result<()> {
        let mut conversation =
            self.write_state(id, State { title: Some(title.to_owned()), ..State::default() })?;
        conversation.sync()
    }

    /// Saves what is known of the session's artifacts and tasks, a JSON object.
    pub fn set_context(&self, id: &str, context: &str) -> Result<()> {
        let context: Value = serde_json::from_str(context)
            .ok()
            .filter(Value::is_object)
            .ok_or(Error::InvalidInput("the context is no JSON object".into()))?;
        self.write_state(id, State { context: Some(context), ..State::default() })?;
        Ok(())
    }

    fn write_state(&self, id: &str, state: State) -> Result<Conversation> {
        let mut conversation = Conversation::open(&self.folder, &SessionId::parse(id)?)?;
        let mut record = Record::State(state);
        self.redact(&mut record);
        let mut line = Vec::new();
        record.write(now(), &mut line);
        conversation.append(&line)?;
        Ok(conversation)
    }

    /// Copies a session, or its first `turns` turns, into a new one, whose id it returns. The agents' own
    /// conversations stay with the old one.
    pub fn fork(&self, id: &str, turns: Option<u64>) -> Result<String> {
        let source = self.source(id)?;
        let new = SessionId::new();
        let header = Header {
            id: new.to_string(),
            created_at: now(),
            forked_from: Some(source.id.to_string()),
            schema: SCHEMA,
            ..source.header()?
        };
        let created_at = header.created_at;
        let mut lines = Vec::new();
        Record::Session(header).write(created_at, &mut lines);
        let (mut seen, limit) = (0, turns.unwrap_or(u64::MAX));
        source.read(|raw, line| {
            seen += u64::from(line.kind.as_str() == "prompt");
            if seen <= limit && line.kind.as_str() != "session" {
                copy_line(raw, true, &mut lines, &mut |_| {});
            }
        })?;
        self.put(&new, &lines)?;
        Ok(new.to_string())
    }

    /// Takes in a session from a text: our lines, the plan's JSON, or either of Locus's. It keeps its id unless that
    /// is taken; returns the id.
    pub fn import(&self, text: &str) -> Result<String> {
        let converted = legacy::convert(text, None).map(|(_, lines)| lines);
        let lines = converted.as_deref().unwrap_or(text.as_bytes());
        let mut transcript = super::transcript::Transcript::default();
        let reading = read_lines(lines, "import", |_, line| transcript.line(line));
        let usable = match reading.map_err(failure("read", Path::new("import")))? {
            Ok(_) => transcript.header.is_some() || !transcript.messages.is_empty(),
            Err(super::reader::TooNew { found }) => {
                return Err(Error::SchemaTooNew { path: "import".into(), found, known: SCHEMA });
            }
        };
        if !usable {
            return Err(Error::InvalidInput("the text is no session that this version knows".into()));
        }
        let summary = transcript.summary("");
        let header = transcript.header.unwrap_or_default();
        let wanted = SessionId::parse(&header.id).ok();
        let taken = match &wanted {
            Some(id) => source::locate(&self.folder, id)?.is_some(),
            None => true,
        };
        let id = wanted.filter(|_| !taken).unwrap_or_else(SessionId::new);
        let header = Header {
            schema: SCHEMA,
            id: id.to_string(),
            created_at: summary.created_at,
            project_path: self.folder.project().to_string_lossy().into_owned(),
            provider: summary.provider,
            imported_from: header.imported_from.or(Some(header.id)).filter(|id| !id.is_empty()),
            ..header
        };
        let mut copy = Vec::new();
        let mut record = Record::Session(header);
        self.redact(&mut record);
        record.write(summary.created_at, &mut copy);
        let redact = &mut |text: &mut String| redact_text(&self.redactor, text);
        let copied = read_lines(lines, "import", |raw, line| {
            if line.kind.as_str() != "session" {
                // Two sessions must not go on in one conversation of an agent.
                copy_line(raw, taken, &mut copy, redact);
            }
        });
        copied.map_err(failure("read", Path::new("import")))?.ok();
        self.put(&id, &copy)?;
        Ok(id.to_string())
    }

    /// Removes a session, whatever form it has; whether there was one. One that is open is not removed.
    pub fn remove(&self, id: &str) -> Result<bool> {
        let id = SessionId::parse(id)?;
        let Some(source) = source::locate(&self.folder, &id)? else { return Ok(false) };
        self.folder.create()?;
        let mark = self.folder.file(&id, MARK);
        let Some(_alone) = OpenMark::try_alone(&mark).map_err(failure("lock", &mark))? else {
            return Err(Error::History {
                action: "remove",
                path: source.path().to_owned(),
                advice: "a process has it open; end that first",
                source: None,
            });
        };
        self.remove_files(&id)?;
        if let Some(source) = Source::at(&self.folder, id, Place::Locus) {
            remove_if_there(source.path())?;
        }
        Ok(true)
    }

    /// Removes all sessions of this folder, but for those that are open or of a newer schema; how many. What Locus
    /// keeps elsewhere stays.
    pub fn clear(&self) -> Result<u64> {
        let mut removed = 0;
        for source in self.sources()?.into_values().filter(|source| source.place != Place::Locus) {
            removed += u64::from(
                !matches!(source.header(), Err(Error::SchemaTooNew { .. }))
                    && self.try_remove(&source.id, None)?,
            );
        }
        Ok(removed)
    }

    /// Removes a session of this folder unless it is open, or its file has not this size any more.
    pub(super) fn try_remove(&self, id: &SessionId, size: Option<u64>) -> Result<bool> {
        let mark = self.folder.file(id, MARK);
        let Some(_alone) = OpenMark::try_alone(&mark).map_err(failure("lock", &mark))? else {
            return Ok(false);
        };
        if let Some(size) = size {
            let source = source::locate(&self.folder, id)?;
            let now = source.and_then(|source| std::fs::symlink_metadata(source.path()).ok());
            if now.is_none_or(|now| now.len() != size) {
                return Ok(false);
            }
        }
        self.remove_files(id)
    }

    fn remove_files(&self, id: &SessionId) -> Result<bool> {
        let mut removed = false;
        // What hides the others goes last: a kill in between must not bring an old state back.
        for ending in [PLAN, COMPRESSED, PLAIN] {
            removed |= remove_if_there(&self.folder.file(id, ending))?;
        }
        Ok(removed)
    }

    pub(super) fn index(&self) -> &Mutex<Option<Index>> {
        &self.index
    }

    fn source(&self, id: &str) -> Result<Source> {
        let id = SessionId::parse(id)?;
        source::locate(&self.folder, &id)?.ok_or_else(|| Error::SessionNotFound {
            id: id.to_string(),
            folder: self.folder.path().to_owned(),
        })
    }

    pub(super) fn put(&self, id: &SessionId, lines: &[u8]) -> Result<()> {
        self.folder.create()?;
        let mark = self.folder.file(id, MARK);
        let _alone = OpenMark::alone(&mark).map_err(failure("lock", &mark))?;
        put_in_place(&self.folder, id, PLAIN, lines)
    }

    fn redact(&self, record: &mut Record) {
        record.for_each_text(&mut |text| redact_text(&self.redactor, text));
    }
}

pub(super) fn redact_text(redactor: &Redactor, text: &mut String) {
    if let std::borrow::Cow::Owned(clean) = redactor.redact(text) {
        *text = clean;
    }
}

/// The names of a folder's entries, as far as they are text; others are not ours.
pub(super) fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder).map_err(failure("list", folder))?;
    entries
        .filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose())
        .collect::<std::io::Result<_>>()
        .map_err(failure("list", folder))
}

fn read_stored(source: &Source) -> Result<(StoredSession, Reading)> {
    let mut transcript = super::transcript::Transcript::default();
    let mut records = Vec::new();
    let (reading, format) = source.read(|raw, line| {
        // A line that could be read is JSON.
        records.extend(RawValue::from_string(raw.to_owned()));
        transcript.line(line);
    })?;
    let size_bytes = std::fs::symlink_metadata(source.path()).map_or(0, |metadata| metadata.len());
    let summary = SessionSummary {
        size_bytes,
        compressed: source.place == Place::Compressed,
        format,
        ..transcript.summary(source.id.as_str())
    };
    let header = transcript.header.unwrap_or_else(|| Header {
        schema: SCHEMA,
        id: source.id.to_string(),
        created_at: summary.created_at,
        provider: summary.provider.clone(),
        model: summary.model.clone(),
        ..Header::default()
    });
    let session = StoredSession {
        header,
        summary,
        messages: transcript.messages,
        records,
        agent_sessions: transcript.agent_sessions,
        context: transcript.context,
        problems: reading.problems.clone(),
    };
    Ok((session, reading))
}

/// Copies a line, changed where asked.
fn copy_line(raw: &str, strip_agent_session: bool, lines: &mut Vec<u8>, change: &mut dyn FnMut(&mut String)) {
    let Ok(mut value) = serde_json::from_str::<Value>(raw) else { return };
    if let Some(fields) = value.as_object_mut().filter(|_| strip_agent_session) {
        fields.remove("agentSessionId");
    }
    for_each_string(&mut value, change);
    // A value always serializes, and a `Vec` takes every byte.
    if serde_json::to_writer(&mut *lines, &value).is_ok() {
        lines.push(b'\n');
    }
}
