//! Who may use a tool, and who is asked.

use locus_exec::agent::Decision;
use locus_exec::event::EventKind;
use locus_exec::run::SessionOptions;
use serde_json::{Value, json};

use crate::support::{Host, Outbox, Turn, patiently, set};

/// The tool's input as the agent asks for it, as the agents here write it.
const ASKED: &str = "'updatedInput':{'command':'ls -l'}";

/// How the only question of a turn was resolved.
fn resolved(turn: &Turn) -> (Value, Value) {
    let resolved = turn.the(EventKind::PermissionResolved);
    assert_eq!((&resolved["id"], &resolved["tool"]), (&json!("question-1"), &json!("Bash")));
    (resolved["behavior"].clone(), resolved["decidedBy"].clone())
}

/// A turn in which an agent asks and nobody is there; what it was told is its answer.
async fn unattended(change: impl FnOnce(&mut SessionOptions)) -> Turn {
    let turn = Host::with("asks-for-permission", |options, _| change(options)).turn("hi").await;
    assert!(!turn.has(EventKind::PermissionRequested), "nobody is asked: {:?}", turn.events);
    turn
}

async fn respond(host: &Host, decision: Decision) -> bool {
    patiently("an answer", host.session.respond("question-1".into(), decision)).await.unwrap()
}

#[tokio::test]
async fn a_tool_that_the_policy_allows_is_allowed_with_the_input_as_it_is() {
    for change in [
        |options: &mut SessionOptions| options.agent.permissions.allowed = vec!["Bash".into()],
        |options: &mut SessionOptions| options.agent.permissions.allow_all = true,
    ] {
        let turn = unattended(change).await;
        assert_eq!(resolved(&turn), (json!("allow"), json!("policy")));
        let told = turn.answer();
        assert!(told.contains("'request_id':'question-1'"), "{told}");
        assert!(told.contains("'behavior':'allow'") && told.contains(ASKED), "{told}");
    }
}

#[tokio::test]
async fn a_tool_that_the_policy_denies_is_denied_with_the_reason() {
    let turn = unattended(|options| {
        options.agent.permissions.allow_all = true;
        options.agent.permissions.denied = vec!["Bash".into()];
    })
    .await;
    assert_eq!(resolved(&turn), (json!("deny"), json!("policy")));
    assert_eq!(
        turn.the(EventKind::PermissionResolved)["message"],
        "Bash is denied by the user's settings".to_owned()
    );
    // The apostrophe of the reason is doubled by nobody: the agent turned double quotes into single ones.
    let told = turn.answer();
    assert!(
        told.contains("'behavior':'deny'") && told.contains("Bash is denied by the user's settings"),
        "{told}"
    );
}

#[tokio::test]
async fn where_nobody_can_be_asked_the_answer_is_no() {
    let turn = unattended(|_| {}).await;
    assert_eq!(resolved(&turn), (json!("deny"), json!("default")));
    let told = turn.answer();
    assert!(told.contains("nobody is there to be asked"), "{told}");
}

#[tokio::test]
async fn the_user_is_asked_and_may_allow_another_input() {
    let mut host = Host::of("asks-for-permission");
    let running = host.begin_attended("hi");
    let asked = host.events.until(EventKind::PermissionRequested).await.the(EventKind::PermissionRequested);
    assert_eq!(
        asked,
        json!({
            "type": "permission_request",
            "id": "question-1",
            "tool": "Bash",
            "parameters": { "command": "ls -l" },
            "toolUseId": "toolu_1",
            "suggestions": [{ "type": "setMode", "mode": "acceptEdits" }],
        })
    );
    let decision = Decision::Allow { updated_input: Some(r#"{"command":"ls"}"#.into()) };
    assert!(respond(&host, decision.clone()).await, "the question is known");
    assert!(!respond(&host, decision).await, "it is answered once");
    let turn = host.finish(running).await;
    assert_eq!(resolved(&turn), (json!("allow"), json!("user")));
    let told = turn.answer();
    assert!(told.contains("'behavior':'allow','updatedInput':{'command':'ls'}"), "{told}");
}

#[tokio::test]
async fn the_user_may_deny_and_the_agent_is_told_why() {
    let mut host = Host::of("asks-for-permission");
    let running = host.begin_attended("hi");
    host.events.until(EventKind::PermissionRequested).await;
    assert!(respond(&host, Decision::Deny { message: "not on a Friday".into() }).await);
    let turn = host.finish(running).await;
    assert_eq!(resolved(&turn), (json!("deny"), json!("user")));
    assert_eq!(turn.the(EventKind::PermissionResolved)["message"], "not on a Friday");
    let told = turn.answer();
    assert!(told.contains("'behavior':'deny','message':'not on a Friday'"), "{told}");
}

#[tokio::test]
async fn who_can_be_asked_is_known_turn_by_turn() {
    let mut host = Host::of("asks-for-permission");
    let running = host.begin_attended("hi");
    host.events.until(EventKind::PermissionRequested).await;
    assert!(respond(&host, Decision::Deny { message: "no".into() }).await);
    host.finish(running).await;
    let turn = host.turn("hi").await;
    assert!(turn.was_warm() && !turn.has(EventKind::PermissionRequested));
    assert_eq!(resolved(&turn), (json!("deny"), json!("default")));
}

#[tokio::test]
async fn a_question_that_the_agent_takes_back_can_no_longer_be_answered() {
    let mut go = None;
    let mut host = Host::with("withdraws-its-question", |options, folder| {
        let fifo = Outbox::new(folder, "go");
        set(options, "GO", &fifo.path);
        go = Some(fifo);
    });
    let running = host.begin_attended("hi");
    let part = host.events.until(EventKind::PermissionResolved).await;
    assert!(part.has(EventKind::PermissionRequested));
    assert_eq!(resolved(&part), (json!("withdrawn"), json!("agent")));
    assert!(!respond(&host, Decision::Allow { updated_input: None }).await);
    go.unwrap().say("go");
    let turn = host.finish(running).await;
    assert_eq!(turn.answer(), "never mind");
    assert!(!turn.has(EventKind::PermissionResolved), "it is resolved once");
}

#[tokio::test]
async fn a_question_that_is_open_when_the_turn_ends_is_resolved_before_it() {
    let mut host = Host::of("ends-the-turn-with-a-question-open");
    let running = host.begin_attended("hi");
    let turn = host.finish(running).await;
    assert_eq!(resolved(&turn), (json!("withdrawn"), json!("agent")));
    assert!(!respond(&host, Decision::Allow { updated_input: None }).await);
}

#[tokio::test]
async fn a_question_outside_of_a_turn_is_denied() {
    let mut host = Host::of("asks-after-the-turn");
    let running = host.begin_attended("hi");
    host.finish(running).await;
    let between = host.events.until(EventKind::PermissionResolved).await;
    assert_eq!(between.kinds(), ["permission:resolved"], "nobody is asked");
    assert_eq!(resolved(&between), (json!("deny"), json!("default")));
    let told = host.turn("and now?").await.answer();
    assert!(told.contains("no turn is running"), "{told}");
}
