//! What can go wrong, each situation under a stable code.
//!
//! An [`Error`] names the situation and carries its facts; its [`ErrorKind`] is the code that crosses every
//! border (TypeScript, `--json-stream`, exit codes) and never changes its meaning; an [`ErrorReport`] is the
//! same thing as plain data. What agents and programs say of their failures becomes a kind by [`Symptoms`].

mod classify;
mod kind;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;
use std::iter::successors;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use classify::Symptoms;
pub use kind::ErrorKind;

use crate::process::Exit;
use crate::run::Exceeded;

/// A failure of the engine or of the agent it runs.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// See [`ErrorKind::InvalidInput`].
    #[error("{0}")]
    InvalidInput(Cow<'static, str>),
    /// See [`ErrorKind::UnknownProvider`].
    #[error("unknown provider '{name}'; known providers: {}", known.join(", "))]
    UnknownProvider {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// See [`ErrorKind::AgentNotAllowed`].
    #[error(
        "the project's '{}' says how '{name}' is run, and you have not allowed that file as it is; look at it, then \
         allow it with `locus exec agents allow` in the project, or once with --trust-project (option `trustProject`)",
        path.display()
    )]
    AgentNotAllowed {
        /// The agent's name.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// See [`ErrorKind::InvalidDirectory`].
    #[error("working directory '{}' {problem}", path.display())]
    InvalidDirectory {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it, as the rest of the sentence.
        problem: &'static str,
        /// The operating system's word for it.
        source: Option<io::Error>,
    },
    /// See [`ErrorKind::CliNotFound`].
    #[error("'{program}' was not found{}; {hint}", if *on_path { " on PATH" } else { "" })]
    CliNotFound {
        /// The executable that was looked for.
        program: String,
        /// Whether it was looked for on PATH (a bare name) or at one place (a path).
        on_path: bool,
        /// What to do about it.
        hint: String,
    },
    /// See [`ErrorKind::SpawnFailed`].
    #[error("cannot start '{program}'")]
    SpawnFailed {
        /// The executable.
        program: String,
        /// The operating system's reason.
        source: io::Error,
    },
    /// See [`ErrorKind::BrokenInstallation`].
    #[error("cannot run '{}', a part of this package", path.display())]
    BrokenInstallation {
        /// The part.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// See [`ErrorKind::ExitedBeforeInit`], [`ErrorKind::NoResult`], [`ErrorKind::ProcessCrashed`] and
    /// [`ErrorKind::KilledBySignal`].
    #[error("{agent} {}", describe_exit(*kind, *exit))]
    Exited {
        /// The agent's name.
        agent: String,
        /// Which of the four endings.
        kind: ErrorKind,
        /// The kind of what it wrote to stderr, where that tells more.
        reason: Option<ErrorKind>,
        /// How the process ended.
        exit: Exit,
        /// The last of what it wrote to stderr.
        stderr_tail: String,
    },
    /// See [`ErrorKind::Protocol`].
    #[error(
        "{agent} printed no line that its protocol knows ({lines} lines read, {exit}); the first: {sample}"
    )]
    Protocol {
        /// The agent's name.
        agent: String,
        /// How many lines it printed.
        lines: u64,
        /// The beginning of the first of them.
        sample: String,
        /// How the process ended.
        exit: Exit,
        /// The last of what it wrote to stderr.
        stderr_tail: String,
    },
    /// The agent itself reported that the turn failed.
    #[error("{message}")]
    Agent {
        /// The finest code that the agent's facts allow.
        kind: ErrorKind,
        /// The agent's message.
        message: String,
        /// When it may be tried again, where the agent or its API says so.
        available: Option<Available>,
    },
    /// See [`ErrorKind::StartTimeout`], [`ErrorKind::IdleTimeout`] and [`ErrorKind::TurnTimeout`].
    #[error("{agent} {} and was stopped", describe_timeout(*kind, *after))]
    TimedOut {
        /// The agent's name.
        agent: String,
        /// Which of the three.
        kind: ErrorKind,
        /// The limit.
        after: Duration,
        /// The last of what it wrote to stderr, where it had to be ended.
        stderr_tail: String,
    },
    /// See [`ErrorKind::BudgetExceeded`].
    #[error("{exceeded}")]
    BudgetExceeded {
        /// Whose budget, the limit and what was used.
        exceeded: Exceeded,
    },
    /// See [`ErrorKind::Cancelled`].
    #[error("the turn was cancelled")]
    Cancelled,
    /// See [`ErrorKind::SessionBusy`].
    #[error("a turn of this session is still running; await its result or cancel it first")]
    SessionBusy,
    /// See [`ErrorKind::SessionEnded`].
    #[error("the session was ended; create or load another one")]
    SessionEnded,
    /// See [`ErrorKind::SessionNotFound`].
    #[error("there is no session '{id}' in '{}'; list the sessions to see which there are", folder.display())]
    SessionNotFound {
        /// What was asked for.
        id: String,
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// See [`ErrorKind::History`].
    #[error("cannot {action} '{}'; {advice}", path.display())]
    History {
        /// What was tried, as the rest of "cannot …".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What to do about it.
        advice: &'static str,
        /// The operating system's reason, where it is one.
        source: Option<io::Error>,
    },
    /// See [`ErrorKind::SchemaTooNew`].
    #[error(
        "'{}' was written by a newer version (schema {found}, this version knows {known}); update this package",
        path.display()
    )]
    SchemaTooNew {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u64,
        /// The newest schema that is understood.
        known: u64,
    },
    /// See [`ErrorKind::Internal`].
    #[error("defect in locus-exec: {0}")]
    Internal(Cow<'static, str>),
}

/// When something that is limited is available again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Available {
    /// After so long.
    After(Duration),
    /// At a time, in milliseconds since the epoch.
    At(u64),
}

impl Available {
    /// How long that is from `now`, in milliseconds since the epoch.
    pub fn wait(self, now: u64) -> Duration {
        match self {
            Self::After(wait) => wait,
            Self::At(time) => Duration::from_millis(time.saturating_sub(now)),
        }
    }
}

/// The result of what can fail in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

fn describe_exit(kind: ErrorKind, exit: Exit) -> String {
    match kind {
        ErrorKind::ExitedBeforeInit => format!("ended before it was ready ({exit})"),
        ErrorKind::NoResult => format!("ended without a result ({exit})"),
        _ => format!("ended in the middle of the turn ({exit})"),
    }
}

fn describe_timeout(kind: ErrorKind, after: Duration) -> String {
    match kind {
        ErrorKind::StartTimeout => format!("was not ready after {after:?}"),
        ErrorKind::IdleTimeout => format!("was silent for {after:?}"),
        _ => format!("took longer than {after:?}"),
    }
}

impl Error {
    /// The stable kind of this error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidInput(_) => ErrorKind::InvalidInput,
            Self::UnknownProvider { .. } => ErrorKind::UnknownProvider,
            Self::AgentNotAllowed { .. } => ErrorKind::AgentNotAllowed,
            Self::InvalidDirectory { .. } => ErrorKind::InvalidDirectory,
            Self::CliNotFound { .. } => ErrorKind::CliNotFound,
            Self::SpawnFailed { .. } => ErrorKind::SpawnFailed,
            Self::BrokenInstallation { .. } => ErrorKind::BrokenInstallation,
            Self::Exited { kind, reason, .. } => reason.unwrap_or(*kind),
            Self::Agent { kind, .. } | Self::TimedOut { kind, .. } => *kind,
            Self::Protocol { .. } => ErrorKind::Protocol,
            Self::BudgetExceeded { .. } => ErrorKind::BudgetExceeded,
            Self::Cancelled => ErrorKind::Cancelled,
            Self::SessionBusy => ErrorKind::SessionBusy,
            Self::SessionEnded => ErrorKind::SessionEnded,
            Self::SessionNotFound { .. } => ErrorKind::SessionNotFound,
            Self::History { .. } => ErrorKind::History,
            Self::SchemaTooNew { .. } => ErrorKind::SchemaTooNew,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }

    /// When it may be tried again, where that is known.
    pub fn available(&self) -> Option<Available> {
        match self {
            Self::Agent { available, .. } => *available,
            _ => None,
        }
    }

    /// The same error as data, for the borders.
    pub fn report(&self) -> ErrorReport {
        let causes: Vec<String> = successors(self.source(), |error: &&dyn StdError| (*error).source())
            .map(ToString::to_string)
            .collect();
        let (exit, stderr_tail) = match self {
            Self::Exited { exit, stderr_tail, .. } | Self::Protocol { exit, stderr_tail, .. } => {
                (Some(*exit), Some(stderr_tail.clone()).filter(|tail| !tail.is_empty()))
            }
            Self::TimedOut { stderr_tail, .. } => {
                (None, Some(stderr_tail.clone()).filter(|tail| !tail.is_empty()))
            }
            _ => (None, None),
        };
        let (retry_after, resets_at) = match self.available() {
            Some(Available::After(wait)) => (Some(wait), None),
            Some(Available::At(time)) => (None, Some(time)),
            None => (None, None),
        };
        let message = match causes.as_slice() {
            [] => self.to_string(),
            causes => format!("{self}: {}", causes.join(": ")),
        };
        ErrorReport {
            error: message,
            code: self.kind().code(),
            retryable: self.kind().retryable(),
            retry_after_ms: retry_after.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            resets_at,
            causes,
            exit_code: exit.and_then(|exit| exit.code),
            signal: exit.and_then(|exit| exit.signal),
            stderr_tail,
            needs_consent: false,
            changed: false,
            attempts: Vec::new(),
        }
    }
}

/// An [`Error`] as plain data; serializes to the fields of the `error` chunk in camel case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorReport {
    /// The whole message, causes included.
    pub error: String,
    /// The stable code.
    pub code: &'static str,
    /// Whether the same turn may succeed when tried again.
    pub retryable: bool,
    /// How long to wait before that, in milliseconds, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// When it may be tried again, in milliseconds since the epoch, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<u64>,
    /// The chain of causes, outermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// The agent's exit code, where it ended by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The signal's name that ended the agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<&'static str>,
    /// The last of what the agent wrote to stderr.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stderr_tail: Option<String>,
    /// Whether another try was not made because the agent had changed something, which it might do twice.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub needs_consent: bool,
    /// Whether the agent had used a tool that is not known to only look.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub changed: bool,
    /// What every attempt failed of, the last one included, where there were several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<FailedAttempt>,
}

/// What an attempt at a turn failed of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedAttempt {
    /// Which attempt: 1, 2, 3, …
    pub attempt: u32,
    /// The stable code.
    pub code: Cow<'static, str>,
    /// What was wrong, shortened.
    pub message: String,
    /// The tool that was used last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_tool: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_carries_the_causes() {
        let error =
            Error::SpawnFailed { program: "claude".into(), source: io::Error::other("no more processes") };
        let report = error.report();
        assert_eq!(report.error, "cannot start 'claude': no more processes");
        assert_eq!(report.causes, ["no more processes"]);
        assert_eq!(report.code, "SPAWN_FAILED");
    }
}
