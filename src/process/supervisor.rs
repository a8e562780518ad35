//! Who starts a process and answers for the end of everything that it starts.
//!
//! On Linux that is the runner's guard ([`crate::guard`]); elsewhere a process group (macOS) or a job object (Windows),
//! by the library process-wrap. Both have the same face, and dropping either ends everything.

#[cfg(any(not(target_os = "linux"), test))]
mod grouped;
#[cfg(target_os = "linux")]
mod guarded;

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};

use super::exit::Exit;
use crate::error::{Error, Result};

#[cfg(not(target_os = "linux"))]
pub(super) use grouped::Supervisor;
#[cfg(target_os = "linux")]
pub(super) use guarded::Supervisor;

/// What a supervisor needs to know beside the command.
#[derive(Debug, Clone, Default)]
pub struct Supervision {
    /// The `locus-runner` executable.
    pub runner: PathBuf,
    /// How long what is left may take to end by itself when it was asked to and nobody says otherwise.
    pub grace: Duration,
}

/// What became of a process.
#[derive(Debug)]
pub(super) enum Fate {
    /// It has ended.
    Ended(Exit),
    /// It could not be started.
    NotStarted(io::Error),
    /// Its supervisor was killed, so nothing is known of it but that it has ended too.
    Lost,
}

/// The three pipes of a process.
#[derive(Debug)]
pub(super) struct Pipes {
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
}

impl Pipes {
    fn ask_for(command: &mut Command) {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    }

    fn take(
        stdin: &mut Option<ChildStdin>,
        stdout: &mut Option<ChildStdout>,
        stderr: &mut Option<ChildStderr>,
    ) -> Result<Self> {
        match (stdin.take(), stdout.take(), stderr.take()) {
            (Some(stdin), Some(stdout), Some(stderr)) => Ok(Self { stdin, stdout, stderr }),
            _ => Err(Error::Internal("a fresh child lacks a pipe".into())),
        }
    }
}
