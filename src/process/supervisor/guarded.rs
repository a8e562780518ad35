//! A process under the runner's guard.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::Path;
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::Command;
use tokio::sync::watch;

use super::{Fate, Pipes, Supervision};
use crate::error::{Error, Result};
use crate::guard::{GuardArgs, LINK_FD, Order, Report};
use crate::process::{CommandSpec, Exit};

/// The size of the pipe of stdout.
const STDOUT_PIPE_BYTES: usize = 1024 * 1024;

/// The host's end of the link to a guard.
#[derive(Debug)]
pub(in crate::process) struct Supervisor {
    reports: BufReader<OwnedReadHalf>,
    line: Vec<u8>,
    /// `None` when the last order was given.
    orders: Option<OwnedWriteHalf>,
    watch_gone: watch::Receiver<bool>,
}

impl Supervisor {
    pub(in crate::process) fn spawn(
        spec: &CommandSpec,
        program: &Path,
        supervision: &Supervision,
    ) -> Result<(Self, Pipes)> {
        let failed =
            |source| Error::SpawnFailed { program: spec.program.to_string_lossy().into_owned(), source };
        let (ours, theirs) = StdUnixStream::pair().map_err(failed)?;
        ours.set_nonblocking(true).map_err(failed)?;
        let (reports, orders) = UnixStream::from_std(ours).map_err(failed)?.into_split();

        let guarded = [program.as_os_str().to_owned()].into_iter().chain(spec.args.iter().cloned()).collect();
        let args = GuardArgs { grace: supervision.grace, command: guarded };
        let mut command = Command::new(&supervision.runner);
        command.arg("watch").args(args.to_args()).process_group(0);
        spec.apply_to(&mut command);
        Pipes::ask_for(&mut command);
        let link = FdMapping { parent_fd: OwnedFd::from(theirs), child_fd: LINK_FD };
        command.fd_mappings(vec![link]).map_err(|collision| failed(io::Error::other(collision)))?;
        let mut child = command.spawn().map_err(|source| runner_failed(spec, supervision, source))?;
        let pipes = Pipes::take(&mut child.stdin, &mut child.stdout, &mut child.stderr)?;
        // Fewer and larger reads of a fast stream; a user who has no more of it to spare gets the usual size.
        let _ = rustix::pipe::fcntl_setpipe_size(&pipes.stdout, STDOUT_PIPE_BYTES);

        let (tell, watch_gone) = watch::channel(false);
        tokio::spawn(async move {
            // Fails only if somebody else has reaped it; it is gone in both cases.
            let _ = child.wait().await;
            let _ = tell.send(true);
        });
        let reports = BufReader::new(reports);
        Ok((Self { reports, line: Vec::new(), orders: Some(orders), watch_gone }, pipes))
    }

    /// Waits for the end of the process itself. Cancel safe.
    pub(in crate::process) async fn fate(&mut self) -> Fate {
        loop {
            match self.report().await {
                Some(Report::Started { .. }) => {}
                Some(Report::Failed { errno }) => {
                    return Fate::NotStarted(io::Error::from_raw_os_error(errno));
                }
                Some(Report::Exited { status: code @ 0.. }) => {
                    return Fate::Ended(Exit { code: Some(code), signal: None });
                }
                Some(Report::Exited { status }) => return Fate::Ended(Exit::by_signal(-status)),
                None => return Fate::Lost,
            }
        }
    }

    /// Asks everything to end, and kills after the grace.
    pub(in crate::process) fn end(&self, grace: Duration) {
        self.order(Order::End { grace });
    }

    /// Kills everything.
    pub(in crate::process) fn kill(&mut self) {
        self.order(Order::Kill);
        // Closes this direction of the link, as the death of the host would. A guard that was stopped obeys no order: the
        // watch kills it if that does not end in time.
        self.orders = None;
    }

    /// Waits until everything has ended. Cancel safe.
    pub(in crate::process) async fn gone(&mut self) {
        // The guard outlives the watch if somebody kills that, and holds the link for as long as it lives.
        while self.report().await.is_some() {}
        // The sender sends before it is dropped.
        let _ = self.watch_gone.wait_for(|gone| *gone).await;
    }

    /// The next report; `None` when nobody is left to report. Cancel safe.
    async fn report(&mut self) -> Option<Report> {
        while let Ok(1..) = self.reports.read_until(b'\n', &mut self.line).await {
            let report = Report::parse(&String::from_utf8_lossy(&self.line));
            self.line.clear();
            if report.is_some() {
                return report;
            }
        }
        None
    }

    fn order(&self, order: Order) {
        if let Some(link) = &self.orders {
            // Not by tokio, which refuses to write before its reactor has looked at the socket; the first order may come
            // before. A few bytes always fit; a guard that is gone needs no order.
            let _ = rustix::io::write(link.as_ref(), order.to_string().as_bytes());
        }
    }
}

/// The guard is started with the agent's arguments, environment and working directory, so that they may be to blame.
fn runner_failed(spec: &CommandSpec, supervision: &Supervision, source: io::Error) -> Error {
    if is_of_runner(&source, &supervision.runner, &spec.cwd) {
        return Error::BrokenInstallation { path: supervision.runner.clone(), source };
    }
    Error::SpawnFailed { program: spec.program.to_string_lossy().into_owned(), source }
}

fn is_of_runner(problem: &io::Error, runner: &Path, cwd: &Path) -> bool {
    match problem.kind() {
        // A runner that is there may lack its loader.
        io::ErrorKind::NotFound => !runner.exists() || cwd.exists(),
        io::ErrorKind::PermissionDenied => rustix::fs::access(runner, rustix::fs::Access::EXEC_OK).is_err(),
        _ => false,
    }
}
