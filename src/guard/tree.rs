//! The children of this process, and their end.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, getpgid, getpid, kill_process, kill_process_group,
    set_child_subreaper, wait,
};

/// How long to wait for news of children between two attempts to kill them all.
const KILL_INTERVAL: Duration = Duration::from_millis(5);

/// The children of this process: those that it started, and the orphans among their descendants.
#[derive(Debug)]
pub(super) struct Tree {
    children_file: String,
    /// Children that were asked to end.
    asked: HashSet<Pid>,
}

/// What reaping found.
pub(super) enum Reaped {
    /// A child has ended.
    Ended(Pid, WaitStatus),
    /// There are children, and none of them has ended.
    Living,
    /// There are no children.
    None,
}

impl Tree {
    /// Makes this process the parent of all its orphaned descendants. It must have only one thread.
    pub(super) fn adopt() -> io::Result<Self> {
        let own = getpid();
        set_child_subreaper(Some(own))?;
        let own = own.as_raw_nonzero();
        Ok(Self { children_file: format!("/proc/self/task/{own}/children"), asked: HashSet::new() })
    }

    /// Reaps one child that has ended.
    pub(super) fn reap(&mut self) -> Reaped {
        loop {
            return match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    self.asked.remove(&pid);
                    Reaped::Ended(pid, status)
                }
                Ok(None) => Reaped::Living,
                Err(Errno::INTR) => continue,
                Err(_) => Reaped::None,
            };
        }
    }

    /// Asks every child to end that was not asked before, and with each that leads a process group the group.
    pub(super) fn ask_to_end(&mut self) {
        for pid in self.children() {
            if self.asked.insert(pid) {
                // Those that have ended meanwhile are zombies of ours, so nobody else can have their pid.
                let _ = kill_process_group(pid, Signal::TERM);
                // Once: many take a second signal for impatience.
                if getpgid(Some(pid)) != Ok(pid) {
                    let _ = kill_process(pid, Signal::TERM);
                }
            }
        }
    }

    /// Kills children until there are none: whoever they leave behind becomes a child in turn. How `one` of them ended.
    pub(super) fn kill_all(&mut self, news: BorrowedFd<'_>, one: Option<Pid>) -> Option<WaitStatus> {
        let mut how = None;
        loop {
            let children = self.children();
            // A stopped process cannot fork while the others are killed.
            for signal in [Signal::STOP, Signal::KILL] {
                for pid in &children {
                    let _ = kill_process(*pid, signal);
                }
            }
            loop {
                match self.reap() {
                    Reaped::Ended(pid, status) if Some(pid) == one => how = Some(status),
                    Reaped::Ended(..) => {}
                    Reaped::Living => break,
                    Reaped::None => return how,
                }
            }
            wait_for(&mut [PollFd::new(&news, PollFlags::IN)], Some(KILL_INTERVAL));
        }
    }

    fn children(&self) -> Vec<Pid> {
        // The kernel lists zombies too: harmless to signal, and reaped by the caller.
        let list = fs::read_to_string(&self.children_file).unwrap_or_default();
        list.split_ascii_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
    }
}

/// Waits until one of `fds` is ready, or the time is over.
pub(super) fn wait_for(fds: &mut [PollFd<'_>], timeout: Option<Duration>) {
    let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
    // Interrupted or not: the caller looks at everything anyway.
    let _ = poll(fds, timeout.as_ref());
}
