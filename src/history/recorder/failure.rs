//! Why something could not be written; an [`Error`] that can be told more than once.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, Result};

#[derive(Debug, Clone)]
pub(super) struct Failure {
    action: &'static str,
    path: PathBuf,
    advice: &'static str,
    source: Option<(io::ErrorKind, Option<i32>, String)>,
}

impl Failure {
    pub(super) fn of(error: &Error) -> Self {
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

    /// That the disk has not answered for `waited`.
    pub(super) fn unanswered(path: PathBuf, waited: Duration) -> Self {
        Self::of(&super::super::unanswered("write", path, waited))
    }

    pub(super) fn error(&self) -> Error {
        let source = self.source.as_ref().map(|(kind, code, text)| match code {
            Some(code) => io::Error::from_raw_os_error(*code),
            None => io::Error::new(*kind, text.clone()),
        });
        Error::History { action: self.action, path: self.path.clone(), advice: self.advice, source }
    }

    /// What whoever waits is told.
    pub(super) fn outcome(failure: Option<&Self>) -> Result<()> {
        failure.map_or(Ok(()), |failure| Err(failure.error()))
    }
}
