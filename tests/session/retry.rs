//! Turns that are tried again.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use locus_exec::event::EventKind;
use locus_exec::run::{AfterChanges, RetryContext, RetryPolicy, Timeouts, TurnOptions};
use serde_json::{Value, json};

use crate::support::{Event, Host, Turn, patiently, set, turn};

/// A session with an agent that takes notes of how it is started and of what it is told.
struct Tried {
    host: Host,
}

impl Tried {
    fn of(agent: &str, variables: &[(&str, &str)]) -> Self {
        let host = Host::with(agent, |options, folder| {
            for name in ["STARTS", "PROMPTS", "CHANGED", "REFUSALS"] {
                set(options, name, folder.join(name));
            }
            for (name, value) in variables {
                set(options, name, *value);
            }
        });
        Self { host }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.host.folder.path().join(name)
    }

    fn lines(&self, name: &str) -> Vec<String> {
        lines(&self.file(name))
    }

    /// The prompts that the agent was given.
    fn prompts(&self) -> Vec<String> {
        let content = |line: &String| {
            let line: Value = serde_json::from_str(line).expect("a prompt is JSON");
            line["message"]["content"].as_str().expect("a text").to_owned()
        };
        self.lines("PROMPTS").iter().map(content).collect()
    }

    async fn turn(&mut self, retry: RetryPolicy) -> Turn {
        let running = self.host.begin_with(TurnOptions { retry, ..turn("hi") });
        self.host.finish(running).await
    }
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(ToOwned::to_owned).collect()
}

/// Three tries, with waits that take no time.
fn quick() -> RetryPolicy {
    RetryPolicy { delay: Duration::from_millis(1), ..RetryPolicy::default() }
}

/// Tries, with waits that nobody has the patience for.
fn patient() -> RetryPolicy {
    let hour = Duration::from_secs(3600);
    RetryPolicy { delay: hour, max_delay: hour, max_total: hour, jitter: false, ..RetryPolicy::default() }
}

/// A session that waits for its second try.
async fn waiting(timeouts: Timeouts) -> (Tried, tokio::task::JoinHandle<locus_exec::Result<()>>) {
    let mut tried = Tried::of("is-refused-by-its-api", &[]);
    fs::write(tried.file("REFUSALS"), "\"api_error_status\":529\n").unwrap();
    let running = tried.host.begin_with(TurnOptions { retry: patient(), timeouts, ..turn("hi") });
    tried.host.events.until(EventKind::RetryScheduled).await;
    (tried, running)
}

/// What is told of the tries: which comes next, after what, and how.
fn retries(turn: &Turn) -> Vec<(Value, Value, Value)> {
    let scheduled = turn.events.iter().filter(|event| event.kind == EventKind::RetryScheduled);
    let told: Vec<Value> = scheduled.map(Event::data).collect();
    let statuses: Vec<Value> = turn
        .events
        .iter()
        .filter(|event| event.kind == EventKind::StatusChanged)
        .map(Event::data)
        .filter(|status| status["status"] == "retrying")
        .collect();
    assert_eq!(statuses.len(), told.len(), "both the listeners and the stream are told");
    told.into_iter()
        .map(|retry| (retry["attempt"].clone(), retry["code"].clone(), retry["how"].clone()))
        .collect()
}

#[tokio::test]
async fn a_crash_in_the_middle_of_an_answer_is_tried_again() {
    let mut tried = Tried::of("crashes-mid-answer-until", &[("UNTIL", "3")]);
    let turn = tried.turn(quick()).await;
    assert_eq!(turn.answer(), "Hello world.");
    assert_eq!(
        retries(&turn),
        [2, 3].map(|attempt| (json!(attempt), json!("KILLED_BY_SIGNAL"), json!("repeat")))
    );
    assert_eq!(tried.lines("STARTS").len(), 3);
    let prompts = tried.prompts();
    assert_eq!(prompts[0], "hi");
    assert!(prompts[1].starts_with("hi\n\n<earlier_attempts>\n"), "{prompts:?}");
    assert!(prompts[2].contains(r#""attempt":2,"code":"KILLED_BY_SIGNAL""#), "{prompts:?}");
    assert_eq!(turn.events.iter().filter(|event| event.kind == EventKind::TurnStarted).count(), 1);
}

#[tokio::test]
async fn the_last_try_fails_with_what_all_failed_of() {
    let mut tried = Tried::of("crashes-mid-answer-until", &[("UNTIL", "9")]);
    let error = tried.turn(quick()).await.error();
    assert_eq!(error["code"], "KILLED_BY_SIGNAL");
    let attempts = error["attempts"].as_array().expect("they are told");
    assert_eq!(attempts.iter().map(|failed| &failed["attempt"]).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(tried.lines("STARTS").len(), 3);
}

#[tokio::test]
async fn a_new_process_does_not_resume_half_a_first_turn() {
    let mut tried = Tried::of("crashes-mid-answer-until", &[("UNTIL", "2")]);
    assert_eq!(tried.turn(quick()).await.answer(), "Hello world.");
    assert!(tried.lines("STARTS").iter().all(|args| !args.contains("--resume")));
}

#[tokio::test]
async fn what_was_changed_is_not_changed_twice() {
    let mut tried = Tried::of("changes-something-then-crashes", &[]);
    let turn = tried.turn(quick()).await;
    assert_eq!(turn.answer(), "It is done.");
    assert_eq!(retries(&turn), [(json!(2), json!("PROCESS_CRASHED"), json!("continue"))]);
    assert_eq!(tried.lines("CHANGED"), ["changed"]);
    let starts = tried.lines("STARTS");
    assert!(starts[1].contains("--resume=conversation-1"), "{starts:?}");
    let told = &tried.prompts()[1];
    assert!(!told.contains("hi\n"), "the request is not repeated: {told}");
    assert!(told.contains(r#""code":"PROCESS_CRASHED""#) && told.contains(r#""lastTool":"Bash""#), "{told}");
}

#[tokio::test]
async fn what_was_changed_is_asked_about_where_that_is_wished() {
    let mut tried = Tried::of("changes-something-then-crashes", &[]);
    let error = tried.turn(RetryPolicy { after_changes: AfterChanges::Ask, ..quick() }).await.error();
    assert_eq!((&error["code"], &error["needsConsent"]), (&json!("PROCESS_CRASHED"), &json!(true)));
    assert_eq!(tried.lines("CHANGED"), ["changed"]);
}

#[tokio::test]
async fn a_failure_that_stays_is_not_tried_again() {
    let mut tried = Tried::of("is-refused-by-its-api", &[]);
    fs::write(tried.file("REFUSALS"), "\"api_error_status\":400\n").unwrap();
    let turn = tried.turn(quick()).await;
    assert_eq!(turn.error()["code"], "API_ERROR");
    assert_eq!(tried.prompts(), ["hi"]);
}

#[tokio::test]
async fn a_refusal_is_tried_again_in_the_same_process_with_the_same_words() {
    let mut tried = Tried::of("is-refused-by-its-api", &[]);
    fs::write(tried.file("REFUSALS"), "\"api_error_status\":529\n\"api_error_status\":500\n").unwrap();
    let turn = tried.turn(quick()).await;
    assert_eq!(turn.answer(), "At last.");
    assert_eq!(tried.prompts(), ["hi", "hi", "hi"]);
}

#[tokio::test]
async fn a_limit_is_waited_for_until_it_is_reset() {
    let mut tried = Tried::of("is-refused-by-its-api", &[]);
    fs::write(tried.file("REFUSALS"), "\"api_error_status\":429\n".repeat(4)).unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let reset = format!(
        r#"{{"type":"rate_limit_event","rate_limit_info":{{"status":"rejected","resetsAt":{}}}}}"#,
        now + 3
    );
    fs::write(tried.file("REFUSALS.events"), reset + "\n").unwrap();
    let error = tried.turn(quick()).await.error();
    assert_eq!(error["code"], "RATE_LIMIT");
    assert_eq!(tried.prompts().len(), 4, "the wait for the reset uses up no try");
}

#[tokio::test]
async fn a_limit_that_is_reset_much_later_is_not_waited_for() {
    let mut tried = Tried::of("is-refused-by-its-api", &[]);
    fs::write(tried.file("REFUSALS"), "\"api_error_status\":429\n").unwrap();
    let event =
        r#"{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":4102444800}}"#;
    fs::write(tried.file("REFUSALS.events"), format!("{event}\n")).unwrap();
    let error = tried.turn(quick()).await.error();
    assert_eq!((&error["code"], &error["resetsAt"]), (&json!("RATE_LIMIT"), &json!(4_102_444_800_000_u64)));
    assert_eq!(tried.prompts(), ["hi"]);
}

#[tokio::test]
async fn a_wait_between_tries_can_be_cancelled() {
    let (mut tried, running) = waiting(Timeouts::default()).await;
    tried.host.cancel().await;
    assert_eq!(tried.host.finish(running).await.error()["code"], "CANCELLED");
    let next = tried.host.turn("again").await;
    assert_eq!(next.answer(), "At last.");
    assert!(next.was_warm(), "the process is still there");
}

#[tokio::test]
async fn a_session_can_end_between_two_tries() {
    let (mut tried, running) = waiting(Timeouts::default()).await;
    tried.host.end().await;
    assert_eq!(tried.host.finish(running).await.error()["code"], "CANCELLED");
}

#[tokio::test]
async fn the_whole_turn_has_one_limit_of_time() {
    let timeouts = Timeouts { total: Duration::from_secs(2), ..Timeouts::default() };
    let (mut tried, running) = waiting(timeouts).await;
    let error = tried.host.finish(running).await.error();
    assert_eq!(error["code"], "TURN_TIMEOUT");
}

#[tokio::test]
async fn what_a_caller_knows_of_earlier_attempts_is_told() {
    let mut tried = Tried::of("is-refused-by-its-api", &[]);
    let context = RetryContext { hypothesis: Some("the port is taken".into()), ..RetryContext::default() };
    let running = tried.host.begin_with(TurnOptions { context, ..turn("hi") });
    assert_eq!(tried.host.finish(running).await.answer(), "At last.");
    assert!(tried.prompts()[0].contains(r#""hypothesis":"the port is taken""#));
}

#[tokio::test]
async fn a_silent_agent_is_stopped_and_tried_again() {
    let mut tried = Tried::of("never-ready", &[]);
    let timeouts = Timeouts { start: Duration::from_millis(200), ..Timeouts::default() };
    let two = RetryPolicy { tries: 2, ..quick() };
    let running = tried.host.begin_with(TurnOptions { retry: two, timeouts, ..turn("hi") });
    let told = patiently("both tries", tried.host.finish(running)).await;
    assert_eq!(told.error()["code"], "START_TIMEOUT");
    assert_eq!(retries(&told), [(json!(2), json!("START_TIMEOUT"), json!("repeat"))]);
}

#[tokio::test]
async fn an_agent_that_says_why_it_leaves_is_believed() {
    let error = Host::of("is-not-logged-in").turn("hi").await.error();
    assert_eq!((&error["code"], &error["exitCode"]), (&json!("AUTH"), &json!(1)));
    assert_eq!(error["stderrTail"], "Invalid API key · Please run /login");
}
