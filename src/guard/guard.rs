//! The guard itself.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Signal, WaitStatus, getppid, set_parent_process_death_signal, setsid};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

use super::link::{Order, Report};
use super::tree::{Reaped, Tree, wait_for};

/// Starting is tried again for this long while the executable is being written (ETXTBSY), as after an update.
const BUSY_PATIENCE: Duration = Duration::from_secs(1);

/// How often it is tried.
const BUSY_INTERVAL: Duration = Duration::from_millis(20);

/// How the guard is started.
#[derive(Debug, Clone)]
pub struct GuardArgs {
    /// The grace when nobody is left to say another: the host has died, or the agent has left something behind.
    pub grace: Duration,
    /// The agent's executable and its arguments.
    pub command: Vec<OsString>,
}

impl GuardArgs {
    /// Reads `--grace-ms=<n> -- <program> <args…>`.
    pub fn parse(mut args: impl Iterator<Item = OsString>) -> Option<Self> {
        let grace = args.next()?.to_str()?.strip_prefix("--grace-ms=")?.parse().ok()?;
        if args.next()? != "--" {
            return None;
        }
        let command: Vec<OsString> = args.collect();
        (!command.is_empty()).then_some(Self { grace: Duration::from_millis(grace), command })
    }

    /// The arguments that [`Self::parse`] reads.
    pub fn to_args(&self) -> impl Iterator<Item = OsString> {
        let grace = format!("--grace-ms={}", self.grace.as_millis());
        [grace.into(), OsString::from("--")].into_iter().chain(self.command.iter().cloned())
    }
}

/// Runs the agent until it and everything that it started have ended.
pub fn run_guard(args: &GuardArgs, mut link: UnixStream) -> io::Result<()> {
    let watch = getppid();
    let (news, signals, tree, agent) = match begin(&args.command, &link) {
        Ok(begun) => begun,
        Err(error) => return link.write_all(Report::failed(&error).to_string().as_bytes()),
    };
    let mut guard = Guard { tree, link: Some(link), agent: Some(agent), grace: args.grace, deadline: None };
    guard.report(Report::Started { pid: agent.as_raw_nonzero().get().unsigned_abs() });
    if getppid() != watch {
        guard.end(args.grace);
    }
    guard.run(&news, &signals);
    Ok(())
}

/// Starts the agent with everything in place that its end needs.
fn begin(command: &[OsString], link: &UnixStream) -> io::Result<(UnixStream, Signals, Tree, Pid)> {
    // Told by a signal when the watch dies; the kernel tells when the *thread* dies that started us, and the watch has
    // only one.
    set_parent_process_death_signal(Some(Signal::TERM))?;
    let (news, signals) = news_of_signals()?;
    // A session of its own: no terminal that could stop what reads a password from it, or hang up.
    setsid()?;
    let tree = Tree::adopt()?;
    fcntl_setfd(link, FdFlags::CLOEXEC)?;
    link.set_nonblocking(true)?;
    let stdio = Stdio::inherited()?;
    let agent = start(command)?;
    stdio.let_go()?;
    Ok((news, signals, tree, agent))
}

/// Everything that the guard's one thread knows.
struct Guard {
    tree: Tree,
    /// Gone when the host is.
    link: Option<UnixStream>,
    /// Gone when it has ended.
    agent: Option<Pid>,
    grace: Duration,
    /// When those who were asked to end are killed.
    deadline: Option<Instant>,
}

impl Guard {
    fn run(&mut self, news: &UnixStream, signals: &Signals) {
        while self.reap() {
            if self.deadline.is_some() {
                // Again and again: the death of one makes orphans of others.
                self.tree.ask_to_end();
            }
            if self.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                if let Some(status) = self.tree.kill_all(news.as_fd(), self.agent) {
                    self.report(Report::Exited { status: status_number(status) });
                }
                return;
            }
            let mut fds = vec![PollFd::new(news, PollFlags::IN)];
            fds.extend(self.link.as_ref().map(|link| PollFd::new(link, PollFlags::IN)));
            let timeout = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            wait_for(&mut fds, timeout);
            drain(news);
            if signals.asked_to_end() {
                self.end(self.grace);
            }
            self.orders();
        }
    }

    /// Reaps who has ended; whether anybody is left.
    fn reap(&mut self) -> bool {
        loop {
            match self.tree.reap() {
                Reaped::Ended(pid, status) if Some(pid) == self.agent => {
                    self.agent = None;
                    self.report(Report::Exited { status: status_number(status) });
                    self.end(self.grace);
                }
                Reaped::Ended(..) => {}
                Reaped::Living => return true,
                Reaped::None => return false,
            }
        }
    }

    fn report(&mut self, report: Report) {
        if let Some(link) = &mut self.link {
            // A host that is gone is noticed where the link is read.
            let _ = link.write_all(report.to_string().as_bytes());
        }
    }

    /// Begins to end the tree; a second time only brings the deadline nearer.
    fn end(&mut self, grace: Duration) {
        let deadline = Instant::now() + grace;
        self.deadline = Some(self.deadline.map_or(deadline, |earlier| earlier.min(deadline)));
    }

    fn orders(&mut self) {
        let Some(link) = &mut self.link else { return };
        let mut bytes = [0; 256];
        match link.read(&mut bytes) {
            Ok(count @ 1..) => {
                for line in String::from_utf8_lossy(&bytes[..count]).lines() {
                    match Order::parse(line) {
                        Some(Order::End { grace }) => self.end(grace),
                        Some(Order::Kill) => self.end(Duration::ZERO),
                        None => {}
                    }
                }
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            // The host is gone.
            Ok(0) | Err(_) => {
                self.link = None;
                self.end(self.grace);
            }
        }
    }
}

fn start(command: &[OsString]) -> io::Result<Pid> {
    let (program, args) = command.split_first().ok_or(ErrorKind::InvalidInput)?;
    let began = Instant::now();
    loop {
        // A group of its own, so that it can be asked to end together with its shells.
        match Command::new(program).args(args).process_group(0).spawn() {
            Ok(child) => {
                let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
                return pid.ok_or_else(|| ErrorKind::InvalidData.into());
            }
            Err(error)
                if error.kind() == ErrorKind::ExecutableFileBusy && began.elapsed() < BUSY_PATIENCE =>
            {
                thread::sleep(BUSY_INTERVAL);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Our ends of the agent's pipes.
pub(super) struct Stdio {
    nothing: File,
}

impl Stdio {
    /// To be called before the agent is started: what can fail must not fail afterwards.
    pub(super) fn inherited() -> io::Result<Self> {
        Ok(Self { nothing: File::options().read(true).write(true).open("/dev/null")? })
    }

    /// Closes them, or nobody would ever see their end.
    pub(super) fn let_go(self) -> io::Result<()> {
        rustix::stdio::dup2_stdin(&self.nothing)?;
        rustix::stdio::dup2_stdout(&self.nothing)?;
        rustix::stdio::dup2_stderr(&self.nothing)?;
        Ok(())
    }
}

/// Which signals have come, beside the news that some have.
pub(super) struct Signals {
    term: std::sync::Arc<std::sync::atomic::AtomicBool>,
}

impl Signals {
    /// Whether a signal asked us to end since the last time.
    pub(super) fn asked_to_end(&self) -> bool {
        self.term.swap(false, std::sync::atomic::Ordering::Relaxed)
    }
}

/// A socket that becomes readable when a child has ended or a signal asks us to end.
pub(super) fn news_of_signals() -> io::Result<(UnixStream, Signals)> {
    let (news, sender) = UnixStream::pair()?;
    news.set_nonblocking(true)?;
    let term = std::sync::Arc::default();
    for signal in [SIGTERM, SIGINT, SIGHUP] {
        signal_hook::flag::register(signal, std::sync::Arc::clone(&term))?;
    }
    for signal in [SIGCHLD, SIGTERM, SIGINT, SIGHUP] {
        pipe::register(signal, sender.try_clone()?)?;
    }
    Ok((news, Signals { term }))
}

/// Takes the news: what there is to know is looked up elsewhere.
pub(super) fn drain(mut news: &UnixStream) {
    let mut scrap = [0; 64];
    while matches!(news.read(&mut scrap), Ok(1..)) {}
}

fn status_number(status: WaitStatus) -> i32 {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => code,
        (None, Some(signal)) => -signal,
        (None, None) => -1,
    }
}
