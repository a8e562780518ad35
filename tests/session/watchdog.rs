//! Turns that take too long.

use std::time::Duration;

use locus_exec::event::EventKind;
use locus_exec::run::{CancelTimes, Timeouts, TurnOptions};

use crate::support::{Host, Inbox, exists, set, turn};

/// As good as at once.
const SOON: Duration = Duration::from_millis(20);

/// Without any limit.
const UNLIMITED: Timeouts = Timeouts { start: Duration::ZERO, idle: Duration::ZERO, total: Duration::ZERO };

fn limited(timeouts: Timeouts) -> TurnOptions {
    TurnOptions { timeouts, ..turn("hi") }
}

#[tokio::test]
async fn an_agent_that_never_gets_ready_is_stopped_at_the_limit_to_start() {
    let mut pid = None;
    let mut host = Host::with("never-ready", |options, folder| {
        options.cancel = CancelTimes { settle: SOON, grace: SOON };
        let fifo = Inbox::new(folder, "pid");
        set(options, "PID", &fifo.path);
        pid = Some(fifo);
    });
    // Time enough to tell its pid.
    let running = host.begin_with(limited(Timeouts { start: Duration::from_secs(1), ..UNLIMITED }));
    let pid = pid.unwrap().hear().await;
    let error = host.finish(running).await.error();
    assert_eq!((&error["code"], &error["retryable"]), (&"START_TIMEOUT".into(), &true.into()));
    assert!(!exists(&pid));
}

#[tokio::test]
async fn an_agent_that_falls_silent_is_interrupted_at_the_idle_limit_and_kept() {
    let mut host = Host::of("stops-when-interrupted");
    let running = host.begin_with(limited(Timeouts { idle: SOON, ..UNLIMITED }));
    let error = host.finish(running).await.error();
    assert_eq!((&error["code"], &error["retryable"]), (&"IDLE_TIMEOUT".into(), &true.into()));
    let next = host.turn("how often?").await;
    assert!(next.was_warm() && next.answer().starts_with("1 "), "{:?}", next.events);
}

#[tokio::test]
async fn a_turn_that_goes_on_and_on_is_stopped_at_its_limit() {
    let mut host = Host::of("stops-when-interrupted");
    let running = host.begin_with(limited(Timeouts { total: SOON, ..UNLIMITED }));
    let error = host.finish(running).await.error();
    assert_eq!((&error["code"], &error["retryable"]), (&"TURN_TIMEOUT".into(), &false.into()));
}

// The limit of the whole turn tells that the idle limit had passed.
#[tokio::test]
async fn the_time_in_which_a_person_is_asked_is_no_silence() {
    let mut host = Host::with("asks-for-permission", |options, _| {
        options.cancel = CancelTimes { settle: SOON, grace: SOON };
    });
    let timeouts = Timeouts { idle: Duration::from_millis(200), total: Duration::from_secs(1), ..UNLIMITED };
    let running = host.begin_with(TurnOptions { can_ask: true, ..limited(timeouts) });
    let turn = host.finish(running).await;
    assert!(turn.has(EventKind::PermissionRequested));
    assert_eq!(turn.error()["code"], "TURN_TIMEOUT");
}
