//! Sessions that are written down.

use std::path::Path;
use std::sync::Arc;

use locus_exec::event::EventKind;
use locus_exec::history::{Redactor, Store};
use locus_exec::run::{RecordOptions, SessionOptions};

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
