//! What the engine did, for whoever has to find out why: JSON lines in `.locus/logs/<date>.jsonl`.
//!
//! The code speaks `tracing`; [`Log::subscriber`] is what listens while a session's actor runs, so that every project
//! has its own log, whatever else the process does with `tracing`. A line never has what people or agents said: ids,
//! codes, durations, tokens, costs, and messages of errors, out of which secrets were taken. Lines are written by a
//! thread of their own; where it cannot keep up, or a disk hangs, lines are dropped and no agent ever waits.

mod writer;

use std::path::Path;
use std::sync::Arc;

use tracing::Dispatch;
pub use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

use self::writer::Lines;
use crate::history::{Folder, Redactor};

pub use self::writer::{DAYS_KEPT, flush};

/// The log of one project.
#[derive(Debug, Clone)]
pub struct Log {
    folder: Arc<Folder>,
    level: LevelFilter,
    redactor: Arc<Redactor>,
}

impl Log {
    /// What is logged for `project`: in `.locus/logs`, or in `logs` in another folder of the history. Touches nothing.
    pub fn of_project(
        project: &Path,
        history: Option<&Path>,
        level: LevelFilter,
        redactor: Redactor,
    ) -> Self {
        Self { folder: Arc::new(Folder::of_logs(project, history)), level, redactor: Arc::new(redactor) }
    }

    /// What listens.
    pub fn subscriber(&self) -> Dispatch {
        let lines = Lines::to(Arc::clone(&self.folder));
        let layer = tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_target(false)
            .with_current_span(false)
            .with_span_list(false)
            .with_writer(lines);
        Dispatch::new(tracing_subscriber::registry().with(self.level).with(layer))
    }

    /// A text from outside on its way into a line.
    pub fn clean(&self, text: &str) -> String {
        self.redactor.redact(text).into_owned()
    }
}
