//! A running process with its three pipes.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::command::CommandSpec;
use super::exit::Exit;
use super::stderr::StderrTail;
use crate::error::{Error, Result};

/// How long stdout is still read after the process itself has ended: a grandchild may hold the pipe open for ever.
const DRAIN_AFTER_EXIT: Duration = Duration::from_millis(500);

/// A running process. Dropping it kills the process itself; [`Process::terminate`] ends it properly.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pid: u32,
    stdin: Option<mpsc::UnboundedSender<Vec<u8>>>,
    stdout: ChildStdout,
    stdout_ended: bool,
    stderr: StderrTail,
    exit: Option<Exit>,
    drain_deadline: Option<Instant>,
}

/// What a process did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// It wrote this many bytes to stdout; they are at the end of the buffer.
    Output(usize),
    /// It has ended, and all that it wrote to stdout has been read.
    Ended(Exit),
}

impl Process {
    /// Starts `spec`. `hint` tells the user what to do when the executable is missing.
    pub fn spawn(spec: &CommandSpec, hint: &str) -> Result<Self> {
        let program = spec.resolve(hint)?;
        let mut command = Command::new(&program);
        command
            .args(&spec.args)
            .current_dir(&spec.cwd)
            .env("PATH", spec.search_path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        for (name, value) in spec.env.iter().filter(|(name, _)| name != "PATH") {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        #[cfg(unix)]
        command.process_group(0);

        let failed =
            |source| Error::SpawnFailed { program: spec.program.to_string_lossy().into_owned(), source };
        let mut child = command.spawn().map_err(failed)?;
        let (Some(stdin), Some(stdout), Some(stderr), Some(pid)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take(), child.id())
        else {
            return Err(Error::Internal("a fresh child lacks a pipe or its pid".into()));
        };
        Ok(Self {
            child,
            pid,
            stdin: Some(write_in_background(stdin)),
            stdout,
            stdout_ended: false,
            stderr: StderrTail::drain(stderr),
            exit: None,
            drain_deadline: None,
        })
    }

    /// The operating system's id of the process.
    pub fn pid(&self) -> u32 {
        self.pid
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

    /// Waits for the next thing the process does. With `may_read` unset nothing is read, so that the pipe fills and
    /// the process waits. Cancel safe; must not be called again after [`Activity::Ended`].
    pub async fn activity(&mut self, buffer: &mut Vec<u8>, may_read: bool) -> Activity {
        loop {
            if let (Some(exit), true) = (self.exit, self.stdout_ended) {
                return Activity::Ended(exit);
            }
            tokio::select! {
                biased;
                read = self.stdout.read_buf(buffer), if may_read && !self.stdout_ended => match read {
                    // A read error on a pipe means that nothing more will come, the same as its end.
                    Ok(0) | Err(_) => self.stdout_ended = true,
                    Ok(count) => return Activity::Output(count),
                },
                status = self.child.wait(), if self.exit.is_none() => {
                    self.exit = Some(exit_of(status));
                    self.drain_deadline = Some(Instant::now() + DRAIN_AFTER_EXIT);
                }
                () = sleep_until(self.drain_deadline.unwrap_or_else(Instant::now)),
                    if may_read && self.drain_deadline.is_some() => self.stdout_ended = true,
            }
        }
    }

    /// Asks the process group to end; see [`Process::kill`] for those who will not.
    pub fn ask_to_end(&self) {
        #[cfg(unix)]
        if self.exit.is_none() {
            super::signal::terminate_group(self.pid);
        }
    }

    /// Ends the process group at once.
    pub fn kill(&mut self) {
        if self.exit.is_some() {
            return;
        }
        #[cfg(unix)]
        super::signal::kill_group(self.pid);
        #[cfg(not(unix))]
        // Fails only when it has already ended.
        let _ = self.child.start_kill();
    }

    /// Ends the process: closes stdin and waits `linger` for it to leave by itself, then asks, then kills after
    /// `grace`.
    pub async fn terminate(mut self, linger: Duration, grace: Duration) {
        self.close_stdin();
        if self.left_within(linger).await {
            return;
        }
        self.ask_to_end();
        if self.left_within(grace).await {
            return;
        }
        self.kill();
        // Nothing survives SIGKILL but a process stuck in the kernel, which nobody can end.
        let _ = self.child.wait().await;
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

fn exit_of(status: io::Result<std::process::ExitStatus>) -> Exit {
    // `wait` fails only when somebody else has reaped the child; then nothing is known of its end.
    status.map_or(Exit { code: None, signal: None }, Exit::from)
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
