//! Events become records.

#[cfg(target_os = "linux")]
use std::{path::Path, sync::mpsc, time::Duration};

use locus_exec::history::Role;
use locus_exec::stream::{Chunk, json_of};
use serde_json::json;

use super::support::{Observe, Project, recorder, store_of};

#[tokio::test]
async fn a_turn_is_stored_as_it_was_said() {
    let project = Project::new();
    let mut recorder = recorder(&project.store, "one");
    recorder.prompt("r1", "What is in it?");
    recorder.text("r1", "Let me ");
    recorder.text("r1", "look.");
    let parameters = json_of(&json!({ "file_path": "a.txt", "content": "x".repeat(10_000) }));
    recorder.payload(
        "r1",
        Chunk::ToolParameters { tool: "Read".into(), id: "t1".into(), parameters, parent_tool_use_id: None },
    );
    recorder.payload(
        "r1",
        Chunk::TextDelta { content: "a subagent's".into(), parent_tool_use_id: Some("t1".into()) },
    );
    recorder.payload(
        "r1",
        Chunk::ToolResult {
            tool: "Read".into(),
            id: "t1".into(),
            success: false,
            error: Some("no such file".into()),
            duration: 3,
            data: None,
            parent_tool_use_id: None,
        },
    );
    recorder.text("r1", "Nothing.");
    recorder.end("r1", "Nothing.");
    recorder.close().await.unwrap();

    let session = project.store.read("one").unwrap();
    let records: Vec<serde_json::Value> =
        session.records.iter().map(|record| serde_json::from_str(record.get()).unwrap()).collect();
    let mut kinds: Vec<_> = records.iter().map(|record| record["type"].as_str().unwrap()).collect();
    // On a busy machine a text may have waited so long that its beginning was written without the rest.
    kinds.dedup();
    assert_eq!(kinds, ["session", "prompt", "text", "tool_use", "tool_result", "text", "turn"]);
    assert_eq!(session.messages.len(), 2);
    assert_eq!((session.messages[0].role, &*session.messages[0].content), (Role::User, "What is in it?"));
    assert_eq!(session.messages[1].content, "Let me look.\n\nNothing.");
    assert!(!session.summary.interrupted && !session.summary.open);
    assert_eq!(session.summary.cost_usd, Some(0.25));
    assert_eq!(session.agent_sessions["claude"], "agent-1");
    let tool = records.iter().find(|record| record["type"] == "tool_use").unwrap();
    let content = tool["parameters"]["content"].as_str().unwrap();
    assert!(content.len() < 5000 && content.ends_with("more bytes]"), "{content}");
    let turn = records.last().unwrap();
    assert_eq!(turn.get("content"), None, "the text ends with it");
}

#[tokio::test]
async fn an_answer_that_was_never_streamed_is_stored_with_the_turn() {
    let project = Project::new();
    let mut recorder = recorder(&project.store, "one");
    recorder.prompt("r1", "hi");
    recorder.end("r1", "Only in the result.");
    recorder.close().await.unwrap();
    assert_eq!(project.store.read("one").unwrap().messages[1].content, "Only in the result.");
}

/// Says each time that something is written to a file.
#[cfg(target_os = "linux")]
fn changes_of(file: &Path) -> mpsc::Receiver<()> {
    use rustix::fs::inotify;
    let watch = inotify::init(inotify::CreateFlags::CLOEXEC).unwrap();
    inotify::add_watch(&watch, file, inotify::WatchFlags::MODIFY).unwrap();
    let (tell, changes) = mpsc::channel();
    std::thread::spawn(move || {
        let mut events = [0; 4096];
        while rustix::io::read(&watch, &mut events).is_ok_and(|bytes| bytes > 0) && tell.send(()).is_ok() {}
    });
    changes
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn text_is_on_disk_a_quarter_of_a_second_later_with_nobody_asking() {
    let project = Project::new();
    let mut recorder = recorder(&project.store, "one");
    recorder.prompt("r1", "hi");
    recorder.sync().await.unwrap();
    let written = changes_of(&project.file("one.jsonl"));
    recorder.text("r1", "so far");
    while project.store.read("one").unwrap().messages[1].content != "so far" {
        written.recv_timeout(Duration::from_secs(5)).expect("the text is written without being asked for");
    }
    let session = project.store.read("one").unwrap();
    assert!(session.summary.interrupted && session.summary.open);
}

#[tokio::test]
async fn a_session_without_a_prompt_leaves_nothing() {
    let project = Project::new();
    recorder(&project.store, "one").close().await.unwrap();
    assert_eq!(project.ids(), Vec::<String>::new());
    assert!(!project.file("one.jsonl").exists() && !project.file("one.open").exists());
}

#[tokio::test]
async fn a_session_goes_on_where_it_ended() {
    let project = Project::new();
    project.put("one", 5, &[("a", "b")]);
    let mut recorder = locus_exec::history::Recorder::open(&project.store, "one").unwrap();
    recorder.prompt("r2", "c");
    recorder.text("r2", "d");
    recorder.end("r2", "d");
    recorder.close().await.unwrap();
    let session = store_of(project.path()).read("one").unwrap();
    let contents: Vec<_> = session.messages.iter().map(|message| message.content.as_str()).collect();
    assert_eq!(contents, ["a", "b", "c", "d"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_pieces_of_text_are_all_there() {
    let project = Project::new();
    let mut recorder = recorder(&project.store, "one");
    recorder.prompt("r1", "hi");
    for _ in 0..1_000_000 {
        recorder.text("r1", "word ");
    }
    recorder.end("r1", "");
    recorder.close().await.unwrap();
    let session = project.store.read("one").unwrap();
    assert_eq!(session.messages[1].content, "word ".repeat(1_000_000));
}
