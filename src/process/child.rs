//! A running process with its three pipes.

use std::future::pending;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::command::CommandSpec;
use super::exit::Exit;
use super::stderr::StderrTail;
use super::stdout::Stdout;
use super::supervisor::{Fate, Supervision, Supervisor};
use crate::error::{Error, Result};

/// How long stdout is still read after the process itself has ended: a grandchild may hold the pipe open for ever.
const DRAIN_AFTER_EXIT: Duration = Duration::from_millis(500);

/// The most that a process can leave in its pipe when it ends.
const MAX_PIPE_BYTES: usize = 1024 * 1024;

/// More than any system reads of the line in which a script names its interpreter.
const MAX_FIRST_LINE: u64 = 4096;

/// How much longer than the grace the end of everything is waited for: what is stuck in the kernel cannot be killed.
const END_MARGIN: Duration = Duration::from_secs(2);

/// A running process and everything that it starts. Dropping it ends all of that; [`Process::terminate`] waits for it.
#[derive(Debug)]
pub struct Process {
    program: String,
    supervisor: Supervisor,
    stdin: Option<mpsc::UnboundedSender<Vec<u8>>>,
    stdout: Stdout,
    stdout_ended: bool,
    stderr: StderrTail,
    exit: Option<Exit>,
    drain_deadline: Option<Instant>,
    read_after_exit: usize,
}

/// What a process did.
#[derive(Debug)]
pub enum Activity {
    /// It wrote this many bytes to stdout; they are at the end of the buffer.
    Output(usize),
    /// It could not be started.
    NotStarted(Error),
    /// It has ended, and all that it wrote to stdout has been read.
    Ended(Exit),
}

impl Process {
    /// Starts `spec`. `hint` tells the user what to do when the executable is missing.
    pub fn spawn(spec: &CommandSpec, supervision: &Supervision, hint: &str) -> Result<Self> {
        let program = spec.resolve(hint).map_err(|error| runner_blamed(spec, supervision, error))?;
        let (supervisor, pipes) = Supervisor::spawn(spec, &program, supervision)
            .map_err(|error| runner_blamed(spec, supervision, error))?;
        Ok(Self {
            program: program.to_string_lossy().into_owned(),
            supervisor,
            stdin: Some(write_in_background(pipes.stdin)),
            stdout: Stdout::new(pipes.stdout).map_err(|error| {
                Error::Internal(format!("the pipe of a fresh child cannot be read: {error}").into())
            })?,
            stdout_ended: false,
            stderr: StderrTail::drain(pipes.stderr),
            exit: None,
            drain_deadline: None,
            read_after_exit: 0,
        })
    }

    /// Queues bytes for stdin. What is written to a process that has ended is dropped: its exit tells the story.
    pub fn write(&self, bytes: Vec<u8>) {
        if let Some(stdin) = &self.stdin {
            let _ = stdin.send(bytes);
        }
    }

    /// Closes stdin once everything queued has been written.
    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Waits for the next thing the process does. With `may_read` unset nothing is read, so that the pipe fills and the
    /// process waits. Cancel safe; must not be called again after it has ended or was not started.
    pub async fn activity(&mut self, buffer: &mut Vec<u8>, may_read: bool) -> Activity {
        loop {
            if let (Some(exit), true) = (self.exit, self.stdout_ended) {
                return Activity::Ended(exit);
            }
            if !may_read && self.exit.is_some() {
                // The time in which nobody reads does not count: what is in the pipe is still to be read. There is
                // nothing to wait for; the caller calls again when it may read.
                self.drain_deadline = None;
                return pending().await;
            }
            let drain_deadline = match self.exit {
                Some(_) => *self.drain_deadline.get_or_insert_with(|| Instant::now() + DRAIN_AFTER_EXIT),
                None => Instant::now(),
            };
            if self.read_after_exit > MAX_PIPE_BYTES && drain_deadline <= Instant::now() {
                // Not what the process left in the pipe, but somebody else who goes on writing.
                self.stdout_ended = true;
                continue;
            }
            tokio::select! {
                biased;
                // First: whoever writes without end must not hide the exit. What was written is read all the same.
                fate = self.supervisor.fate(), if self.exit.is_none() => match fate {
                    Fate::Ended(exit) => self.exit = Some(exit),
                    Fate::Lost => self.exit = Some(Exit { code: None, signal: None }),
                    Fate::NotStarted(source) => return Activity::NotStarted(not_started(&self.program, source)),
                },
                read = self.stdout.read(buffer), if may_read && !self.stdout_ended => match read {
                    // A read error on a pipe means that nothing more will come, the same as its end.
                    Ok(0) | Err(_) => self.stdout_ended = true,
                    Ok(count) => {
                        self.read_after_exit += if self.exit.is_some() { count } else { 0 };
                        return Activity::Output(count);
                    }
                },
                () = sleep_until(drain_deadline), if self.exit.is_some() => self.stdout_ended = true,
            }
        }
    }

    /// Tells that nothing will be read for a while, so that nobody need be woken by what is written meanwhile.
    pub fn pause_reading(&mut self) {
        self.stdout.unwatch();
    }

    /// Asks everything to end, and kills after the grace.
    pub fn ask_to_end(&self, grace: Duration) {
        self.supervisor.end(grace);
    }

    /// Kills everything.
    pub fn kill(&mut self) {
        self.supervisor.kill();
    }

    /// Ends everything: closes stdin and waits `linger` for the process to leave by itself, then asks, then kills
    /// after `grace`. Returns when nothing is left.
    pub async fn terminate(mut self, linger: Duration, grace: Duration) {
        self.close_stdin();
        if !self.left_within(linger).await {
            self.ask_to_end(grace);
        }
        self.gone(grace).await;
    }

    /// Waits until everything has ended that was asked to within `grace`, reading and dropping what still comes.
    pub async fn gone(&mut self, grace: Duration) {
        let mut scrap = Vec::with_capacity(8 * 1024);
        let gone = async {
            loop {
                tokio::select! {
                    () = self.supervisor.gone() => return,
                    read = self.stdout.read(&mut scrap), if !self.stdout_ended => {
                        self.stdout_ended = !matches!(read, Ok(1..));
                        scrap.clear();
                    }
                }
            }
        };
        let _ = timeout(grace + END_MARGIN, gone).await;
    }

    /// Waits for the exit, reading and dropping what still comes so that a full pipe cannot keep the process.
    async fn left_within(&mut self, patience: Duration) -> bool {
        let mut scrap = Vec::with_capacity(8 * 1024);
        let left = async {
            while let Activity::Output(_) = self.activity(&mut scrap, true).await {
                scrap.clear();
            }
        };
        timeout(patience, left).await.is_ok()
    }

    /// The last of what the process wrote to stderr, once it has ended.
    pub async fn stderr_tail(&mut self) -> String {
        self.stderr.finish().await
    }
}

/// The demo agent is the runner itself: that it does not start is no fault of an agent.
fn runner_blamed(spec: &CommandSpec, supervision: &Supervision, error: Error) -> Error {
    let runner = &supervision.runner;
    match error {
        error if spec.program != runner.as_os_str() => error,
        Error::CliNotFound { .. } => {
            Error::BrokenInstallation { path: runner.clone(), source: ErrorKind::NotFound.into() }
        }
        Error::SpawnFailed { source, .. } => Error::BrokenInstallation { path: runner.clone(), source },
        error => error,
    }
}

/// Why an executable that is there could not be started. The operating system tells only what it came to at last, and
/// blames the executable for its interpreter.
pub(super) fn not_started(program: &str, source: io::Error) -> Error {
    let kind = source.kind();
    let interpreter = interpreter_of(Path::new(program));
    let problem = match (kind, interpreter) {
        (ErrorKind::NotFound, Some(interpreter)) => {
            format!("its interpreter {interpreter:?}, named in its first line, was not found")
        }
        (ErrorKind::NotFound, None) if Path::new(program).exists() => {
            "the loader that it needs was not found; is it made for another system or C library?".to_owned()
        }
        (ErrorKind::PermissionDenied, Some(interpreter)) if is_executable(program) => {
            format!("its interpreter {interpreter:?}, named in its first line, cannot be executed: {source}")
        }
        _ if is_no_format(&source) => {
            "it is no program of this system, and no script whose first line names an interpreter".to_owned()
        }
        _ => return Error::SpawnFailed { program: program.to_owned(), source },
    };
    Error::SpawnFailed { program: program.to_owned(), source: io::Error::new(kind, problem) }
}

#[cfg(unix)]
fn is_executable(program: &str) -> bool {
    rustix::fs::access(program, rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(unix)]
fn is_no_format(source: &io::Error) -> bool {
    source.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error())
}

#[cfg(not(unix))]
fn is_executable(_program: &str) -> bool {
    false
}

#[cfg(not(unix))]
fn is_no_format(_source: &io::Error) -> bool {
    false
}

/// The interpreter that a script names in its first line.
fn interpreter_of(program: &Path) -> Option<String> {
    let mut line = Vec::new();
    let file = std::fs::File::open(program).ok()?;
    // A first line that is longer is none.
    BufReader::new(file).take(MAX_FIRST_LINE).read_until(b'\n', &mut line).ok()?;
    let line = String::from_utf8_lossy(&line).into_owned();
    // A line that ends with CRLF names an interpreter that ends with CR: it is shown, and not trimmed away.
    line.strip_prefix("#!").map(|interpreter| interpreter.trim_end_matches('\n').trim_start().to_owned())
}

/// Serves stdin from a queue, so that a process that does not read cannot block the one who writes.
fn write_in_background(mut stdin: ChildStdin) -> mpsc::UnboundedSender<Vec<u8>> {
    let (sender, mut queue) = mpsc::unbounded_channel::<Vec<u8>>();
    tokio::spawn(async move {
        while let Some(bytes) = queue.recv().await {
            // EPIPE: the process has closed its stdin or ended; its exit is reported by the one who waits for it.
            if stdin.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
    sender
}
