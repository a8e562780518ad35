//! The guard's guard.

use std::env;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, Signal, kill_process};

use super::guard::{GuardArgs, Signals, Stdio, drain, news_of_signals};
use super::link::Report;
use super::tree::{Reaped, Tree, wait_for};

/// How much longer than the grace the guard may take to end everything.
const MARGIN: Duration = Duration::from_millis(500);

/// Runs the guard, with the link inherited, and ends what it leaves behind if it is killed.
pub fn run_watch(args: &GuardArgs, mut link: &UnixStream) -> io::Result<()> {
    let (news, signals, mut tree, guard) = match begin(args) {
        Ok(begun) => begun,
        Err(error) => return link.write_all(Report::failed(&error).to_string().as_bytes()),
    };
    let mut host_lives = true;
    let mut deadline: Option<Instant> = None;
    loop {
        match tree.reap() {
            // Killed, or done: in both cases nobody but us is left to end who is left.
            Reaped::Ended(pid, _) if Some(pid) == guard => break,
            Reaped::Ended(..) => continue,
            Reaped::None => break,
            Reaped::Living => {}
        }
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            break;
        }
        let mut fds = vec![PollFd::new(&news, PollFlags::IN)];
        if host_lives {
            // What comes on the link is for the guard; only its end is of interest here.
            fds.push(PollFd::new(link, PollFlags::RDHUP));
        }
        let timeout = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        wait_for(&mut fds, timeout);
        let hung_up = fds.get(1).is_some_and(|fd| !fd.revents().is_empty());
        drain(&news);
        if signals.asked_to_end() {
            if let Some(guard) = guard {
                let _ = kill_process(guard, Signal::TERM);
            }
            deadline = Some(Instant::now() + args.grace + MARGIN);
        }
        if hung_up {
            host_lives = false;
            deadline = Some(Instant::now() + args.grace + MARGIN);
        }
    }
    tree.kill_all(news.as_fd(), None);
    Ok(())
}

/// Starts the guard with everything in place that its end needs.
fn begin(args: &GuardArgs) -> io::Result<(UnixStream, Signals, Tree, Option<Pid>)> {
    let (news, signals) = news_of_signals()?;
    let tree = Tree::adopt()?;
    let stdio = Stdio::inherited()?;
    let child = Command::new(env::current_exe()?).arg("guard").args(args.to_args()).spawn()?;
    let guard = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    stdio.let_go()?;
    Ok((news, signals, tree, guard))
}
