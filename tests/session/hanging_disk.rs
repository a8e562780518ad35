//! Disks that hang. A lock on the session's file, held by the test, is to the one who writes what a network file system
//! without its server is: a system call that does not return.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant};

use locus_exec::event::EventKind;
use locus_exec::history::{BACKLOG_LIMIT, Redactor, State, Store};
use locus_exec::run::{CancelTimes, DiskTimes, SessionOptions};
use serde_json::json;

use crate::recording::recorded;
use crate::support::{Event, Host, Inbox, Turn, exists, patiently, set};

/// Longer than any test takes.
const NEVER: Duration = Duration::from_secs(600);

/// As good as at once.
const SOON: Duration = Duration::from_millis(300);

fn on_a_disk(patience: Duration, hurry: Duration) -> impl FnOnce(&mut SessionOptions, &Path) {
    move |options, folder| {
        recorded(options, folder);
        options.disk = DiskTimes { patience, hurry };
    }
}

fn store(host: &Host) -> Store {
    Store::of_project(host.folder.path(), None, Redactor::default())
}

/// Makes the disk of a session hang until this is dropped: whatever is written to this file of it waits.
fn hang(host: &Host, name: &str) -> File {
    let file = File::open(store(host).folder().path().join(name)).unwrap();
    file.lock().unwrap();
    file
}

fn said(host: &Host) -> Vec<String> {
    store(host).read("one").unwrap().messages.into_iter().map(|message| message.content).collect()
}

fn not_saved(turn: &Turn) -> Vec<String> {
    let statuses = turn.events.iter().filter(|event| event.kind == EventKind::StatusChanged).map(Event::data);
    let told = statuses.filter(|data| data["status"] == "not_saved");
    told.map(|data| data["detail"]["message"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_prompt_that_cannot_be_saved_is_refused_in_time_and_the_session_goes_on_when_the_disk_does() {
    let mut host = Host::with("answers-with-its-pid", on_a_disk(SOON, NEVER));
    let pid = host.turn("one").await.answer();
    let disk = hang(&host, "one.jsonl");
    for prompt in ["two", "three"] {
        let turn = host.turn(prompt).await;
        let error = turn.error();
        assert_eq!(error["code"], "HISTORY");
        let message = error["error"].as_str().unwrap();
        assert!(message.contains("one.jsonl") && message.contains("has not answered"), "{message}");
        assert!(not_saved(&turn)[0].contains("has not answered"), "{:?}", not_saved(&turn));
    }
    drop(disk);
    assert_eq!(host.turn("four").await.answer(), pid, "the agent was not given what was refused");
    assert_eq!(said(&host), ["one", &pid, "two", "", "three", "", "four", &pid], "nothing of it is lost");
}

#[tokio::test]
async fn a_turn_that_waits_for_the_disk_is_cancelled_at_once() {
    let mut host = Host::with("answers-with-its-pid", on_a_disk(NEVER, Duration::ZERO));
    host.turn("one").await;
    let disk = hang(&host, "one.jsonl");
    let running = host.begin("two");
    host.events.until(EventKind::TurnStarted).await;
    host.cancel().await;
    let turn = host.finish(running).await;
    assert_eq!(turn.error()["code"], "CANCELLED");
    // Without any patience the ledger, whose disk works, may not have answered either.
    let of_the_session = not_saved(&turn).into_iter().filter(|message| message.contains("one.jsonl"));
    assert_eq!(of_the_session.count(), 1);
    drop(disk);
}

/// Whatever the disk does, nothing of a hostile tree is left.
#[tokio::test]
async fn cancelling_ends_the_tree_and_the_turn_while_the_disk_hangs() {
    let mut tree = None;
    let mut host = Host::with("hostile-tree", |options, folder| {
        on_a_disk(NEVER, SOON)(options, folder);
        options.cancel = CancelTimes { settle: SOON, grace: SOON };
        let fifo = Inbox::new(folder, "tree");
        set(options, "TREE", &fifo.path);
        tree = Some(fifo);
    });
    let mut tree = tree.unwrap();
    let running = host.begin("plant it");
    let mut pids = Vec::new();
    for _ in 0..4 {
        pids.push(tree.hear().await.split_once(' ').unwrap().1.to_owned());
    }
    host.events.until(EventKind::TextDelta).await;
    let disk = hang(&host, "one.jsonl");
    let began = Instant::now();
    host.cancel().await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(pids.iter().filter(|pid| exists(pid)).count(), 0, "nothing of the tree is left");
    let turn = host.finish(running).await;
    assert_eq!(turn.error()["code"], "CANCELLED");
    assert_eq!(not_saved(&turn).len(), 1, "that its end is not saved is told");
    host.end().await;
    drop(disk);
    assert_eq!(said(&host)[0], "plant it");
}

#[tokio::test]
async fn ending_a_session_ends_its_agent_while_the_disk_hangs() {
    let mut host = Host::with("answers-with-its-pid", on_a_disk(NEVER, SOON));
    let pid = host.turn("one").await.answer();
    let disk = hang(&host, "one.jsonl");
    let running = host.begin("two");
    host.events.until(EventKind::TurnStarted).await;
    host.end().await;
    assert!(!exists(&pid));
    let turn = host.events.until(EventKind::SessionEnded).await;
    assert_eq!(turn.error()["code"], "CANCELLED");
    patiently("the turn", running).await.unwrap().unwrap();
    drop(disk);
}

#[tokio::test]
async fn a_session_that_cannot_be_opened_is_told_in_time_and_opened_once() {
    let mut host = Host::with("answers-with-its-pid", on_a_disk(SOON, NEVER));
    let folder = store(&host).folder().path().to_owned();
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("one.open"), "").unwrap();
    let disk = hang(&host, "one.open");
    for _ in 0..3 {
        let error = host.turn("not now").await.error();
        assert_eq!(error["code"], "HISTORY");
        assert!(error["error"].as_str().unwrap().contains("has not answered"), "{error}");
    }
    drop(disk);
    let pid = host.turn("now").await.answer();
    assert_eq!(said(&host), ["now", &pid], "what was refused was never a part of it");
}

#[tokio::test]
async fn saving_while_the_disk_hangs_holds_nobody() {
    let mut host = Host::with("answers-with-its-pid", on_a_disk(SOON, SOON));
    host.turn("one").await;
    let disk = hang(&host, "one.jsonl");
    host.session.note(State { context: Some(json!({ "a": 1 })), ..State::default() }).unwrap();
    let (session, saving) = (host.session.clone(), host.session.clone());
    let saving = tokio::spawn(async move { saving.save().await });
    patiently("a cancellation", session.cancel()).await;
    let error = patiently("an answer", saving).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("one.jsonl"), "{error}");
    drop(disk);
    host.session.save().await.unwrap();
    assert_eq!(store(&host).read("one").unwrap().context.unwrap().get(), r#"{"a":1}"#);
}

/// The agent waits for the disk for a while, as it does for a consumer; then the turn goes on without being written down.
#[tokio::test]
async fn what_waits_for_a_disk_that_hangs_does_not_grow_without_bound() {
    const PIECES: usize = 4000;
    let mut host = Host::with("streams-wide-lines", |options, folder| {
        on_a_disk(SOON, SOON)(options, folder);
        set(options, "COUNT", PIECES.to_string());
        set(options, "WIDTH", (4 * BACKLOG_LIMIT / PIECES).to_string());
    });
    let running = host.begin("go on");
    let begun = host.events.until(EventKind::TextDelta).await;
    let disk = hang(&host, "one.jsonl");
    let turn = host.finish(running).await;
    assert_eq!(turn.answer(), PIECES.to_string(), "it comes to its end");
    assert_eq!(not_saved(&turn).len(), 1);
    let all = begun.text() + &turn.text();
    assert!(all.len() > 4 * BACKLOG_LIMIT);
    drop(disk);
    // Its agent answers once.
    host.turn("nothing more").await;
    let said = said(&host);
    assert!(said[1].len() < 2 * BACKLOG_LIMIT, "{} bytes waited", said[1].len());
    assert!(all.starts_with(&said[1]), "what is written down is the beginning");
    assert_eq!(said[2], "nothing more", "the next turn is written down again");
}
