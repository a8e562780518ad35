//! Turns that go well.

use locus_exec::Error;
use locus_exec::event::EventKind;
use serde_json::Value;

use crate::support::{Event, Host, Turn, manifest_folder, set, turn};

#[tokio::test]
async fn a_turn_is_told_in_order_from_the_prompt_to_its_completion() {
    let mut host = Host::of("uses-a-tool");
    let turn = host.turn("what is here?").await;
    let lines: Vec<String> = turn.events.iter().map(Event::line).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    1 session:started {"projectPath":"…","provider":"claude"}
    2 prompt:submitted {"prompt":"what is here?"}
    3 turn:started {"runId":"run-1","turn":1,"warm":false}
    4 status:changed {"status":"starting","type":"status"}
    5 status:changed {"detail":{"model":"fake-1","permissionMode":"default"},"status":"initialized","type":"status"}
    6 status:changed {"status":"requesting","type":"status"}
    7 usage:updated {"cacheRead":7,"cacheWrite":3,"input":20,"models":{"fake-1":{"cacheRead":7,"cacheWrite":3,"input":20,"output":1,"requests":1}},"output":1,"requests":1,"type":"usage"}
    8 status:changed {"detail":{"tokens":31},"status":"context","type":"status"}
    9 thinking:started {}
    10 thinking:delta []
    11 thinking:delta ["Let me look."]
    12 thinking:stopped {}
    13 text:delta ["I will "]
    14 text:delta ["look."]
    15 tool:requested {"id":"toolu_1","tool":"Bash","type":"tool_use"}
    16 tool:started {"id":"toolu_1","parameters":{"command":"ls"},"tool":"Bash","type":"tool_parameters"}
    17 usage:updated {"cacheRead":7,"cacheWrite":3,"input":20,"models":{"fake-1":{"cacheRead":7,"cacheWrite":3,"input":20,"output":15,"requests":1}},"output":15,"requests":1,"type":"usage"}
    18 tool:completed {"data":{"stdout":"README.md"},"duration":"…","id":"toolu_1","success":true,"tool":"Bash","type":"tool_result"}
    19 text:delta ["There is a README."]
    20 status:changed {"detail":{"tokens":45},"status":"context","type":"status"}
    21 usage:updated {"cacheRead":14,"cacheWrite":6,"costSource":"agent","costUsd":0.002,"input":40,"models":{"fake-1":{"cacheRead":14,"cacheWrite":6,"input":40,"output":30}},"output":30,"requests":1,"type":"usage"}
    22 response:completed {"agentSessionId":"conversation-1","content":"There is a README.","durationMs":"…","stopReason":"end_turn","success":true,"turns":2,"type":"result","usage":{"cacheRead":14,"cacheWrite":6,"costSource":"agent","costUsd":0.002,"input":40,"models":{"fake-1":{"cacheRead":14,"cacheWrite":6,"input":40,"output":30}},"output":30,"requests":1}}
    23 turn:completed {"durationMs":"…","runId":"run-1","success":true,"toolsUsed":["Bash"],"usage":{"cacheRead":14,"cacheWrite":6,"costSource":"agent","costUsd":0.002,"input":40,"models":{"fake-1":{"cacheRead":14,"cacheWrite":6,"input":40,"output":30}},"output":30,"requests":1}}
    "#);
}

#[tokio::test]
async fn what_a_real_claude_printed_is_told_as_it_was() {
    let recording = manifest_folder().join("fixtures/transcripts/claude/two-tools/both-ways.jsonl");
    let mut host = Host::with("replays-a-recording", |options, _| set(options, "RECORDING", &recording));
    let turn = host.turn("please TWOTOOLS").await;
    assert_eq!(turn.answer(), "That is what came of it.");
    assert_eq!(turn.text(), "Hello from the stand-in model.That is what came of it.");
    let of_tools = |name: &&str| name.starts_with("tool:");
    assert_eq!(
        turn.kinds().into_iter().filter(of_tools).collect::<Vec<_>>(),
        [
            "tool:requested",
            "tool:started",
            "tool:requested",
            "tool:started",
            "tool:completed",
            "tool:completed"
        ]
    );
    let completed = turn.the(EventKind::TurnCompleted);
    assert_eq!(completed["toolsUsed"], serde_json::json!(["Bash"]));
    assert_eq!(completed["usage"]["input"], 50);
    assert_eq!(completed["usage"]["costUsd"], 0.000_832_8);
}

#[tokio::test]
async fn the_second_turn_uses_the_process_of_the_first() {
    let mut host = Host::of("answers-with-its-pid");
    let first = host.turn("one").await;
    let second = host.turn("two").await;
    assert_eq!(first.answer(), second.answer());
    assert_eq!([first.was_warm(), second.was_warm()], [false, true]);
    let number = |turn: &Turn| turn.the(EventKind::TurnStarted)["turn"].clone();
    assert_eq!([number(&first), number(&second)], [Value::from(1), Value::from(2)]);
    assert!(first.has(EventKind::SessionStarted) && !second.has(EventKind::SessionStarted));
}

#[tokio::test]
async fn a_second_turn_is_refused_while_one_runs() {
    let mut host = Host::of("stops-when-interrupted");
    let running = host.begin("go on for ever");
    host.events.until(EventKind::TextDelta).await;
    assert!(matches!(host.refused_turn().await, Error::SessionBusy));
    assert!(!running.is_finished(), "the first turn goes on");
    assert!(host.events.is_empty(), "a turn that is refused leaves no trace");
    host.cancel().await;
    host.finish(running).await;
    assert_eq!(host.turn("how often?").await.answer().split(' ').next(), Some("1"));
}

#[tokio::test]
async fn an_empty_prompt_is_refused() {
    let mut host = Host::of("answers-with-its-pid");
    let refused = host.session.run_turn(turn(" \n")).await;
    assert!(matches!(refused, Err(Error::InvalidInput(_))), "{refused:?}");
    assert!(host.events.is_empty());
    host.turn("hi").await.answer();
}

#[tokio::test]
async fn bytes_that_come_one_by_one_are_the_same_text() {
    let mut host = Host::of("one-byte-writes");
    let turn = host.turn("hi").await;
    assert_eq!(turn.text(), "naïve 日本語 🦀");
    assert_eq!(turn.answer(), "naïve 日本語 🦀");
    assert!(!turn.has(EventKind::LineUnparsed), "{:?}", turn.events);
}

#[tokio::test]
async fn a_result_without_a_newline_at_the_end_of_stdout_counts() {
    let turn = Host::of("result-without-a-newline").turn("hi").await;
    assert_eq!(turn.answer(), "whole all the same");
}

#[tokio::test]
async fn a_result_stands_whatever_the_process_exits_with_afterwards() {
    let mut host = Host::of("exits-non-zero-after-the-result");
    let turn = host.turn("hi").await;
    assert_eq!(turn.answer(), "done");
    host.end().await;
    let rest = host.events.until(EventKind::SessionEnded).await;
    assert_eq!(rest.kinds(), ["session:ended"], "the exit is told nobody");
}

#[tokio::test]
async fn a_request_of_the_agent_that_no_host_knows_is_answered_with_an_error() {
    let mut host = Host::of("asks-what-no-host-knows");
    let answer = host.turn("hi").await.answer();
    assert!(answer.contains("'subtype':'error','request_id':'q1'"), "{answer}");
    assert!(answer.contains("mcp_message"), "{answer}");
}

#[tokio::test]
async fn a_prompt_arrives_as_it_was_written() {
    let prompt = "--help me \"quote\" \\ a\nsecond line,\ttab, \u{2028}, \u{7f}, naïve, 日本語, 🦀";
    assert_eq!(Host::of("repeats-its-prompt").turn(prompt).await.answer(), prompt);
}

#[tokio::test]
async fn a_line_above_the_limit_is_skipped_and_the_turn_goes_on() {
    let turn = Host::of("prints-a-line-of-17-mb").turn("hi").await;
    assert_eq!(turn.answer(), "after it");
    let unparsed = turn.the(EventKind::LineUnparsed);
    let reason = unparsed["reason"].as_str().unwrap();
    assert!(reason.contains("17000000 bytes"), "{reason}");
    let kept = unparsed["line"].as_str().unwrap();
    assert!(kept.len() <= 2000 && kept.starts_with("xxx"), "{} bytes of it are kept", kept.len());
}

#[tokio::test]
async fn the_end_of_a_turn_that_nobody_prompted_does_not_end_ours() {
    let turn = Host::of("finishes-a-turn-of-its-own-first").turn("hi").await;
    assert_eq!(turn.answer(), "ours");
    assert_eq!(turn.text(), "ours");
    let background = |event: &&Event| {
        event.kind == EventKind::StatusChanged && event.data()["status"] == "background_turn"
    };
    assert_eq!(turn.events.iter().filter(background).count(), 2);
}

#[tokio::test]
async fn what_is_gathered_is_neither_lost_nor_reordered() {
    let mut host = Host::with("streams-lines", |options, _| {
        set(options, "COUNT", "1000");
        options.flush_window = Some(std::time::Duration::from_millis(16));
    });
    let turn = host.turn("count").await;
    assert_eq!(turn.answer(), "1000");
    assert!(turn.text().ends_with(" 999 1000 "), "{}", turn.text());
}
