//! The guard's guard.

use std::env;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, Signal, kill_process};

use super::guard::{GuardArgs, drain, let_go_of_stdio, news_of_signals};
use super::tree::{Reaped, Tree, wait_for};

/// How much longer than the grace the guard may take to end everything.
const MARGIN: Duration = Duration::from_millis(500);

/// Runs the guard, with the link inherited, and ends what it leaves behind if it is killed.
pub fn run_watch(args: &GuardArgs, link: &UnixStream) -> io::Result<()> {
    let (news, signals) = news_of_signals()?;
    let mut tree = Tree::adopt()?;
    let child = Command::new(env::current_exe()?).arg("guard").args(args.to_args()).spawn()?;
    let guard = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let_go_of_stdio()?;

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
    tree.kill_all(news.as_fd());
    Ok(())
}
