//! What an agent starts is gone when it is to be gone: faults 1, 2, 3, 5, 10, 11 and 14.

use std::collections::HashSet;
use std::fs;
use std::future::pending;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use locus_exec::Result;
use locus_exec::event::EventKind;
use locus_exec::process::{CommandSpec, Process, Supervision};
use locus_exec::run::{CancelTimes, SessionOptions};
use rustix::io::Errno;
use rustix::process::{Signal, WaitOptions, getpgrp, wait};
use tokio::task::JoinHandle;

use crate::another_process;
use crate::descendants::{Descendants, Watched};
use crate::support::{Host, patiently, set};

const SETTLE: Duration = Duration::from_millis(20);
const GRACE: Duration = Duration::from_millis(300);

/// How long everything may live on when its end has begun.
const LIMIT: Duration = Duration::from_millis(300 + 1000);

/// Longer than any test takes: a step that has this deadline is not come to.
const NEVER: Duration = Duration::from_secs(600);

fn quick(options: &mut SessionOptions) {
    options.cancel = CancelTimes { settle: SETTLE, grace: GRACE };
}

/// A turn under way with an agent whose descendants can be seen.
struct Planted {
    host: Host,
    tree: Descendants,
    turn: JoinHandle<Result<()>>,
    /// The agent's first words.
    said: String,
}

impl Planted {
    async fn with(agent: &str, change: impl FnOnce(&mut SessionOptions)) -> Self {
        let mut tree = None;
        let mut host = Host::with(agent, |options, folder| {
            quick(options);
            let descendants = Descendants::new(folder);
            set(options, "TREE", &descendants.fifo);
            change(options);
            tree = Some(descendants);
        });
        let turn = host.begin("hi");
        let said = host.events.until(EventKind::TextDelta).await.text();
        Self { host, tree: tree.unwrap(), turn, said }
    }

    async fn hostile_tree() -> Self {
        let mut planted = Self::with("hostile-tree", |_| {}).await;
        planted.tree.stand().await;
        planted
    }
}

#[tokio::test]
async fn fault_01_a_cancelled_turn_leaves_nobody() {
    let Planted { mut host, mut tree, turn, .. } = Planted::hostile_tree().await;
    let since = Instant::now();
    host.cancel().await;
    assert_eq!(tree.living(), [""; 0], "whoever cancelled is told when nobody is left");
    tree.gone().await;
    assert!(since.elapsed() < SETTLE + LIMIT, "{:?}", since.elapsed());
    assert_eq!(host.finish(turn).await.error()["code"], "CANCELLED");
}

#[tokio::test]
async fn fault_01_the_end_of_a_session_leaves_nobody() {
    let Planted { mut host, mut tree, turn, .. } = Planted::hostile_tree().await;
    let since = Instant::now();
    host.end().await;
    assert_eq!(tree.living(), [""; 0]);
    tree.gone().await;
    assert!(since.elapsed() < LIMIT, "{:?}", since.elapsed());
    assert_eq!(host.finish(turn).await.error()["code"], "CANCELLED");
}

#[tokio::test]
async fn fault_01_a_host_that_drops_its_session_leaves_nobody() {
    let Planted { host, mut tree, turn, .. } = Planted::hostile_tree().await;
    let since = Instant::now();
    turn.abort();
    drop(host);
    tree.gone().await;
    assert!(since.elapsed() < LIMIT, "{:?}", since.elapsed());
}

/// An order must not wait until the runtime has looked at the socket for the first time.
#[tokio::test]
async fn fault_01_an_order_that_is_given_at_once_is_obeyed() {
    let spec = CommandSpec {
        program: "sleep".into(),
        args: vec!["100000".into()],
        env: Vec::new(),
        cwd: "/".into(),
    };
    let supervision = Supervision { runner: env!("CARGO_BIN_EXE_locus-runner").into(), grace: GRACE };
    let mut process = Process::spawn(&spec, &supervision, "").unwrap();
    process.kill();
    patiently("the end of the process", process.gone(NEVER)).await;
}

#[tokio::test]
async fn fault_01_a_grace_of_zero_kills_at_once() {
    const NAME: &str = "tree::fault_01_a_grace_of_zero_kills_at_once";
    if !another_process::is_this() {
        // A runtime that is too busy to look at its clock cannot give up by itself.
        let wrapper = ["timeout", "--signal=KILL", "20"];
        return another_process::pass(another_process::command(&wrapper, NAME));
    }
    let mut host = Host::with("says-when-it-is-asked-to-end", |options, _| {
        options.cancel = CancelTimes { settle: Duration::ZERO, grace: Duration::ZERO };
    });
    let running = host.begin("hi");
    host.events.until(EventKind::TextDelta).await;
    host.cancel().await;
    assert_eq!(host.finish(running).await.error()["code"], "CANCELLED");
}

/// Many programs take a second signal for impatience, and leave without putting away what they were at.
#[tokio::test]
async fn fault_01_the_agent_is_asked_to_end_once() {
    let mut host = Host::with("says-when-it-is-asked-to-end", |options, _| quick(options));
    let running = host.begin("hi");
    assert_eq!(host.events.until(EventKind::TextDelta).await.text(), "one moment ");
    host.cancel().await;
    assert_eq!(host.finish(running).await.text(), "asked to end ");
}

#[tokio::test]
async fn fault_02_a_host_that_is_killed_leaves_nobody() {
    if another_process::is_this() {
        // The agent finds the fifo in the environment that it inherits.
        let host = Host::with("hostile-tree", |options, _| quick(options));
        let _turn = host.begin("hi");
        return pending().await;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut tree = Descendants::new(folder.path());
    let mut host = another_process::command(&[], "tree::fault_02_a_host_that_is_killed_leaves_nobody")
        .env("TREE", &tree.fifo)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    tree.stand().await;
    let since = Instant::now();
    host.kill().unwrap();
    assert_eq!(host.wait().unwrap().signal(), Some(9));
    tree.gone().await;
    assert!(since.elapsed() < LIMIT, "{:?}", since.elapsed());
}

/// Kills one of those who supervise; the end of the session is then still told when nobody is left. `signal` is what is
/// known of the agent's end.
async fn without(supervisor: &str, signal: Option<&str>) {
    let Planted { mut host, mut tree, turn, .. } = Planted::hostile_tree().await;
    let since = Instant::now();
    tree.of(supervisor).kill(Signal::KILL);
    tree.gone().await;
    assert!(since.elapsed() < LIMIT, "{:?}", since.elapsed());
    // Nobody asked for it, and what was said is no answer.
    let error = host.finish(turn).await.error();
    assert_eq!((&error["code"], error["signal"].as_str()), (&"KILLED_BY_SIGNAL".into(), signal));
    host.end().await;

    let Planted { mut host, mut tree, turn, .. } = Planted::hostile_tree().await;
    tree.of(supervisor).kill(Signal::KILL);
    tree.of(supervisor).gone().await;
    let since = Instant::now();
    host.end().await;
    // It hangs up when it has killed everybody, just before it ends itself.
    assert!(matches!(tree.living()[..], [] | ["guard"]), "{:?}", tree.living());
    tree.gone().await;
    assert!(since.elapsed() < LIMIT, "{:?}", since.elapsed());
    host.finish(turn).await.error();
}

#[tokio::test]
async fn fault_03_a_guard_that_is_killed_leaves_nobody() {
    without("guard", None).await;
}

#[tokio::test]
async fn fault_03_a_watch_that_is_killed_leaves_nobody() {
    without("watch", Some("SIGKILL")).await;
}

#[tokio::test]
async fn fault_03_a_guard_that_is_stopped_does_not_keep_anybody_alive() {
    let Planted { mut host, mut tree, turn, .. } = Planted::with("stops-its-guard", |_| {}).await;
    host.cancel().await;
    tree.gone().await;
    assert_eq!(host.finish(turn).await.error()["code"], "CANCELLED");
}

#[tokio::test]
async fn fault_05_a_process_that_forks_every_millisecond_is_caught() {
    let Planted { mut host, mut tree, turn, .. } = Planted::with("forks-every-millisecond", |_| {}).await;
    assert_eq!(tree.hear().await, "going");
    let since = Instant::now();
    host.cancel().await;
    tree.gone().await;
    assert!(since.elapsed() < SETTLE + LIMIT, "{:?}", since.elapsed());
    assert_eq!(host.finish(turn).await.error()["code"], "CANCELLED");
}

#[tokio::test]
async fn fault_10_an_agent_that_is_stopped_can_be_killed() {
    let Planted { mut host, mut tree, turn, .. } = Planted::with("stops-itself", |_| {}).await;
    let since = Instant::now();
    host.cancel().await;
    tree.gone().await;
    assert!(since.elapsed() < SETTLE + LIMIT, "{:?}", since.elapsed());
    assert_eq!(host.finish(turn).await.error()["code"], "CANCELLED");
}

/// `npm run soak` does the same a thousand times, through Node.
#[tokio::test]
async fn fault_11_two_hundred_short_runs_leave_no_zombie_and_no_descriptor() {
    const NAME: &str = "tree::fault_11_two_hundred_short_runs_leave_no_zombie_and_no_descriptor";
    if !another_process::is_this() {
        return another_process::pass(another_process::command(&[], NAME));
    }
    let run = async || {
        let mut host = Host::of("answers-with-its-pid");
        host.turn("hi").await.answer();
        host.end().await;
    };
    run().await;
    let before = open_descriptors();
    for _ in 0..200 {
        run().await;
    }
    assert_eq!(open_descriptors(), before);
    assert_eq!(wait(WaitOptions::NOHANG).err(), Some(Errno::CHILD), "there is no child, not even a zombie");
}

fn open_descriptors() -> HashSet<PathBuf> {
    let own = fs::read_dir("/proc/self/fd").unwrap().map(|entry| fs::read_link(entry.unwrap().path()));
    // The one that lists them is among them, and can be closed by the time it is looked at.
    own.flatten().filter(|target| !target.starts_with("/proc")).collect()
}

/// A group is signalled by the pid of a child that has not been reaped, so that it is led by that child or does not exist.
/// The host's group is out of reach: the guard and all below it are in another session.
#[tokio::test]
async fn fault_14_an_agent_that_changes_its_group_draws_nobody_into_its_end() {
    let mut neighbour = Command::new("sleep").arg("100000").spawn().unwrap();
    let bystander = Watched::new("bystander", &neighbour.id().to_string());
    let group = getpgrp().to_string();
    let changed = Planted::with("changes-its-process-group", |options| set(options, "HOST_GROUP", &group));
    let Planted { mut host, mut tree, turn, said } = changed.await;
    assert_eq!(said, "the host: Operation not permitted and joined the guard");
    let since = Instant::now();
    host.cancel().await;
    tree.gone().await;
    assert!(since.elapsed() < SETTLE + LIMIT, "{:?}", since.elapsed());
    let turn = host.finish(turn).await;
    assert_eq!(turn.text(), "asked to end", "it is asked wherever it is");
    assert_eq!(turn.error()["code"], "CANCELLED");
    assert!(bystander.lives(), "whoever is in the host's group is left alone");
    neighbour.kill().unwrap();
    neighbour.wait().unwrap();
}
