//! What the run does for agents that speak ACP: which conversations they can go on with, what they are asked before a
//! turn, and how a turn is interrupted of which they say nothing.

use std::path::Path;
use std::time::Duration;

use locus_exec::event::EventKind;
use locus_exec::run::{CancelTimes, SessionOptions, TurnOptions};
use serde_json::{Value, json};

use crate::support::{Event, Host, Turn, agent, turn};

fn acp(agent: &str, change: impl FnOnce(&mut SessionOptions, &Path)) -> Host {
    Host::speaking("acp", agent, change)
}

fn of_kind(turn: &Turn, kind: EventKind) -> Vec<Value> {
    turn.events.iter().filter(|event| event.kind == kind).map(Event::data).collect()
}

fn words(turn: &Turn) -> Vec<&str> {
    turn.events.iter().filter(|event| event.kind == EventKind::TextDelta).map(Event::text).collect()
}

fn statuses(turn: &Turn, name: &str) -> Vec<Value> {
    let data = of_kind(turn, EventKind::StatusChanged).into_iter().filter(|data| data["status"] == name);
    data.map(|data| data["detail"].clone()).collect()
}

#[tokio::test]
async fn any_command_that_speaks_acp_is_an_agent() {
    let mut host = acp("acp-that-repeats-its-prompt", |options, _| {
        options.agent.executable = None;
        options.agent.agent_command =
            Some(format!("'{}' --acp", agent("acp-that-repeats-its-prompt").display()));
    });
    let first = host.turn("a word").await;
    assert_eq!(words(&first), ["a ", "word "], "one by one");
    assert_eq!(first.answer(), "a word ");
    assert_eq!(of_kind(&first, EventKind::LineUnparsed).len(), 1, "the banner is told and does no harm");
    let second = host.turn("another").await;
    assert_eq!(second.answer(), "another ");
    assert!(second.was_warm());
}

#[tokio::test]
async fn an_agent_that_cannot_resume_is_told_of_the_conversation() {
    let mut host = acp("acp-that-repeats-its-prompt", |_, _| {});
    let first = host.turn("hi").await;
    assert_eq!(
        first.the(EventKind::ResponseCompleted)["agentSessionId"],
        Value::Null,
        "there is nothing to resume"
    );

    let mut host = acp("acp-that-repeats-its-prompt", |options, _| {
        options.agent.resume = Some("session-0".to_owned());
    });
    let running = host.begin_with(TurnOptions { retold: Some("told, then hi".to_owned()), ..turn("hi") });
    let told = host.finish(running).await;
    assert_eq!(told.answer(), "told, then hi ");
    assert_eq!(
        statuses(&told, "resumed"),
        [json!({ "via": "context", "reason": "fake cannot go on with a conversation of another process" })]
    );
}

#[tokio::test]
async fn a_conversation_is_loaded_where_it_cannot_be_resumed() {
    let mut host = acp("acp-that-has-no-resume", |options, _| {
        options.agent.resume = Some("session-1".to_owned());
    });
    let resumed = host.turn("hi").await;
    assert_eq!(resumed.answer(), "hi");
    assert_eq!(words(&resumed), ["hi"], "what was said before is not said again");
    assert_eq!(statuses(&resumed, "resumed"), [json!({ "via": "agent" })]);
    assert_eq!(resumed.the(EventKind::ResponseCompleted)["agentSessionId"], "session-1");
}

#[tokio::test]
async fn a_conversation_of_which_nothing_is_repeated_is_not_there() {
    let mut host = acp("acp-that-loads-whatever-it-is-asked-to", |options, _| {
        options.agent.resume = Some("session-0".to_owned());
    });
    let running = host.begin_with(TurnOptions { retold: Some("told, then hi".to_owned()), ..turn("hi") });
    let told = host.finish(running).await;
    assert_eq!(told.answer(), "told, then hi");
    let [how] = &statuses(&told, "resumed")[..] else { panic!("it is told once: {told:?}") };
    assert_eq!(how["via"], "context");
    assert!(how["reason"].as_str().unwrap().contains("does not know this conversation"), "{how}");
}

#[tokio::test]
async fn a_missing_login_is_told_with_what_to_do() {
    let mut host = acp("acp-that-wants-a-login", |_, _| {});
    for _ in 0..2 {
        let failed = host.turn("hi").await;
        assert_eq!(failed.error()["code"], "AUTH");
        let told = failed.error()["error"].as_str().unwrap().to_owned();
        assert!(told.contains("log in") && told.contains("Use a key"), "{told}");
    }
}

#[tokio::test]
async fn a_tool_that_is_asked_about_is_told_before_the_question() {
    let mut host =
        acp("acp-that-asks", |options, _| options.agent.permissions.allowed = vec!["execute".into()]);
    let allowed = host.turn("hi").await;
    assert_eq!(allowed.answer(), "{'outcome':{'optionId':'yes','outcome':'selected'}}}");
    let kinds: Vec<EventKind> = allowed.events.iter().map(|event| event.kind).collect();
    let place = |kind| kinds.iter().position(|it| *it == kind).unwrap();
    assert!(place(EventKind::ToolStarted) < place(EventKind::PermissionResolved));
    assert_eq!(allowed.the(EventKind::ToolCompleted)["data"], "a file");

    let mut host = acp("acp-that-asks", |_, _| {});
    let denied = host.turn("hi").await;
    assert_eq!(denied.answer(), "{'outcome':{'optionId':'no','outcome':'selected'}}}");
    assert_eq!(denied.the(EventKind::ToolFailed)["error"], "declined");
}

#[tokio::test]
async fn a_question_that_is_taken_back_is_over() {
    let mut host = acp("acp-that-withdraws-its-question", |_, _| {});
    let running = host.begin_attended("hi");
    let withdrawn = host.finish(running).await;
    assert_eq!(withdrawn.the(EventKind::PermissionResolved)["behavior"], "withdrawn");
    assert!(withdrawn.answer().starts_with("{'code':-32800,"), "{}", withdrawn.answer());
}

#[tokio::test]
async fn a_cancelled_turn_answers_what_is_still_asked() {
    let never = Duration::from_secs(600);
    let mut host = acp("acp-that-asks-until-it-is-cancelled", |options, _| {
        options.cancel = CancelTimes { settle: never, grace: never };
    });
    let running = host.begin_attended("hi");
    host.events.until(EventKind::PermissionRequested).await;
    host.cancel().await;
    let cancelled = host.finish(running).await;
    assert_eq!(cancelled.error()["code"], "CANCELLED");
    assert_eq!(words(&cancelled), ["{'outcome':{'outcome':'cancelled'}}}"]);
    let next = host.turn("still there?").await;
    assert_eq!(next.answer(), "still there?");
    assert!(next.was_warm());
}

#[tokio::test]
async fn an_agent_that_heeds_no_cancellation_is_ended() {
    let mut host = acp("acp-that-heeds-no-cancellation", |options, _| {
        options.cancel = CancelTimes { settle: Duration::ZERO, grace: Duration::from_secs(600) };
    });
    let running = host.begin("hi");
    host.events.until(EventKind::StatusChanged).await;
    host.cancel().await;
    assert_eq!(host.finish(running).await.error()["code"], "CANCELLED");
}

#[tokio::test]
async fn what_nobody_knows_does_no_harm() {
    let mut host = acp("acp-that-says-odd-things", |_, _| {});
    let odd = host.turn("hi").await;
    assert_eq!(
        odd.answer(),
        "{'code':-32601,'message':''fs/read_text_file' is not supported by this host'},'id':7,'jsonrpc':'2.0'}"
    );
    let unparsed = of_kind(&odd, EventKind::LineUnparsed);
    assert_eq!(unparsed.len(), 1, "an agent's own notifications are its own: {unparsed:?}");
    assert_eq!(unparsed[0]["reason"], "unknown update 'dream'");
}

#[tokio::test]
async fn a_model_and_a_mode_are_chosen_before_the_first_prompt() {
    let mut host = acp("acp-that-chooses", |options, _| {
        options.agent.model = Some("Large".into());
        options.agent.permission_mode = Some("plan".into());
    });
    let chosen = host.turn("hi").await.answer();
    assert_eq!(
        chosen,
        " 'session/set_config_option','params':{'configId':'the-model','sessionId':'session-1','value':'large'}} \
         'session/set_mode','params':{'modeId':'plan','sessionId':'session-1'}}"
    );
    let mut host = acp("acp-that-chooses", |options, _| options.agent.model = Some("huge".into()));
    let failed = host.turn("hi").await;
    assert_eq!(failed.error()["code"], "INVALID_INPUT");
    assert_eq!(failed.error()["error"], "fake has no model 'huge'; it has small, large");
}

#[tokio::test]
async fn an_agent_without_a_command_is_none() {
    for (provider, command, message) in [
        ("acp", None, "say which"),
        ("acp", Some("'"), "a quote that does not end"),
        ("acp", Some(" "), "is empty"),
    ] {
        let mut host = Host::speaking(provider, "acp-that-asks", |options, _| {
            options.agent.executable = None;
            options.agent.agent_command = command.map(str::to_owned);
        });
        let failed = host.turn("hi").await;
        assert_eq!(failed.error()["code"], "INVALID_INPUT");
        let told = failed.error()["error"].as_str().unwrap().to_owned();
        assert!(told.contains(message), "{provider} {command:?}: {told}");
    }
}
