//! A project with a history, and sessions to put into it.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use locus_exec::event::{Event, Fact, Payload};
use locus_exec::history::{Header, ListFilter, NewSession, Record, Recorder, Redactor, SCHEMA, Store, Turn};
use locus_exec::stream::{Chunk, TurnResult, Usage};
use tempfile::TempDir;

/// A project in a folder of its own.
pub(crate) struct Project {
    folder: TempDir,
    pub(crate) store: Store,
}

impl Project {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = store_of(folder.path());
        Self { folder, store }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file of the history.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.store.folder().path().join(name)
    }

    /// Stores a session of these (prompt, answer) pairs, which began at `created_at`.
    pub(crate) fn put(&self, id: &str, created_at: u64, turns: &[(&str, &str)]) {
        fs::create_dir_all(self.store.folder().path()).unwrap();
        fs::write(self.file(&format!("{id}.jsonl")), session(id, created_at, turns)).unwrap();
    }

    /// The ids of all sessions, newest first.
    pub(crate) fn ids(&self) -> Vec<String> {
        let listing = self.store.list(&ListFilter::default()).unwrap();
        listing.sessions.into_iter().map(|session| session.id).collect()
    }
}

/// The history of a project, opened anew.
pub(crate) fn store_of(project: &Path) -> Store {
    Store::of_project(project, None, Redactor::default())
}

/// The lines of a session.
pub(crate) fn session(id: &str, created_at: u64, turns: &[(&str, &str)]) -> Vec<u8> {
    let mut lines = Vec::new();
    let header = Header {
        schema: SCHEMA,
        id: id.to_owned(),
        created_at,
        project_path: "/project".to_owned(),
        provider: "claude".to_owned(),
        ..Header::default()
    };
    Record::Session(header).write(created_at, &mut lines);
    for (index, (prompt, answer)) in turns.iter().enumerate() {
        let at = created_at + 1 + index as u64;
        let run_id = format!("run-{index}");
        let (content, provider) = ((*prompt).to_owned(), "claude".to_owned());
        Record::Prompt { run_id: run_id.clone(), content, provider, model: None, images: Vec::new() }
            .write(at, &mut lines);
        Record::Text { run_id: run_id.clone(), content: (*answer).to_owned() }.write(at, &mut lines);
        Record::Turn(Turn {
            run_id,
            success: true,
            agent_session_id: Some("agent-1".into()),
            ..Turn::default()
        })
        .write(at, &mut lines);
    }
    lines
}

/// A recorder of a new session.
pub(crate) fn recorder(store: &Store, id: &str) -> Recorder {
    let session = NewSession {
        id: id.to_owned(),
        project_path: "/project".to_owned(),
        provider: "claude".to_owned(),
        ..NewSession::default()
    };
    Recorder::create(store, session).unwrap()
}

/// Shows events to a recorder.
pub(crate) trait Observe {
    fn payload<'a>(&mut self, run: &str, payload: impl Into<Payload<'a>>);

    fn prompt(&mut self, run: &str, prompt: &str) {
        self.payload(run, Fact::PromptSubmitted { prompt, images: &[] });
    }

    fn text(&mut self, run: &str, content: &str) {
        self.payload(run, Chunk::TextDelta { content: content.into(), parent_tool_use_id: None });
    }

    fn end(&mut self, run: &str, content: &str) {
        self.payload(
            run,
            TurnResult {
                content: content.into(),
                success: true,
                stop_reason: "end_turn".into(),
                usage: Usage::default(),
                duration_ms: 7,
                turns: 1,
                agent_session_id: Some(Cow::Borrowed("agent-1")),
            },
        );
        self.payload(
            run,
            Fact::TurnCompleted {
                run_id: run,
                success: true,
                code: None,
                duration_ms: 7,
                tools_used: &[],
                usage: Usage { cost_usd: Some(0.25), ..Usage::default() },
            },
        );
    }
}

impl Observe for Recorder {
    fn payload<'a>(&mut self, run: &str, payload: impl Into<Payload<'a>>) {
        self.observe(&Event { seq: 1, timestamp: 1_700_000_000_000, payload: payload.into() }, run);
    }
}

/// Says that a test cannot be run here, and what it needs.
#[expect(clippy::print_stderr, reason = "a test that was not run must not look as if it was")]
pub(crate) fn not_run(needs: &str) {
    eprintln!("not run: it needs {needs}");
}
