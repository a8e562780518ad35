//! Sessions that others wrote: read, never changed, converted with the first append.

use std::fs;
use std::path::PathBuf;

use locus_exec::history::{Format, ListFilter, Recorder, Role};
use serde_json::{Value, json};

use super::support::{Observe, Project};

/// The shape of the plan and of Locus 0.14.x.
fn plan(id: &str) -> Value {
    json!({
        "id": id, "projectPath": "/p", "createdAt": 1000, "updatedAt": 4000,
        "metadata": { "model": "claude-sonnet-4-5", "provider": "claude" },
        "messages": [
            { "role": "user", "content": "make a plan", "timestamp": 2000 },
            { "role": "assistant", "content": "Here it is.", "timestamp": 3000,
              "metadata": { "toolsUsed": ["Write"], "duration": 900 } },
            { "role": "user", "content": "thanks", "timestamp": 4000 },
        ],
    })
}

/// The shape of Locus 0.26.x.
fn locus_026(id: &str) -> Value {
    json!({
        "id": id, "created": "2026-02-03T04:05:06.789Z", "updated": "2026-02-03T04:06:00.000Z",
        "metadata": { "cwd": "/p", "branch": "main", "provider": "codex", "model": "gpt", "totalTokens": 0,
                      "totalTools": 1 },
        "messages": [
            { "role": "user", "content": "list the files", "timestamp": "2026-02-03T04:05:07.000Z" },
            { "role": "assistant", "content": "a.txt", "timestamp": "2026-02-03T04:06:00.000Z",
              "tools": [{ "tool": "Bash", "params": { "command": "ls" }, "duration": 12, "result": "a.txt" }] },
        ],
    })
}

fn put(project: &Project, place: &str, id: &str, session: &Value) -> (PathBuf, Vec<u8>) {
    let folder = project.path().join(".locus").join(place);
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(format!("{id}.json"));
    let text = serde_json::to_vec_pretty(session).unwrap();
    fs::write(&path, &text).unwrap();
    (path, text)
}

#[tokio::test]
async fn all_three_are_read_listed_found_and_gone_on_with() {
    let project = Project::new();
    let files = [
        put(&project, "exec-history", "of-the-plan", &plan("of-the-plan")),
        put(&project, "sessions", "session-lz1-abc", &plan("session-lz1-abc")),
        put(&project, "sessions", "0123456789ab", &locus_026("0123456789ab")),
    ];
    fs::write(project.path().join(".locus/sessions/.input-history"), "x").unwrap();
    let formats: Vec<_> = project
        .store
        .list(&ListFilter::default())
        .unwrap()
        .sessions
        .into_iter()
        .map(|session| (session.id, session.format, session.turns, session.messages))
        .collect();
    assert_eq!(
        formats,
        [
            ("0123456789ab".to_owned(), Format::Locus026, 1, 2),
            ("of-the-plan".to_owned(), Format::PlanJson, 2, 4),
            ("session-lz1-abc".to_owned(), Format::Locus014, 2, 4),
        ]
    );
    assert_eq!(project.store.search("plan", 9).unwrap().len(), 2);
    assert_eq!(project.store.find("session").unwrap(), ["session-lz1-abc"]);

    let old = project.store.read("session-lz1-abc").unwrap();
    let answer = &old.messages[1];
    assert_eq!(
        (answer.role, answer.content.as_str(), answer.timestamp),
        (Role::Assistant, "Here it is.", 3000)
    );
    assert_eq!(answer.metadata.as_ref().unwrap().tools_used, ["Write"]);
    assert_eq!(answer.metadata.as_ref().unwrap().duration_ms, Some(900));
    assert!(old.summary.interrupted, "the last question has no answer");
    let new = project.store.read("0123456789ab").unwrap();
    assert_eq!(new.header.created_at, 1_770_091_506_789);
    assert_eq!((new.summary.provider.as_str(), new.summary.model.as_deref()), ("codex", Some("gpt")));
    assert!(new.records.iter().any(|record| record.get().contains(r#""command":"ls""#)));

    for id in ["of-the-plan", "session-lz1-abc", "0123456789ab"] {
        let before = project.store.read(id).unwrap().messages.len();
        let mut recorder = Recorder::open(&project.store, id).unwrap();
        recorder.prompt("r", "and now?");
        recorder.text("r", "nothing");
        recorder.end("r", "nothing");
        recorder.close().await.unwrap();
        let after = project.store.read(id).unwrap();
        assert_eq!((after.messages.len(), after.summary.format), (before + 2, Format::LocusExec));
    }
    assert_eq!(project.ids().len(), 3, "each is there once");
    for (path, text) in files {
        assert_eq!(fs::read(&path).unwrap(), text, "{} was not changed", path.display());
    }
}

#[test]
fn all_three_can_be_imported() {
    let project = Project::new();
    for session in [plan("session-lz1-abc"), locus_026("0123456789ab")] {
        let id = project.store.import(&session.to_string()).unwrap();
        assert_eq!(session["id"], id.as_str());
        let stored = project.store.read(&id).unwrap();
        assert_eq!(stored.summary.format, Format::LocusExec);
        assert_eq!(stored.messages[0].content, session["messages"][0]["content"].as_str().unwrap());
    }
}

#[test]
fn locus_s_own_sessions_are_not_pruned_nor_cleared() {
    let project = Project::new();
    let (theirs, _) = put(&project, "sessions", "0123456789ab", &locus_026("0123456789ab"));
    let (ours, _) = put(&project, "exec-history", "of-the-plan", &plan("of-the-plan"));
    let none = locus_exec::history::PrunePolicy { keep: Some(0), ..Default::default() };
    assert_eq!(project.store.prune(&none).unwrap().removed, ["of-the-plan"]);
    assert_eq!(project.store.clear().unwrap(), 0);
    assert!(theirs.exists() && !ours.exists());
    assert!(project.store.remove("0123456789ab").unwrap(), "but who names one means it");
    assert!(!theirs.exists());
}
