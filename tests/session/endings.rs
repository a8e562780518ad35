//! Agents that end without a result.

use std::time::Duration;

use locus_exec::event::EventKind;
use serde_json::{Value, json};

use crate::support::{Host, Inbox, Outbox, Turn, set};

/// What an error says of the end of the process.
fn end_of_process(turn: &Turn) -> (Value, Value, Value, Value) {
    let mut error = turn.error();
    let mut take = |key: &str| error[key].take();
    (take("code"), take("exitCode"), take("signal"), take("stderrTail"))
}

#[tokio::test]
async fn an_exit_before_init_is_told_with_code_and_stderr() {
    let turn = Host::of("exits-before-init").turn("hi").await;
    let stderr = json!("settings.json: unexpected end of file");
    assert_eq!(end_of_process(&turn), (json!("EXITED_BEFORE_INIT"), json!(3), Value::Null, stderr));
    assert_eq!(turn.error()["error"], "claude ended before it was ready (exit code 3)");
    assert_eq!(turn.error()["retryable"], false);
}

#[tokio::test]
async fn an_exit_with_code_0_but_without_a_result_is_no_success() {
    let turn = Host::of("exits-without-result").turn("hi").await;
    assert_eq!(end_of_process(&turn), (json!("NO_RESULT"), json!(0), Value::Null, json!("gave up quietly")));
    assert_eq!(turn.text(), "I am about to ", "what was said is kept");
    assert_eq!(turn.error()["retryable"], true);
}

#[tokio::test]
async fn a_crash_in_the_middle_of_a_tool_ends_the_tool_and_the_turn() {
    let turn = Host::of("exits-non-zero-mid-turn").turn("hi").await;
    let stderr = json!("TypeError: undefined is not a function");
    assert_eq!(end_of_process(&turn), (json!("PROCESS_CRASHED"), json!(7), Value::Null, stderr));
    let tool = turn.the(EventKind::ToolFailed);
    assert_eq!((&tool["id"], &tool["tool"]), (&json!("toolu_1"), &json!("Bash")));
    let failed = turn.kinds().iter().position(|kind| *kind == "tool:failed");
    let error = turn.kinds().iter().position(|kind| *kind == "error:occurred");
    assert!(failed < error, "the tool ends before the turn does: {:?}", turn.kinds());
}

#[tokio::test]
async fn a_signal_is_told_by_its_name() {
    let turn = Host::of("kills-itself").turn("hi").await;
    assert_eq!(
        end_of_process(&turn),
        (json!("KILLED_BY_SIGNAL"), Value::Null, json!("SIGKILL"), json!("out of memory"))
    );
    assert_eq!(turn.text(), "then ");
}

#[tokio::test]
async fn a_program_that_is_no_agent_is_told_with_what_it_printed() {
    let turn = Host::of("prints-garbage").turn("hi").await;
    let stderr = json!("no such file: --print");
    assert_eq!(end_of_process(&turn), (json!("PROTOCOL"), json!(0), Value::Null, stderr));
    let message = turn.error()["error"].as_str().unwrap().to_owned();
    assert!(message.contains("2 lines read") && message.contains("Welcome to Frobnicator 3.1"), "{message}");
    assert_eq!(turn.kinds().iter().filter(|kind| **kind == "line:unparsed").count(), 2);
}

#[tokio::test]
async fn blank_lines_do_not_make_a_program_an_agent() {
    let turn = Host::of("prints-garbage-with-blank-lines").turn("hi").await;
    let (code, exit_code, ..) = end_of_process(&turn);
    assert_eq!((code, exit_code), (json!("PROTOCOL"), json!(64)));
}

/// How the only turn of an agent ended, and what came afterwards, up to this.
async fn ending_of(agent: &str, last: EventKind) -> (Value, Value, Vec<&'static str>) {
    let mut host = Host::of(agent);
    let turn = host.turn("hi").await;
    let failure = if turn.has(EventKind::ErrorOccurred) { turn.error()["code"].clone() } else { Value::Null };
    let success = turn.the(EventKind::TurnCompleted)["success"].clone();
    if last == EventKind::SessionEnded {
        host.end().await;
    }
    (success, failure, host.events.until(last).await.kinds())
}

#[tokio::test]
async fn fault_49_five_endings_are_told_apart() {
    let ended = EventKind::SessionEnded;
    let failed = |code: &str| (json!(false), json!(code), vec!["session:ended"]);
    assert_eq!(ending_of("exits-before-init", ended).await, failed("EXITED_BEFORE_INIT"));
    assert_eq!(ending_of("exits-without-result", ended).await, failed("NO_RESULT"));
    assert_eq!(ending_of("kills-itself", ended).await, failed("KILLED_BY_SIGNAL"));
    let succeeded = |afterwards| (json!(true), Value::Null, afterwards);
    let crashed_later = ending_of("exits-non-zero-after-the-result", ended).await;
    assert_eq!(crashed_later, succeeded(vec!["session:ended"]));
    // A session that is ended at once does not hear it.
    let spoke_later = ending_of("speaks-after-its-result", EventKind::StatusChanged).await;
    assert_eq!(spoke_later, succeeded(vec!["text:delta", "status:changed"]));
}

/// A host whose agent waits for the test to let it leave.
fn host_that_lets_leave(agent: &str) -> (Host, Outbox) {
    let mut leave = None;
    let host = Host::with(agent, |options, folder| {
        // Longer than the test: what stays behind is not ended by the session.
        options.cancel.grace = Duration::from_secs(30);
        let fifo = Outbox::new(folder, "leave");
        set(options, "LEAVE", &fifo.path);
        leave = Some(fifo);
    });
    (host, leave.unwrap())
}

#[tokio::test]
async fn a_child_that_holds_stdout_does_not_keep_the_turn() {
    let (mut host, leave) = host_that_lets_leave("leaves-a-child-that-holds-stdout");
    // It ends although the child goes on until it is told to leave, below.
    let turn = host.turn("hi").await;
    assert_eq!(turn.error()["code"], "PROCESS_CRASHED");
    assert_eq!(turn.text(), "the last words");
    leave.say("leave");
}

#[tokio::test]
async fn an_agent_that_closes_stdout_is_waited_for() {
    let (mut host, leave) = host_that_lets_leave("closes-stdout-and-goes-on");
    let running = host.begin("hi");
    assert_eq!(host.events.until(EventKind::TextDelta).await.text(), "the last words");
    host.settle_messages().await;
    assert!(!running.is_finished());
    leave.say("leave");
    let turn = host.finish(running).await;
    assert_eq!((&turn.error()["code"], &turn.error()["exitCode"]), (&json!("PROCESS_CRASHED"), &json!(4)));
}

#[tokio::test]
async fn the_turn_after_a_crash_goes_on_with_the_conversation_in_a_new_process() {
    let mut host = Host::of("dies-unless-resumed");
    assert_eq!(host.turn("hi").await.error()["code"], "PROCESS_CRASHED");
    let turn = host.turn("again").await;
    assert!(!turn.was_warm());
    let answer = turn.answer();
    assert!(answer.ends_with(" --resume=conversation-1"), "{answer}");
}

#[tokio::test]
async fn an_exit_between_turns_is_noticed_and_the_next_turn_gets_a_new_process() {
    let mut noticed = None;
    let mut host = Host::with("exits-after-every-turn", |options, folder| {
        let fifo = Inbox::new(folder, "noticed");
        set(options, "NOTICED", &fifo.path);
        noticed = Some(fifo);
    });
    let first = host.turn("one").await.answer();
    assert_eq!(noticed.as_mut().unwrap().hear().await, "noticed");
    let second = host.turn("two").await;
    assert!(!second.was_warm());
    assert!(second.answer().ends_with(" --resume=conversation-1"), "{:?}", second.answer());
    assert_ne!(first.split_once(' ').unwrap().0, second.answer().split_once(' ').unwrap().0);
}
