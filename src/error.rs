//! What can go wrong, each situation under a stable code.
//!
//! An [`Error`] names the situation and carries its facts; its [`ErrorKind`] is the code that crosses every
//! border (TypeScript, `--json-stream`, exit codes) and never changes its meaning; an [`ErrorReport`] is the
//! same thing as plain data.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::io;
use std::iter::successors;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::process::Exit;
use crate::run::Exceeded;

macro_rules! error_kinds {
    ($($(#[$doc:meta])* $kind:ident = $code:literal, retryable: $retryable:literal;)+) => {
        /// The stable code of an [`Error`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorKind {
            $($(#[$doc])* $kind,)+
        }

        impl ErrorKind {
            /// Every kind, in the order of this file.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// The code as it is written everywhere outside Rust, for example `CLI_NOT_FOUND`.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$kind => $code,)+
                }
            }

            /// Whether the same turn may succeed when it is simply tried again later.
            pub const fn retryable(self) -> bool {
                match self {
                    $(Self::$kind => $retryable,)+
                }
            }
        }
    };
}

error_kinds! {
    /// A prompt or an option that cannot be used.
    InvalidInput = "INVALID_INPUT", retryable: false;
    /// No agent is registered under this name.
    UnknownProvider = "UNKNOWN_PROVIDER", retryable: false;
    /// The working directory is missing, no directory, or not accessible.
    InvalidDirectory = "INVALID_DIRECTORY", retryable: false;
    /// The agent's executable was not found.
    CliNotFound = "CLI_NOT_FOUND", retryable: false;
    /// The operating system refused to start the agent.
    SpawnFailed = "SPAWN_FAILED", retryable: false;
    /// The agent ended before it said that it was ready.
    ExitedBeforeInit = "EXITED_BEFORE_INIT", retryable: false;
    /// The agent ended with exit code 0 but gave no result.
    NoResult = "NO_RESULT", retryable: true;
    /// The agent ended with another exit code in the middle of a turn.
    ProcessCrashed = "PROCESS_CRASHED", retryable: true;
    /// The agent was ended by a signal that we did not send.
    KilledBySignal = "KILLED_BY_SIGNAL", retryable: true;
    /// The agent printed nothing that its protocol knows.
    Protocol = "PROTOCOL", retryable: false;
    /// The agent reported a failure of the model's API that has no finer code.
    Api = "API_ERROR", retryable: false;
    /// The agent is not logged in, or its key is refused.
    Auth = "AUTH", retryable: false;
    /// The model's API limits the rate.
    RateLimit = "RATE_LIMIT", retryable: true;
    /// The model's API is overloaded or failing.
    Overloaded = "OVERLOADED", retryable: true;
    /// The model's API cannot be reached.
    Network = "NETWORK_ERROR", retryable: true;
    /// The agent stopped at its limit of model turns.
    MaxTurns = "MAX_TURNS", retryable: false;
    /// A budget was used up: the agent's own, a turn's or the session's.
    BudgetExceeded = "BUDGET_EXCEEDED", retryable: false;
    /// The agent ended the turn with an error that has no finer code.
    AgentError = "AGENT_ERROR", retryable: false;
    /// The agent did not get ready in time.
    StartTimeout = "START_TIMEOUT", retryable: true;
    /// The agent was silent for too long in the middle of a turn.
    IdleTimeout = "IDLE_TIMEOUT", retryable: true;
    /// The turn took too long.
    TurnTimeout = "TURN_TIMEOUT", retryable: false;
    /// The turn was cancelled.
    Cancelled = "CANCELLED", retryable: false;
    /// A turn of this session is still running.
    SessionBusy = "SESSION_BUSY", retryable: false;
    /// The session was ended.
    SessionEnded = "SESSION_ENDED", retryable: false;
    /// No stored session has this id.
    SessionNotFound = "SESSION_NOT_FOUND", retryable: false;
    /// Several stored sessions begin with this id; told by who resolves it (the command line), not by the engine.
    SessionAmbiguous = "SESSION_AMBIGUOUS", retryable: false;
    /// A file of the history could not be read or written.
    History = "HISTORY", retryable: false;
    /// A file of the history was written by a newer version.
    SchemaTooNew = "SCHEMA_TOO_NEW", retryable: false;
    /// A defect of this package.
    Internal = "INTERNAL", retryable: false;
}

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
        known: &'static [&'static str],
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
    /// See [`ErrorKind::ExitedBeforeInit`], [`ErrorKind::NoResult`], [`ErrorKind::ProcessCrashed`] and
    /// [`ErrorKind::KilledBySignal`].
    #[error("{agent} {}", describe_exit(*kind, *exit))]
    Exited {
        /// The agent's name.
        agent: &'static str,
        /// Which of the four endings.
        kind: ErrorKind,
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
        agent: &'static str,
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
        /// How long the agent or its API asks to wait.
        retry_after: Option<Duration>,
    },
    /// See [`ErrorKind::StartTimeout`], [`ErrorKind::IdleTimeout`] and [`ErrorKind::TurnTimeout`].
    #[error("{agent} {} and was stopped", describe_timeout(*kind, *after))]
    TimedOut {
        /// The agent's name.
        agent: &'static str,
        /// Which of the three.
        kind: ErrorKind,
        /// The limit.
        after: Duration,
        /// The last of what it wrote to stderr, where it had to be ended.
        stderr_tail: String,
    },
    /// See [`ErrorKind::BudgetExceeded`].
    #[error("{exceeded}; raise the budget to go on")]
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
            Self::InvalidDirectory { .. } => ErrorKind::InvalidDirectory,
            Self::CliNotFound { .. } => ErrorKind::CliNotFound,
            Self::SpawnFailed { .. } => ErrorKind::SpawnFailed,
            Self::Exited { kind, .. } | Self::Agent { kind, .. } | Self::TimedOut { kind, .. } => *kind,
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
        let retry_after = match self {
            Self::Agent { retry_after, .. } => *retry_after,
            _ => None,
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
            causes,
            exit_code: exit.and_then(|exit| exit.code),
            signal: exit.and_then(|exit| exit.signal),
            stderr_tail,
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique() {
        let mut codes: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
    }

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
