//! What an agent starts, so that a test knows exactly when all of it is gone.
//!
//! Nobody is looked for: who holds the fifo open is gone when the fifo ends, and a pidfd tells the end of the very process
//! that was there when it was opened.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::spawn_blocking;

use crate::support::patiently;

/// A test that waits for longer has failed long ago.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process, whatever becomes of its pid.
#[derive(Debug)]
pub(crate) struct Watched {
    name: String,
    pub(crate) pid: Pid,
    /// `None` if it was gone already.
    pidfd: Option<OwnedFd>,
}

impl Watched {
    pub(crate) fn new(name: &str, pid: &str) -> Self {
        let pid = Pid::from_raw(pid.trim().parse().expect("a pid")).expect("no zero");
        Self { name: name.to_owned(), pid, pidfd: pidfd_open(pid, PidfdFlags::empty()).ok() }
    }

    /// The parent of a process that lives.
    pub(crate) fn parent(&self, name: &str) -> Self {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).expect("it lives");
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).expect("it has a parent");
        Self::new(name, parent)
    }

    pub(crate) fn kill(&self, signal: Signal) {
        kill_process(self.pid, signal).expect("it can be signalled");
    }

    pub(crate) fn lives(&self) -> bool {
        self.pidfd.as_ref().is_some_and(|pidfd| !ended_within(pidfd, Duration::ZERO))
    }

    /// Waits for its end.
    pub(crate) async fn gone(&self) {
        if let Some(pidfd) = &self.pidfd {
            let pidfd = pidfd.try_clone().expect("a descriptor");
            let ended = spawn_blocking(move || ended_within(&pidfd, PATIENCE));
            assert!(patiently(&self.name, ended).await.expect("no panic"));
        }
    }
}

fn ended_within(pidfd: &OwnedFd, timeout: Duration) -> bool {
    let timeout = Timespec::try_from(timeout).expect("a short time");
    poll(&mut [PollFd::new(pidfd, PollFlags::IN)], Some(&timeout)).expect("it can be polled") > 0
}

/// The descendants of an agent that tell their names and pids through a fifo and hold it open.
pub(crate) struct Descendants {
    pub(crate) fifo: PathBuf,
    lines: UnboundedReceiver<String>,
    known: Vec<Watched>,
}

impl Descendants {
    pub(crate) fn new(folder: &Path) -> Self {
        let fifo = folder.join("tree");
        let made = Command::new("mkfifo").arg(&fifo).status().expect("mkfifo runs");
        assert!(made.success(), "mkfifo makes {}", fifo.display());
        let (sender, lines) = unbounded_channel();
        let opened = fifo.clone();
        // Opening it waits for the agent.
        thread::spawn(move || {
            let fifo = File::open(opened).expect("the fifo opens");
            for line in BufReader::new(fifo).lines() {
                // A test that does not listen any more waits for the end alone.
                let _ = sender.send(line.expect("a line"));
            }
        });
        Self { fifo, lines, known: Vec::new() }
    }

    /// What one of them says next.
    pub(crate) async fn hear(&mut self) -> String {
        patiently("a descendant", self.lines.recv()).await.expect("they have the fifo open")
    }

    /// Waits until the agent `hostile-tree` has planted its tree.
    pub(crate) async fn stand(&mut self) {
        for _ in 0..5 {
            let line = self.hear().await;
            let (name, pid) = line.split_once(' ').expect("a name and a pid");
            self.known.push(Watched::new(name, pid));
        }
        let guard = self.of("agent").parent("guard");
        self.known.extend([guard.parent("watch"), guard]);
        assert_eq!(self.living().len(), 7, "all of {:?} live", self.known);
    }

    /// One of them, by its name: `agent`, `A` to `D`, `guard` or `watch`.
    pub(crate) fn of(&self, name: &str) -> &Watched {
        self.known.iter().find(|process| process.name == name).expect("it is known")
    }

    /// The names of those who live.
    pub(crate) fn living(&self) -> Vec<&str> {
        self.known.iter().filter(|process| process.lives()).map(|process| process.name.as_str()).collect()
    }

    /// Waits until nobody lives.
    pub(crate) async fn gone(&mut self) {
        for process in &self.known {
            process.gone().await;
        }
        let ended = async { while self.lines.recv().await.is_some() {} };
        patiently("the end of all who hold the fifo", ended).await;
    }
}
