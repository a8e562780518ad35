//! Many recordings at once, on disks that answer and on disks that do not. A lock on a session's file, held by the test,
//! is to the one who writes what a disk is that hangs.

use std::fs::{self, File};
use std::time::Duration;

use locus_exec::history::{BACKLOG_LIMIT, Recorder, Store};
use tokio::time::timeout;

use super::process::{command, pass};
use super::support::{Observe, Project, recorder};

const PATIENCE: Duration = Duration::from_secs(20);

/// A recorder whose disk hangs until the file is dropped.
async fn on_a_hanging_disk(project: &Project, id: &str) -> (Recorder, File) {
    let mut recorder = recorder(&project.store, id);
    recorder.prompt("r1", "one");
    recorder.sync().await.unwrap();
    let file = File::open(project.file(&format!("{id}.jsonl"))).unwrap();
    file.lock().unwrap();
    (recorder, file)
}

#[tokio::test]
async fn sessions_that_hang_hold_no_other_one() {
    let project = Project::new();
    let mut hanging = Vec::new();
    for number in 0..20 {
        let (mut recorder, disk) = on_a_hanging_disk(&project, &format!("hangs-{number}")).await;
        recorder.prompt("r2", "two");
        hanging.push((recorder, disk));
    }
    let mut quick = recorder(&project.store, "quick");
    quick.prompt("r1", "hi");
    timeout(PATIENCE, quick.sync()).await.expect("it is written").unwrap();
    quick.text("r1", "there");
    quick.end("r1", "there");
    timeout(PATIENCE, quick.close()).await.expect("so is all that follows").unwrap();
    assert_eq!(project.store.read("quick").unwrap().messages[1].content, "there");
    for (recorder, disk) in hanging {
        drop(disk);
        timeout(PATIENCE, recorder.close()).await.expect("they go on, too").unwrap();
    }
    for number in 0..20 {
        let session = project.store.read(&format!("hangs-{number}")).unwrap();
        assert_eq!(session.messages.iter().filter(|message| message.content == "two").count(), 1);
        assert_eq!((session.problems, session.summary.open), (vec![], false));
    }
}

#[tokio::test]
async fn what_is_given_up_is_told_to_all_who_wait_and_the_session_can_be_opened_again() {
    let project = Project::new();
    let (mut recorder, disk) = on_a_hanging_disk(&project, "one").await;
    recorder.text("r1", "in time");
    let first = recorder.sync();
    while !recorder.is_behind() {
        // Some of it may be with the thread that hangs already.
        recorder.text("r1", &"x".repeat(BACKLOG_LIMIT));
    }
    let caught_up = tokio::spawn(recorder.caught_up());
    let second = recorder.sync();
    recorder.give_up(Duration::from_secs(7));
    timeout(PATIENCE, caught_up).await.expect("nobody waits for room").unwrap();
    let error = timeout(PATIENCE, second).await.expect("it is told").unwrap_err();
    assert!(error.report().error.contains("7.0 s"), "{}", error.report().error);
    assert!(recorder.gave_up() && recorder.failure().is_some());
    recorder.prompt("r2", "too late");
    drop(disk);
    assert!(timeout(PATIENCE, first).await.expect("it is told, too").is_err());
    drop(recorder);
    let mut recorder = Recorder::open(&project.store, "one").unwrap();
    recorder.prompt("r3", "again");
    recorder.close().await.unwrap();
    let session = project.store.read("one").unwrap();
    let said: Vec<_> = session.messages.iter().map(|message| message.content.as_str()).collect();
    assert!(said[1].starts_with("in time") && said.contains(&"again") && !said.contains(&"too late"));
}

/// The threads are counted in a process of its own.
#[test]
#[cfg(target_os = "linux")]
fn two_hundred_sessions_share_a_few_threads() {
    let project = Project::new();
    pass(command(&[], project.path(), "record-two-hundred"));
    assert_eq!(project.ids().len(), 200);
}

#[cfg(target_os = "linux")]
pub(crate) fn record_two_hundred(store: &Store) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut recorders: Vec<_> = (0..200).map(|number| recorder(store, &format!("s-{number}"))).collect();
    let mut most = 0;
    for turn in 0..3 {
        let run = format!("r{turn}");
        for recorder in &mut recorders {
            recorder.prompt(&run, "hi");
            recorder.text(&run, "there");
            recorder.end(&run, "there");
        }
        most = most.max(threads());
        for recorder in &recorders {
            runtime.block_on(recorder.sync()).unwrap();
        }
    }
    // The harness has two, and the clock is one.
    assert!(most <= 11, "{most} threads");
    for recorder in recorders {
        runtime.block_on(recorder.close()).unwrap();
    }
}

#[cfg(target_os = "linux")]
fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}
