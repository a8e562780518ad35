//! Sessions that are written down.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use locus_exec::event::EventKind;
use locus_exec::history::{BACKLOG_LIMIT, Redactor, State, Store};
use locus_exec::run::{RecordOptions, SessionOptions};

use serde_json::json;

use crate::flow::Flood;
use crate::support::Host;

fn store_of(project: &Path) -> Store {
    Store::of_project(project, None, Redactor::default())
}

/// Has the session written down as `one`.
pub(crate) fn recorded(options: &mut SessionOptions, folder: &Path) {
    let store = Arc::new(store_of(folder));
    options.record = Some(RecordOptions { store, session_id: "one".to_owned(), stored: false });
}

#[tokio::test]
async fn the_end_of_a_turn_is_written_down_before_it_is_told() {
    let mut host = Host::with("answers-with-its-pid", recorded);
    let running = host.begin("hi");
    host.events.until(EventKind::TurnCompleted).await;
    let stored = store_of(host.folder.path()).read("one").unwrap();
    assert_eq!(stored.messages.len(), 2);
    assert!(!stored.summary.interrupted);
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_a_consumer_that_does_not_consume_is_not_told_is_written_down() {
    let mut flood = Flood::with(recorded);
    let running = flood.host.begin("go on for ever");
    flood.until_stopped().await;
    flood.host.cancel().await;
    let told = flood.host.finish(running).await.text();
    let stored = store_of(flood.host.folder.path()).read("one").unwrap();
    let written = &stored.messages[1].content;
    assert!(written.starts_with(&told), "what was told is written down, in order");
    assert!(written.len() > told.len(), "so is what was not: {} and {}", told.len(), written.len());
    let numbers = written.lines().map(|line| line.split(' ').next().unwrap().parse::<usize>());
    assert!(numbers.enumerate().all(|(index, number)| number == Ok(index + 1)), "without a gap");
}

#[tokio::test]
async fn a_session_that_could_not_be_written_for_too_long_is_opened_again_for_the_next_turn() {
    for lost in [false, true] {
        let mut host = Host::with("answers-with-its-pid", recorded);
        let store = store_of(host.folder.path());
        let file = store.folder().path().join("one.jsonl");
        host.turn("one").await;
        let written = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        let error = host.turn(&"x".repeat(BACKLOG_LIMIT + 1)).await.error();
        assert_eq!(error["code"], "HISTORY", "the agent never hears of it");
        let context = Some(json!({ "artifacts": [1] }));
        host.session.note(State { context, ..State::default() }).unwrap();
        assert_eq!(host.turn("three").await.error()["code"], "HISTORY", "it cannot be opened either");

        fs::remove_dir(&file).unwrap();
        if !lost {
            fs::write(&file, &written).unwrap();
        }
        let pid = host.turn("four").await.answer();
        let stored = store.read("one").unwrap();
        let said: Vec<_> = stored.messages.iter().map(|message| message.content.as_str()).collect();
        assert_eq!(said, if lost { vec!["four", &pid] } else { vec!["one", &pid, "four", &pid] });
        assert_eq!(stored.context.unwrap().get(), r#"{"artifacts":[1]}"#, "what was noted meanwhile");
        assert!(stored.summary.open && !stored.summary.interrupted);
        assert_eq!(stored.agent_sessions["claude"], "conversation-1");
        assert_eq!(stored.problems, []);
    }
}
