//! Agents that do not come to an end by themselves: faults 7 to 9.

use std::time::{Duration, Instant};

use locus_exec::event::EventKind;
use locus_exec::run::{CancelTimes, Timeouts, TurnOptions};
use serde_json::json;

use crate::descendants::Descendants;
use crate::support::{Host, Outbox, Turn, patiently, set, turn};

const SOON: Duration = Duration::from_millis(50);

/// Longer than any of the agents here is silent before it is to be.
const IDLE: Duration = Duration::from_millis(300);

/// No limit at all.
const NO_LIMITS: Timeouts = Timeouts { start: Duration::ZERO, idle: Duration::ZERO, total: Duration::ZERO };

/// Runs a turn within limits.
async fn turn_within(host: &mut Host, timeouts: Timeouts) -> Turn {
    let session = host.session.clone();
    let running = tokio::spawn(async move { session.run_turn(TurnOptions { timeouts, ..turn("hi") }).await });
    patiently("the end of the turn", host.finish(running)).await
}

/// A host that stops an agent quickly where it is to be stopped.
fn host(agent: &str, variables: &[(&str, &str)]) -> Host {
    Host::with(agent, |options, _| {
        options.cancel = CancelTimes { settle: SOON, grace: SOON };
        for (name, value) in variables {
            set(options, name, *value);
        }
    })
}

#[tokio::test]
async fn fault_07_a_result_is_kept_and_the_agent_that_stays_is_killed_at_the_end_of_the_session() {
    let mut tree = None;
    let (linger, grace) = (SOON, SOON);
    let mut host = Host::with("hostile-tree", |options, folder| {
        set(options, "ANSWER", "the answer");
        options.linger = linger;
        options.cancel.grace = grace;
        let descendants = Descendants::new(folder);
        set(options, "TREE", &descendants.fifo);
        tree = Some(descendants);
    });
    let mut tree = tree.unwrap();
    assert_eq!(host.turn("hi").await.answer(), "the answer");
    tree.stand().await;
    let since = Instant::now();
    host.end().await;
    assert_eq!(tree.living(), [""; 0]);
    tree.gone().await;
    assert!(since.elapsed() < linger + grace + Duration::from_secs(1), "{:?}", since.elapsed());
}

#[tokio::test]
async fn fault_08_an_agent_that_falls_silent_is_stopped() {
    let mut host = host("hostile-tree", &[("TREE", "/dev/null")]);
    let turn = turn_within(&mut host, Timeouts { idle: IDLE, ..NO_LIMITS }).await;
    let error = turn.error();
    assert_eq!((&error["code"], &error["retryable"]), (&json!("IDLE_TIMEOUT"), &json!(true)));
    assert_eq!(error["error"], "claude was silent for 300ms and was stopped");
    assert!(turn.text().starts_with("the tree is planted"), "what was said is kept: {}", turn.text());
}

#[tokio::test]
async fn fault_08_an_agent_that_does_not_get_ready_is_stopped() {
    let mut host = host("never-ready", &[("PID", "/dev/null")]);
    let error = turn_within(&mut host, Timeouts { start: SOON, ..NO_LIMITS }).await.error();
    assert_eq!((&error["code"], &error["retryable"]), (&json!("START_TIMEOUT"), &json!(true)));
    assert_eq!(error["error"], "claude was not ready after 50ms and was stopped");
}

#[tokio::test]
async fn fault_08_an_agent_that_takes_too_long_is_stopped() {
    let mut host = host("hostile-tree", &[("TREE", "/dev/null")]);
    let error = turn_within(&mut host, Timeouts { total: IDLE, ..NO_LIMITS }).await.error();
    assert_eq!((&error["code"], &error["retryable"]), (&json!("TURN_TIMEOUT"), &json!(false)));
    assert_eq!(error["error"], "claude took longer than 300ms and was stopped");
}

/// Whether it says something, or only that it is there; several threads, as in Node: one is busy with all that it says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_08_an_agent_that_takes_too_long_is_stopped_however_fast_it_talks() {
    let word = r#"{"type":"stream_event","event":{"type":"content_block_delta","delta":{"type":"text_delta","text":"on "}}}"#;
    for line in [word, r#"{"type":"keep_alive"}"#] {
        let mut host = host("hostile-tree", &[("TREE", "/dev/null"), ("TALKS", line)]);
        let error = turn_within(&mut host, Timeouts { total: IDLE, ..NO_LIMITS }).await.error();
        assert_eq!(error["code"], "TURN_TIMEOUT", "{line}");
    }
}

#[tokio::test]
async fn fault_08_an_agent_that_was_stopped_has_not_succeeded_whatever_it_says_then() {
    for on in ["interrupt", "TERM"] {
        let mut host = host("succeeds-when-stopped", &[("ON", on)]);
        let turn = turn_within(&mut host, Timeouts { idle: IDLE, ..NO_LIMITS }).await;
        assert_eq!(turn.error()["code"], "IDLE_TIMEOUT", "{on}");
        assert_eq!(turn.the(EventKind::ResponseCompleted)["content"], "", "{on}");
    }
}

#[tokio::test]
async fn fault_09_an_agent_that_closes_its_stdout_is_waited_for_until_a_limit() {
    let mut leave = None;
    let mut host = Host::with("closes-stdout-and-goes-on", |options, folder| {
        options.cancel = CancelTimes { settle: SOON, grace: SOON };
        let fifo = Outbox::new(folder, "leave");
        set(options, "LEAVE", &fifo.path);
        leave = Some(fifo);
    });
    let turn = turn_within(&mut host, Timeouts { idle: IDLE, ..NO_LIMITS }).await;
    assert_eq!(turn.error()["code"], "IDLE_TIMEOUT");
    assert_eq!(turn.text(), "the last words");
}

#[tokio::test]
async fn fault_09_an_agent_that_closes_its_stdout_is_waited_for_until_its_exit() {
    let mut leave = None;
    let mut host = Host::with("closes-stdout-and-goes-on", |options, folder| {
        let fifo = Outbox::new(folder, "leave");
        set(options, "LEAVE", &fifo.path);
        leave = Some(fifo);
    });
    let running = host.begin("hi");
    host.events.until(EventKind::TextDelta).await;
    host.settle_messages().await;
    assert!(!running.is_finished());
    leave.unwrap().say("leave");
    let error = host.finish(running).await.error();
    assert_eq!((&error["code"], &error["exitCode"]), (&json!("PROCESS_CRASHED"), &json!(4)));
}
