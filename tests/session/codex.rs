//! What the run does for codex and for no other agent so far: an agent that has to be asked for its conversation first,
//! that has another way to be spoken to, and that may be told to stop before it has begun.

use std::path::Path;
use std::time::Duration;

use locus_exec::event::EventKind;
use locus_exec::run::{CancelTimes, RetryPolicy, SessionOptions, TurnOptions};
use serde_json::{Value, json};

use crate::support::{Event, Host, Inbox, Outbox, Turn, patiently, set, turn};

/// A host of a fake codex.
fn codex(agent: &str, change: impl FnOnce(&mut SessionOptions, &Path)) -> Host {
    Host::speaking("codex", agent, change)
}

/// The details of this status, each time it came.
fn statuses(turn: &Turn, name: &str) -> Vec<Value> {
    let of_kind = turn.events.iter().filter(|event| event.kind == EventKind::StatusChanged);
    let data = of_kind.map(Event::data).filter(|data| data["status"] == name);
    data.map(|data| data["detail"].clone()).collect()
}

#[tokio::test]
async fn a_codex_without_an_app_server_is_spoken_to_by_exec() {
    let mut host = codex("codex-without-app-server", |options, _| {
        options.agent.permissions.allow_all = true;
    });
    let first = host.turn("one").await;
    assert_eq!(
        first.answer(),
        "one: exec --json --skip-git-repo-check --sandbox danger-full-access -",
        "its stdin ended behind the prompt"
    );
    let [told] = &statuses(&first, "fallback")[..] else { panic!("it is told once: {first:?}") };
    assert!(told["reason"].as_str().unwrap().contains("ended before it was ready"), "{told}");

    let second = host.turn("two").await;
    assert_eq!(
        second.answer(),
        "two: exec --json --skip-git-repo-check --sandbox danger-full-access resume thread-1 -"
    );
    assert!(statuses(&second, "fallback").is_empty(), "it is known by now");
    assert!(!second.was_warm());
    for turn in [first, second] {
        let usage = &turn.the(EventKind::TurnCompleted)["usage"];
        assert_eq!((&usage["input"], &usage["output"]), (&json!(10), &json!(10)), "a turn is a difference");
    }
}

#[tokio::test]
async fn a_codex_that_fails_both_ways_fails_once() {
    let mut host = codex("codex-that-fails-both-ways", |_, _| {});
    let running = host.begin_with(TurnOptions { retry: RetryPolicy::never(), ..turn("hi") });
    let failed = host.finish(running).await;
    assert_eq!(failed.error()["code"], "EXITED_BEFORE_INIT");
    assert!(failed.error()["stderrTail"].as_str().unwrap().contains("cannot load config for exec"));
    assert_eq!(statuses(&failed, "fallback").len(), 1);
}

#[tokio::test]
async fn a_codex_that_does_not_know_the_thread_is_told_of_it() {
    let mut host = codex("codex-that-knows-no-thread", |options, _| {
        options.agent.resume = Some("thread-1".to_owned());
    });
    let running = host.begin_with(TurnOptions { retold: Some("told, then hi".to_owned()), ..turn("hi") });
    let told = host.finish(running).await;
    assert_eq!(told.answer(), "told, then hi");
    assert_eq!(statuses(&told, "resumed"), [json!({ "via": "context", "reason": "no rollout found" })]);
    let next = host.turn("again").await;
    assert_eq!(next.answer(), "again");
    assert!(next.was_warm(), "in the thread that was begun");
}

#[tokio::test]
async fn a_thread_that_was_refused_is_asked_for_again() {
    let mut host = codex("codex-that-knows-no-thread", |options, _| {
        options.agent.resume = Some("thread-1".to_owned());
    });
    // There is nothing to tell it; no turn waits for an answer that does not come.
    for prompt in ["one", "two"] {
        assert_eq!(host.turn(prompt).await.error()["error"], "no rollout found");
    }
}

#[tokio::test]
async fn a_question_that_no_host_knows_is_answered_with_an_error() {
    let mut host = codex("codex-that-asks-the-user", |_, _| {});
    let answer = host.turn("hi").await.answer();
    assert_eq!(
        answer,
        "{'error':{'code':-32601,'message':''item/tool/requestUserInput' is not supported by this host'},'id':'ask-1'}"
    );
}

#[tokio::test]
async fn a_turn_that_is_cancelled_before_it_began_is_interrupted_when_it_does() {
    let mut fifos = None;
    let mut host = codex("codex-that-is-slow-to-begin", |options, folder| {
        let never = Duration::from_secs(600);
        options.cancel = CancelTimes { settle: never, grace: never };
        let (asked, begin) = (Inbox::new(folder, "asked"), Outbox::new(folder, "begin"));
        set(options, "ASKED", &asked.path);
        set(options, "BEGIN", &begin.path);
        fifos = Some((asked, begin));
    });
    let (mut asked, begin) = fifos.unwrap();
    for is_warm in [false, true] {
        let running = host.begin("hi");
        asked.hear().await;
        patiently("the end of the turn", async {
            // The session has acted on the cancellation before it acts on what is asked after it.
            let begins = async {
                host.settle_messages().await;
                begin.say("now");
            };
            tokio::join!(biased; host.session.cancel(), begins)
        })
        .await;
        let cancelled = host.finish(running).await;
        assert_eq!(cancelled.error()["code"], "CANCELLED");
        assert_eq!(cancelled.was_warm(), is_warm, "the process is kept");
    }
}
