//! Turns that are stopped.

use std::time::Duration;

use locus_exec::event::EventKind;
use locus_exec::run::{CancelTimes, SessionOptions};

use crate::support::{Host, Inbox, Outbox, exists, patiently, set};

/// Longer than any test takes: a step that has this deadline is not come to.
const NEVER: Duration = Duration::from_secs(600);

/// As good as at once.
const SOON: Duration = Duration::from_millis(20);

fn times(settle: Duration, grace: Duration) -> impl FnOnce(&mut SessionOptions) {
    move |options| options.cancel = CancelTimes { settle, grace }
}

/// A host whose agent is only ever asked to stop, never made to.
fn patient_host(agent: &str) -> Host {
    Host::with(agent, |options, _| times(NEVER, NEVER)(options))
}

#[tokio::test]
async fn a_turn_that_is_cancelled_while_text_streams_stops_and_keeps_the_process() {
    let mut host = patient_host("stops-when-interrupted");
    let running = host.begin("go on for ever");
    let pid = host.events.until(EventKind::TextDelta).await.text();
    host.cancel().await;
    let turn = host.finish(running).await;
    assert_eq!(turn.error()["code"], "CANCELLED");
    assert_eq!(turn.the(EventKind::ResponseCompleted)["content"], "");

    let next = host.turn("how often?").await;
    assert!(next.was_warm());
    assert_eq!(next.answer(), format!("1 {pid}"), "interrupted once, the same process");
}

#[tokio::test]
async fn cancelling_twice_interrupts_once_and_both_calls_return() {
    let mut host = patient_host("stops-when-interrupted");
    let running = host.begin("go on for ever");
    host.events.until(EventKind::TextDelta).await;
    let ((), (), turn) = patiently("both", async {
        let session = host.session.clone();
        tokio::join!(session.cancel(), session.cancel(), host.finish(running))
    })
    .await;
    assert_eq!(turn.error()["code"], "CANCELLED");
    assert_eq!(host.turn("how often?").await.answer().split(' ').next(), Some("1"));
}

#[tokio::test]
async fn cancelling_after_the_end_does_nothing() {
    let mut host = patient_host("stops-when-interrupted");
    host.cancel().await;
    assert!(host.events.is_empty(), "nor does it before the first turn");
    let first = host.turn("how often?").await;
    host.cancel().await;
    assert!(host.events.is_empty());
    let second = host.turn("how often?").await;
    assert_eq!(first.answer(), second.answer(), "no interrupt was written");
    assert!(second.answer().starts_with("0 "));
}

// An interrupt before init is a false success: claude acknowledges it and goes on.
#[tokio::test]
async fn an_interrupt_is_held_back_until_the_agent_is_ready() {
    let mut go = None;
    let mut host = Host::with("is-slow-to-get-ready", |options, folder| {
        times(NEVER, NEVER)(options);
        let fifo = Outbox::new(folder, "go");
        set(options, "GO", &fifo.path);
        go = Some(fifo);
    });
    let running = host.begin("hi");
    host.events.until(EventKind::StatusChanged).await;
    let cancelled_before_ready = async {
        // Answered after the cancellation, which was asked for before.
        host.settle_messages().await;
        go.as_ref().unwrap().say("get ready");
    };
    patiently("the end of the turn", async {
        tokio::join!(biased; host.session.cancel(), cancelled_before_ready)
    })
    .await;
    let turn = host.finish(running).await;
    assert_eq!(turn.text(), "interrupted before it was ready: no");
    assert_eq!(turn.error()["code"], "CANCELLED");
}

#[tokio::test]
async fn an_agent_that_never_gets_ready_is_terminated() {
    let mut pid = None;
    let mut host = Host::with("never-ready", |options, folder| {
        times(SOON, NEVER)(options);
        let fifo = Inbox::new(folder, "pid");
        set(options, "PID", &fifo.path);
        pid = Some(fifo);
    });
    let running = host.begin("hi");
    let pid = pid.unwrap().hear().await;
    assert!(exists(&pid));
    host.cancel().await;
    assert_eq!(host.finish(running).await.error()["code"], "CANCELLED");
    assert!(!exists(&pid));
}

#[tokio::test]
async fn an_agent_that_ignores_the_interrupt_is_terminated() {
    // The grace is for its child: one that was forked just now may not notice that it was asked to end.
    let grace = Duration::from_secs(10);
    let mut host = Host::with("ignores-interrupt", |options, _| times(SOON, grace)(options));
    let running = host.begin("hi");
    let pid = host.events.until(EventKind::TextDelta).await.text();
    host.cancel().await;
    let turn = host.finish(running).await;
    assert_eq!(turn.error()["code"], "CANCELLED");
    assert_eq!(turn.text(), "I was asked first", "SIGTERM was sent, and after the interrupt");
    assert!(!exists(&pid));
}

#[tokio::test]
async fn an_agent_that_ignores_sigterm_is_killed_and_the_next_turn_goes_on_in_a_new_process() {
    let mut host = Host::with("ignores-sigterm", |options, _| times(SOON, SOON)(options));
    let running = host.begin("hi");
    let pid = host.events.until(EventKind::TextDelta).await.text();
    host.cancel().await;
    assert_eq!(host.finish(running).await.error()["code"], "CANCELLED");
    assert!(!exists(&pid));

    let next = host.turn("go on").await;
    assert!(!next.was_warm());
    assert!(next.answer().ends_with(" --resume=conversation-1"), "{:?}", next.answer());
}

#[tokio::test]
async fn a_question_that_is_open_when_the_turn_is_cancelled_is_resolved() {
    let mut host = Host::with("asks-for-permission", |options, _| times(SOON, SOON)(options));
    let running = host.begin_attended("hi");
    host.events.until(EventKind::PermissionRequested).await;
    host.cancel().await;
    let turn = host.finish(running).await;
    assert_eq!(turn.error()["code"], "CANCELLED");
    assert_eq!(turn.the(EventKind::PermissionResolved)["behavior"], "withdrawn");
}
