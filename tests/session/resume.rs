//! Conversations that an agent is to go on with, and does not know.

use std::time::{Duration, Instant};

use locus_exec::agent::agent_named;
use locus_exec::event::EventKind;
use locus_exec::run::{CancelTimes, Timeouts, TurnOptions};
use serde_json::{Value, json};

use crate::support::{Event, Host, Inbox, Outbox, Turn, patiently, set, turn};

/// A host whose agent is started to resume a conversation.
fn resuming(agent: &str) -> Host {
    Host::with(agent, |options, _| options.agent.resume = Some("old".to_owned()))
}

/// A turn with the conversation so far.
fn retold(prompt: &str) -> TurnOptions {
    TurnOptions { retold: Some(format!("told, then {prompt}")), ..turn(prompt) }
}

/// The details of this status, each time it came.
fn statuses(turn: &Turn, name: &str) -> Vec<Value> {
    let of_kind = turn.events.iter().filter(|event| event.kind == EventKind::StatusChanged);
    let data = of_kind.map(Event::data).filter(|data| data["status"] == name);
    data.map(|data| data["detail"].clone()).collect()
}

#[tokio::test]
async fn an_agent_that_fails_twice_to_resume_is_told_once() {
    let mut host = resuming("fails-to-resume");
    let running = host.begin_with(retold("hi"));
    let told = host.finish(running).await;
    assert_eq!(told.answer(), "told, then hi");
    assert_eq!(statuses(&told, "resumed"), [json!({ "via": "context", "reason": "No conversation found" })]);
    assert_eq!(statuses(&told, "starting").len(), 2);
    let running = host.begin_with(retold("again"));
    assert_eq!(host.finish(running).await.answer(), "again");
}

#[tokio::test]
async fn an_agent_that_fails_to_resume_fails_where_there_is_nothing_to_tell() {
    let error = resuming("fails-to-resume").turn("hi").await.error();
    assert_eq!((&error["code"], &error["error"]), (&json!("AGENT_ERROR"), &json!("No conversation found")));
}

#[tokio::test]
async fn an_agent_that_cannot_resume_is_told() {
    let mut options = None;
    let mut host = Host::with("tells-how-it-was-started", |theirs, _| {
        theirs.agent.resume = Some("old".to_owned());
        options = Some(theirs.clone());
    });
    let demo = agent_named("demo").unwrap();
    patiently("the other agent", host.session.configure(demo, options.unwrap())).await.unwrap();
    let running = host.begin_with(retold("hi"));
    let told = host.finish(running).await;
    assert_eq!(statuses(&told, "resumed"), [json!({ "via": "context" })]);
    assert!(!told.answer().contains("--resume"), "{told:?}");
}

// A process was started for it, and does not know the conversation.
#[tokio::test]
async fn after_a_turn_that_was_cancelled_before_its_prompt_was_given_the_next_one_is_told() {
    for mut host in [Host::of("repeats-its-prompt"), resuming("fails-to-resume")] {
        patiently("the end of the turn", async {
            let (ran, ()) =
                tokio::join!(biased; host.session.run_turn(retold("never given")), host.session.cancel());
            ran.unwrap();
        })
        .await;
        let cancelled = host.events.until(EventKind::TurnCompleted).await;
        assert_eq!(cancelled.error()["code"], "CANCELLED");
        let running = host.begin_with(retold("hi"));
        let told = host.finish(running).await;
        assert_eq!(told.answer(), "told, then hi");
        assert_eq!(statuses(&told, "resumed")[0]["via"], "context");
    }
}

/// A host whose agent fails to resume and does not leave, with what it says when it is asked to, and its leave to go.
fn host_that_stays() -> (Host, Inbox, Outbox) {
    let mut fifos = None;
    let host = Host::with("stays-when-asked-to-end-and-fails-to-resume", |options, folder| {
        let (asked, go) = (Inbox::new(folder, "asked"), Outbox::new(folder, "go"));
        set(options, "ASKED", &asked.path);
        set(options, "GO", &go.path);
        options.agent.resume = Some("old".to_owned());
        options.cancel = CancelTimes { grace: Duration::from_secs(60), ..CancelTimes::default() };
        fifos = Some((asked, go));
    });
    let (asked, go) = fifos.unwrap();
    (host, asked, go)
}

#[tokio::test]
async fn a_turn_that_is_cancelled_while_the_first_process_ends_is_not_begun_anew() {
    let (mut host, mut asked, go) = host_that_stays();
    let running = host.begin_with(retold("hi"));
    assert_eq!(asked.hear().await, "asked");
    patiently("the end of the turn", async {
        tokio::join!(biased; host.session.cancel(), async { go.say("leave") })
    })
    .await;
    assert_eq!(host.finish(running).await.error()["code"], "CANCELLED");
    assert!(!host.folder.path().join("prompted").exists());
    let running = host.begin_with(retold("again"));
    assert_eq!(host.finish(running).await.answer(), "told");
}

#[tokio::test]
async fn a_session_that_is_ended_while_the_first_process_ends_starts_no_other() {
    let (mut host, mut asked, go) = host_that_stays();
    let running = host.begin_with(retold("hi"));
    assert_eq!(asked.hear().await, "asked");
    patiently("the end of the session", async {
        tokio::join!(biased; host.session.end(), async { go.say("leave") })
    })
    .await;
    let turn = host.finish(running).await;
    assert_eq!(turn.error()["code"], "CANCELLED");
    assert_eq!(statuses(&turn, "starting").len(), 1);
    assert!(!host.folder.path().join("prompted").exists());
}

#[tokio::test]
async fn a_process_that_is_told_has_its_own_time_to_start() {
    const LIMIT: Duration = Duration::from_millis(600);
    let mut fail = None;
    let mut host = Host::with("fails-to-resume-when-told", |options, folder| {
        let fifo = Outbox::new(folder, "fail");
        set(options, "FAIL", &fifo.path);
        options.agent.resume = Some("old".to_owned());
        options.cancel = CancelTimes { settle: Duration::ZERO, grace: Duration::ZERO };
        fail = Some(fifo);
    });
    let timeouts = Timeouts { start: LIMIT, idle: Duration::ZERO, total: Duration::ZERO };
    let running = host.begin_with(TurnOptions { timeouts, ..retold("hi") });
    // The time that the first one takes is what this is about.
    tokio::time::sleep(LIMIT / 2).await;
    let failed = Instant::now();
    fail.unwrap().say("fail");
    let turn = host.finish(running).await;
    assert_eq!(statuses(&turn, "starting").len(), 2);
    assert_eq!(turn.error()["code"], "START_TIMEOUT");
    assert!(failed.elapsed() >= LIMIT, "{:?}", failed.elapsed());
}
