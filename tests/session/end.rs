//! The end of a session.

use std::time::Duration;

use locus_exec::Error;
use locus_exec::event::EventKind;
use locus_exec::run::CancelTimes;

use crate::support::{Host, exists};

#[tokio::test]
async fn the_end_leaves_no_process() {
    let mut host = Host::of("answers-with-its-pid");
    host.turn("one").await;
    let pid = host.turn("two").await.answer();
    assert!(exists(&pid), "it is held open");
    host.end().await;
    assert!(!exists(&pid));
    let rest = host.events.until(EventKind::SessionEnded).await;
    assert_eq!(rest.kinds(), ["session:ended"]);
    assert_eq!(rest.the(EventKind::SessionEnded)["turns"], 2);
    assert!(host.events.is_empty(), "it is the last event");
}

#[tokio::test]
async fn a_session_without_a_turn_ends_without_an_event() {
    let mut host = Host::of("answers-with-its-pid");
    host.end().await;
    assert!(host.events.is_empty());
}

#[tokio::test]
async fn the_end_stops_the_turn_under_way() {
    let mut host = Host::of("ignores-interrupt");
    let running = host.begin("hi");
    let pid = host.events.until(EventKind::TextDelta).await.text();
    host.end().await;
    assert!(!exists(&pid));
    let turn = host.finish(running).await;
    assert_eq!(turn.error()["code"], "CANCELLED");
    assert_eq!(host.events.until(EventKind::SessionEnded).await.kinds(), ["session:ended"]);
}

#[tokio::test]
async fn the_end_kills_what_does_not_leave() {
    let grace = Duration::from_millis(20);
    let mut host = Host::with("ignores-sigterm", |options, _| {
        options.cancel = CancelTimes { grace, ..CancelTimes::default() };
    });
    let running = host.begin("hi");
    let pid = host.events.until(EventKind::TextDelta).await.text();
    host.end().await;
    assert!(!exists(&pid));
    host.finish(running).await;
}

#[tokio::test]
async fn an_agent_that_lingers_after_its_result_has_succeeded_and_does_not_outlive_the_session() {
    let linger = Duration::from_millis(20);
    let mut host = Host::with("result-then-lingers", |options, _| options.linger = linger);
    let pid = host.turn("hi").await.answer();
    assert!(exists(&pid));
    host.end().await;
    assert!(!exists(&pid));
}

#[tokio::test]
async fn after_the_end_nothing_can_be_asked_of_a_session() {
    let mut host = Host::of("answers-with-its-pid");
    host.turn("hi").await;
    host.end().await;
    host.events.until(EventKind::SessionEnded).await;
    assert!(matches!(host.refused_turn().await, Error::SessionEnded));
    host.cancel().await;
    host.end().await;
    assert!(host.events.is_empty(), "a second end does nothing");
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_session() {
    let Host { session, mut events, folder } = {
        let mut host = Host::of("answers-with-its-pid");
        host.turn("hi").await;
        host
    };
    drop(session);
    events.until(EventKind::SessionEnded).await;
    drop(folder);
}
