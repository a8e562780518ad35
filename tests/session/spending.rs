//! What turns use: budgets, prices, and the lines in the ledger.

use std::fs;
use std::path::Path;

use locus_exec::Error;
use locus_exec::event::EventKind;
use locus_exec::run::{Budget, SessionOptions, TurnOptions};
use locus_exec::usage::{CostSource, Ledger, Usage};
use serde_json::{Value, json};

use crate::recording::recorded;
use crate::support::{Event, Host, Turn, set, turn};

/// One message of it costs $0.50 when it begins and $0.525 when it has ended.
const AGENT: &str = "spends-until-it-is-stopped";

fn cost(dollars: f64) -> Budget {
    Budget { cost_usd: Some(dollars), ..Budget::default() }
}

fn session_budget(budget: Budget) -> impl FnOnce(&mut SessionOptions, &Path) {
    move |options, _| options.budget = budget
}

async fn limited(host: &mut Host, prompt: &str, budget: Budget) -> Turn {
    let running = host.begin_with(TurnOptions { budget, ..turn(prompt) });
    host.finish(running).await
}

fn failure(turn: &Turn) -> (Value, Value) {
    let error = turn.the(EventKind::ErrorOccurred);
    (error["code"].clone(), error["error"].clone())
}

fn statuses(turn: &Turn, status: &str) -> Vec<String> {
    let of = turn.events.iter().filter(|event| event.kind == EventKind::StatusChanged).map(Event::data);
    of.filter(|data| data["status"] == status)
        .map(|data| data["detail"]["message"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn a_turn_over_its_budget_is_interrupted_and_says_by_how_much() {
    for (budget, message) in [
        (cost(0.9), "the turn used $1.575 of $0.90, $0.675 over"),
        (
            Budget { tokens: Some(150_000), ..Budget::default() },
            "the turn used 303000 of 150000 tokens, 153000 over",
        ),
        (Budget { turns: Some(1), ..Budget::default() }, "the turn made 3 of 1 model requests, 2 over"),
    ] {
        let mut host = Host::of(AGENT);
        let turn = limited(&mut host, "go on", budget).await;
        assert_eq!(failure(&turn), (json!("BUDGET_EXCEEDED"), json!(message)));
        let completed = turn.the(EventKind::TurnCompleted);
        assert_eq!((&completed["success"], &completed["code"]), (&json!(false), &json!("BUDGET_EXCEEDED")));
        assert_eq!(completed["usage"]["costSource"], "prices");
        let next = limited(&mut host, "briefly", cost(1.0)).await;
        assert!(!next.has(EventKind::ErrorOccurred), "what the last turn used is not this one's");
    }
}

#[tokio::test]
async fn a_turn_that_ends_by_itself_above_its_budget_fails_and_keeps_its_answer() {
    let mut host = Host::of(AGENT);
    let turn = limited(&mut host, "briefly", cost(0.51)).await;
    assert_eq!(failure(&turn).0, "BUDGET_EXCEEDED");
    assert_eq!(turn.the(EventKind::ResponseCompleted)["content"], "The answer.");
}

#[tokio::test]
async fn a_session_over_its_budget_begins_no_turn() {
    let mut host = Host::with(AGENT, session_budget(cost(1.0)));
    let first = host.turn("briefly").await;
    assert!(!first.has(EventKind::ErrorOccurred));
    let second = host.turn("briefly").await;
    assert_eq!(
        failure(&second),
        (json!("BUDGET_EXCEEDED"), json!("the session used $1.05 of $1.00, $0.05 over"))
    );
    let refused = host.refused_turn().await;
    assert!(matches!(refused, Error::BudgetExceeded { .. }), "{refused:?}");
    assert_eq!(refused.to_string(), "the session used $1.05 of $1.00, $0.05 over");
    assert!(host.events.is_empty(), "nothing is told of a turn that did not begin");
}

#[tokio::test]
async fn what_a_conversation_used_before_counts() {
    let host = Host::with(AGENT, |options, _| {
        options.budget = cost(1.0);
        options.spent = Usage { input: 5, cost_usd: Some(1.0), ..Usage::default() };
    });
    assert_eq!(host.refused_turn().await.to_string(), "the session used $1.00 of $1.00");
}

#[tokio::test]
async fn claude_is_started_with_the_limits_that_it_knows() {
    let mut host = Host::with("tells-how-it-was-started", |options, _| {
        options.budget = cost(2.5);
        options.spent = Usage { cost_usd: Some(0.5), ..Usage::default() };
    });
    let answer = limited(&mut host, "hi", Budget { turns: Some(7), ..cost(1.0) }).await.answer();
    assert!(answer.contains("--max-budget-usd=2 --max-turns=7"), "{answer}");
    let same = limited(&mut host, "hi", Budget { turns: Some(7), ..cost(1.0) }).await;
    assert_eq!(same.the(EventKind::TurnStarted)["warm"], true);
    let other = limited(&mut host, "hi", Budget { turns: Some(8), ..cost(1.0) }).await;
    assert_eq!(
        other.the(EventKind::TurnStarted)["warm"],
        false,
        "a process keeps to the limit it was started with"
    );
    assert!(other.answer().contains("--max-turns=8"));
    let mut unlimited = Host::of("tells-how-it-was-started");
    let answer = unlimited.turn("hi").await.answer();
    assert!(!answer.contains("--max-"), "{answer}");
}

#[tokio::test]
async fn a_limit_in_dollars_that_cannot_be_kept_is_told_once() {
    let mut host = Host::with(AGENT, |options, _| set(options, "MODEL", "made-up"));
    let turn = limited(&mut host, "briefly", cost(0.01)).await;
    let told = statuses(&turn, "cost_unknown");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("made-up") && told[0].contains(".locus/prices.json"), "{}", told[0]);
    let usage = &turn.the(EventKind::TurnCompleted)["usage"];
    assert_eq!(
        (&usage["costUsd"], &usage["costSource"]),
        (&Value::Null, &Value::Null),
        "unknown is not nothing"
    );
}

#[tokio::test]
async fn a_turn_that_crashes_keeps_what_was_told_before() {
    let mut host = Host::with(AGENT, recorded);
    let turn = host.turn("and die").await;
    let completed = turn.the(EventKind::TurnCompleted);
    let usage = &completed["usage"];
    assert_eq!(
        (&usage["input"], &usage["output"], &usage["requests"]),
        (&json!(200_000), &json!(1000), &json!(2))
    );
    assert_eq!((&usage["costUsd"], &usage["costSource"]), (&json!(1.025), &json!("prices")));
    let entry = entries(&host).pop().unwrap();
    assert_eq!((entry.success, entry.code.as_deref()), (false, Some("KILLED_BY_SIGNAL")));
    assert_eq!(entry.usage.cost_usd, Some(1.025));
}

fn entries(host: &Host) -> Vec<locus_exec::usage::Entry> {
    let reading = Ledger::of_project(host.folder.path(), None).read(0).unwrap();
    assert_eq!(reading.problems, []);
    reading.entries
}

#[tokio::test]
async fn every_turn_leaves_a_line_with_its_models() {
    let mut host = Host::with(AGENT, |options, folder| {
        recorded(options, folder);
        options.agent.model = Some("opus".to_owned());
    });
    let running = host.begin("with subagents");
    host.events.until(EventKind::TurnCompleted).await;
    let [entry] = &entries(&host)[..] else { panic!("there is one line when the end is told") };
    assert!(running.await.unwrap().is_ok());
    assert_eq!((entry.session.as_str(), entry.run.as_str()), ("one", "run-1"));
    assert_eq!((entry.provider.as_str(), entry.model.as_deref()), ("claude", Some("opus")));
    assert_eq!((entry.success, &entry.code, entry.attempts), (true, &None, 1));
    assert_eq!((entry.usage.cost_usd, entry.usage.cost_source), (Some(0.75), Some(CostSource::Agent)));
    let models: Vec<_> = entry
        .usage
        .models
        .iter()
        .map(|(model, usage)| (model.as_str(), usage.tokens(), usage.cost_usd))
        .collect();
    assert_eq!(models, [("claude-opus-5", 101_000, Some(0.525)), ("made-up", 100, Some(0.225))]);
    host.turn("briefly").await;
    assert_eq!(entries(&host).len(), 2);
}

#[tokio::test]
async fn a_session_that_is_not_kept_leaves_nothing() {
    let mut host = Host::of(AGENT);
    host.turn("briefly").await;
    assert!(!host.folder.path().join(".locus").exists());
}

#[tokio::test]
async fn a_ledger_that_cannot_be_written_does_not_fail_the_turn() {
    let mut host = Host::with(AGENT, recorded);
    fs::create_dir_all(host.folder.path().join(".locus")).unwrap();
    fs::write(host.folder.path().join(".locus/usage"), "in the way").unwrap();
    let turn = host.turn("briefly").await;
    assert_eq!(turn.the(EventKind::TurnCompleted)["success"], true);
    let told = statuses(&turn, "not_saved");
    assert!(told.len() == 1 && told[0].contains("usage"), "{told:?}");
}

#[tokio::test]
async fn prices_of_the_project_are_used_and_bad_ones_are_told() {
    let mut host = Host::with(AGENT, |options, _| set(options, "MODEL", "made-up"));
    let prices = host.folder.path().join(".locus/prices.json");
    fs::create_dir_all(prices.parent().unwrap()).unwrap();
    fs::write(&prices, r#"{"schema":1,"models":{"made-up":{"input":"ten"}}}"#).unwrap();
    let (code, message) = failure(&host.turn("briefly").await);
    assert_eq!(code, "INVALID_INPUT");
    let message = message.as_str().unwrap();
    assert!(message.contains("prices.json") && message.contains("models.\"made-up\".input"), "{message}");
    fs::write(&prices, r#"{"schema":1,"models":{"made-up":{"input":10,"output":100}}}"#).unwrap();
    let usage = &host.turn("briefly").await.the(EventKind::TurnCompleted)["usage"];
    assert_eq!(usage["costUsd"], 1.1);
}
