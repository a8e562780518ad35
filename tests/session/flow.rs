//! Much of everything: bounded memory, no deadlock, nothing lost.

use std::path::Path;

use locus_exec::event::EventKind;
use locus_exec::run::SessionOptions;

use crate::support::{Host, Inbox, Outbox, exists, set};

const MIB: u64 = 1024 * 1024;

/// Above what may wait anywhere between an agent and a consumer that does not consume: the queue (1 MiB), one read beyond
/// it, and a pipe (up to 1 MiB), all with the JSON around the text.
const BOUND: u64 = 4 * MIB;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_thousand_lines_arrive_in_order() {
    const COUNT: u32 = 200_000;
    let mut host = Host::with("streams-lines", |options, _| set(options, "COUNT", COUNT.to_string()));
    let turn = host.turn("count").await;
    assert_eq!(turn.answer(), COUNT.to_string());
    let mut numbers = (1..=COUNT).map(|number| format!("{number} "));
    let deltas = turn.events.iter().filter(|event| event.kind == EventKind::TextDelta);
    for delta in deltas {
        assert_eq!(Some(delta.text()), numbers.next().as_deref());
    }
    assert_eq!(numbers.next(), None, "all have come");
}

#[tokio::test]
async fn a_prompt_of_20_mb_for_an_agent_that_does_not_read_while_it_writes_is_no_deadlock() {
    let mut host = Host::of("floods-stdout-without-reading-stdin");
    let turn = host.turn("x".repeat(20_000_000)).await;
    assert_eq!(turn.text().len(), 10_000_000, "all of the flood has come");
    assert_eq!(turn.answer(), "20000000", "all of the prompt has come");
}

#[tokio::test]
async fn a_prompt_of_20_mb_for_an_agent_that_exits_at_once_is_told_as_that_exit() {
    let turn = Host::of("exits-before-init").turn("x".repeat(20_000_000)).await;
    assert_eq!(turn.error()["code"], "EXITED_BEFORE_INIT");
    assert_eq!(turn.error()["exitCode"], 3);
}

#[tokio::test]
async fn fault_48_a_gigabyte_on_stderr_does_not_stop_the_agent_and_its_end_is_kept() {
    let mut host = Host::of("floods-stderr");
    assert_eq!(host.turn("hi").await.answer(), "told");
    let error = host.turn("again").await.error();
    let tail = error["stderrTail"].as_str().unwrap();
    assert!(tail.ends_with("000the last line"), "{tail}");
    assert!((1024..=16 * 1024).contains(&tail.len()), "{} bytes are kept", tail.len());
}

/// A host whose agent writes without end, with the fifos by which it tells that the pipe is full and is told to go on.
pub(crate) struct Flood {
    pub(crate) host: Host,
    full: Inbox,
    go: Outbox,
}

impl Flood {
    fn new() -> Self {
        Self::with(|_, _| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut SessionOptions, &Path)) -> Self {
        let mut fifos = None;
        let host = Host::with("writes-until-the-pipe-is-full", |options, folder| {
            change(options, folder);
            let (full, go) = (Inbox::new(folder, "full"), Outbox::new(folder, "go"));
            set(options, "FULL", &full.path);
            set(options, "GO", &go.path);
            options.cancel.settle = std::time::Duration::from_millis(20);
            fifos = Some((full, go));
        });
        let (full, go) = fifos.unwrap();
        Self { host, full, go }
    }

    /// How many bytes the agent has written when the pipe is full, and its pid.
    async fn written(&mut self) -> (u64, String) {
        let line = self.full.hear().await;
        let (written, pid) = line.split_once(' ').unwrap();
        (written.parse().unwrap(), pid.to_owned())
    }

    /// Lets the agent write until it is stopped for good, and returns how many bytes it has written, and
    /// its pid.
    ///
    /// A pipe may also be full for a moment because the session is slow. So the session is given many occasions to
    /// read, by messages that it has to act on, and the agent is stopped only when it has again and again not been
    /// able to write a byte more. A session that reads on comes to the bound instead.
    pub(crate) async fn until_stopped(&mut self) -> (u64, String) {
        let (mut written, _) = self.written().await;
        let mut stopped = 0;
        loop {
            for _ in 0..20 {
                self.host.settle_messages().await;
            }
            self.go.say("again");
            let (now, pid) = self.written().await;
            stopped = if now == written { stopped + 1 } else { 0 };
            written = now;
            assert!(written < BOUND, "{written} bytes were read that nobody consumes");
            if stopped == 20 {
                return (written, pid);
            }
        }
    }
}

#[tokio::test]
async fn an_agent_whose_output_nobody_consumes_is_stopped_and_nothing_of_it_is_lost() {
    let mut flood = Flood::new();
    let running = flood.host.begin("go on for ever");
    let (written, _) = flood.until_stopped().await;
    assert!(written > MIB, "it was stopped by a full queue, not before: {written} bytes");

    flood.go.say("finish");
    let turn = flood.host.finish(running).await;
    let lines: u64 = turn.answer().parse().unwrap();
    assert!(lines * 1000 > MIB, "{lines} lines");
    let deltas = turn.events.iter().filter(|event| event.kind == EventKind::TextDelta);
    let mut number = 0;
    for delta in deltas {
        number += 1;
        assert_eq!(delta.text(), format!("{number} {}\n", "x".repeat(1000)));
    }
    assert_eq!(number, lines, "all lines have come");
}

#[tokio::test]
async fn a_consumer_that_does_not_consume_does_not_keep_a_cancelled_turn() {
    let mut flood = Flood::new();
    let running = flood.host.begin("go on for ever");
    flood.until_stopped().await;
    flood.host.cancel().await;
    assert_eq!(flood.host.finish(running).await.error()["code"], "CANCELLED");
}

#[tokio::test]
async fn an_agent_that_exits_while_nobody_consumes_is_told_when_somebody_does() {
    let mut flood = Flood::new();
    let running = flood.host.begin("go on for ever");
    let (_, pid) = flood.until_stopped().await;
    flood.go.say("leave");
    while exists(&pid) {
        tokio::task::yield_now().await;
    }
    for _ in 0..200 {
        flood.host.settle_messages().await;
    }
    let turn = flood.host.finish(running).await;
    assert_eq!((&turn.error()["code"], &turn.error()["exitCode"]), (&"NO_RESULT".into(), &0.into()));
    assert!(turn.text().len() as u64 > MIB, "what it had written is kept");
}
