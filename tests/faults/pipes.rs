//! What goes wrong in the pipes of an agent: faults 6 and 26 to 28.

use std::time::{Duration, Instant};

use locus_exec::event::EventKind;
use serde_json::json;

use crate::support::{Host, Inbox, Outbox, set};

const SECOND: Duration = Duration::from_secs(1);

/// Longer than any test takes.
const NEVER: Duration = Duration::from_secs(600);

/// Runs an agent that leaves a child in its pipes; the turn is to be over in time.
async fn settles_without(child: &str, limit: Duration) {
    let mut leave = None;
    let mut host = Host::with("leaves-a-child-in-its-pipes", |options, folder| {
        let fifo = Outbox::new(folder, "leave");
        set(options, "LEAVE", &fifo.path);
        set(options, "CHILD", child);
        leave = Some(fifo);
    });
    let running = host.begin("hi");
    assert_eq!(host.events.until(EventKind::TextDelta).await.text(), "the last words");
    let since = Instant::now();
    leave.unwrap().say("leave");
    let error = host.finish(running).await.error();
    assert!(since.elapsed() < limit, "{:?}", since.elapsed());
    assert_eq!((&error["code"], &error["exitCode"]), (&json!("PROCESS_CRASHED"), &json!(5)));
}

#[tokio::test]
async fn fault_06_a_grandchild_that_holds_stdout_does_not_hold_the_turn() {
    settles_without("waits", SECOND).await;
}

/// Several threads, as in Node: one is busy with all that is written. Without optimisation it is so longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_06_nor_does_one_that_goes_on_writing() {
    settles_without("writes", 2 * SECOND).await;
}

#[tokio::test]
async fn fault_26_ten_megabytes_for_an_agent_that_has_left_are_dropped_and_its_exit_is_told() {
    let turn = Host::of("exits-without-reading").turn("x".repeat(10_000_000)).await;
    let error = turn.error();
    assert_eq!((&error["code"], &error["exitCode"]), (&json!("PROCESS_CRASHED"), &json!(3)));
    assert!(!error.to_string().contains("pipe"), "{error}");
}

/// An agent that waits for the end of its stdin gets it, whoever else had it open: the host, the watch, the guard.
#[tokio::test]
async fn fault_27_stdin_is_closed_when_there_is_nothing_more_to_say() {
    let mut left = None;
    let mut host = Host::with("leaves-at-the-end-of-stdin", |options, folder| {
        options.linger = NEVER;
        let fifo = Inbox::new(folder, "left");
        set(options, "LEFT", &fifo.path);
        left = Some(fifo);
    });
    host.turn("hi").await.answer();
    host.end().await;
    assert_eq!(left.unwrap().hear().await, "stdin has ended");
}

#[tokio::test]
async fn fault_28_a_long_prompt_and_a_flood_do_not_wait_for_each_other() {
    let mut host = Host::of("floods-stdout-without-reading-stdin");
    let turn = host.turn("x".repeat(10_000_000)).await;
    assert_eq!(turn.answer(), "10000000");
}
