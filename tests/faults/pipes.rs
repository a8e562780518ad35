//! What goes wrong between the pipes of an agent: faults 6, 9 and 26 to 28.

use std::time::{Duration, Instant};

use locus_exec::event::EventKind;
use locus_exec::process::{Activity, CommandSpec, Exit, Process, Supervision};
use locus_exec::run::{CancelTimes, TurnOptions};
use serde_json::json;

use crate::support::{Host, Inbox, Outbox, patiently, set, turn};

const SECOND: Duration = Duration::from_secs(1);

/// Longer than any test takes.
const NEVER: Duration = Duration::from_secs(600);

/// Runs an agent that leaves a child in its pipes.
async fn settles_without(child: &str) {
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
    assert!(since.elapsed() < SECOND, "{:?}", since.elapsed());
    assert_eq!((&error["code"], &error["exitCode"]), (&json!("PROCESS_CRASHED"), &json!(5)));
}

#[tokio::test]
async fn fault_06_a_grandchild_that_holds_stdout_does_not_hold_the_turn() {
    settles_without("waits").await;
}

#[tokio::test]
async fn fault_06_nor_does_one_that_goes_on_writing() {
    settles_without("writes").await;
}
