//! What the run makes of Gemini CLI by stream-json: a process for every turn.

use locus_exec::event::EventKind;
use locus_exec::run::TurnOptions;
use serde_json::{Value, json};

use crate::support::{Event, Host, Turn, turn};

const FLAGS: &str = "--output-format=stream-json --approval-mode=default";

fn of_kind(turn: &Turn, kind: EventKind) -> Vec<Value> {
    turn.events.iter().filter(|event| event.kind == kind).map(Event::data).collect()
}

#[tokio::test]
async fn every_turn_has_a_process_that_goes_on_with_the_conversation() {
    let mut host = Host::speaking("gemini-json", "gemini-without-acp", |options, _| {
        options.agent.system_prompt = Some("Be kind.".to_owned());
        options.agent.model = Some("m".to_owned());
    });
    let first = host.turn("one").await;
    assert_eq!(first.answer(), format!("Be kind.  one: {FLAGS} --model=m"));
    let [tool] = &of_kind(&first, EventKind::ToolCompleted)[..] else { panic!("one tool: {first:?}") };
    assert_eq!((&tool["tool"], &tool["data"]), (&json!("glob"), &json!("a")));
    let usage = &first.the(EventKind::TurnCompleted)["usage"];
    assert_eq!(
        (&usage["input"], &usage["output"], &usage["cacheRead"], &usage["thinking"]),
        (&json!(25), &json!(16), &json!(7), &json!(1))
    );
    let second = host.turn("two").await;
    assert_eq!(second.answer(), format!("two: {FLAGS} --model=m --resume=conversation-1"));
    assert!(!second.was_warm());
}

#[tokio::test]
async fn one_that_does_not_know_the_conversation_is_told_of_it() {
    let mut host = Host::speaking("gemini-json", "gemini-without-acp", |options, _| {
        options.agent.system_prompt = Some("Be kind.".to_owned());
        options.agent.resume = Some("gone".to_owned());
    });
    let running = host.begin_with(TurnOptions { retold: Some("told, then hi".to_owned()), ..turn("hi") });
    let told = host.finish(running).await;
    assert_eq!(told.answer(), format!("Be kind.  told, then hi: {FLAGS}"));
}

#[tokio::test]
async fn one_that_does_not_speak_acp_is_spoken_to_by_stream_json() {
    let mut host = Host::speaking("gemini", "gemini-without-acp", |_, _| {});
    let first = host.turn("one").await;
    assert_eq!(first.answer(), format!("one: {FLAGS}"));
    assert_eq!(first.the(EventKind::SessionStarted)["provider"], "gemini");
    let second = host.turn("two").await;
    assert_eq!(second.answer(), format!("two: {FLAGS} --resume=conversation-1"));
}

#[tokio::test]
async fn what_it_cannot_be_denied_is_an_error_and_no_promise() {
    let mut host = Host::speaking("gemini-json", "gemini-without-acp", |options, _| {
        options.agent.permissions.denied = vec!["write_file".to_owned()];
    });
    let error = host.turn("hi").await.error();
    assert_eq!(error["code"], "INVALID_INPUT");
    assert!(error["error"].as_str().unwrap().starts_with("gemini cannot be denied 'write_file'"), "{error}");
}

#[tokio::test]
async fn odd_things_cost_themselves_and_nothing_else() {
    let mut host = Host::speaking("gemini-json", "gemini-that-says-odd-things", |_, _| {});
    let odd = host.turn("hi").await;
    let ends = |kind| of_kind(&odd, kind);
    let tools = [ends(EventKind::ToolCompleted), ends(EventKind::ToolFailed)].concat();
    let told: Vec<_> = tools.iter().map(|tool| (&tool["tool"], &tool["success"])).collect();
    assert_eq!(told, [(&json!("todo_list"), &json!(true)), (&json!("run_shell_command"), &json!(false))]);
    assert_eq!(tools[1]["error"], "denied by policy");
    assert_eq!(of_kind(&odd, EventKind::LineUnparsed).len(), 1);
    let error = odd.error();
    assert_eq!((&error["code"], &error["error"]), (&json!("AGENT_ERROR"), &json!("the model said nothing")));
}
