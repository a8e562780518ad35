//! A conversation as one object: what a program saves is what it gets back, and what it did not touch stays.

use std::fs;

use locus_exec::Error;
use locus_exec::history::{
    AnswerMetadata, Format, REDACTED, Recorder, Role, Snapshot, SnapshotForm, SnapshotMessage,
    SnapshotMetadata,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::support::{Observe, Project, recorder, store_of};

const FORMS: [SnapshotForm; 2] = [SnapshotForm::Records, SnapshotForm::Json];

fn said(role: Role, content: &str) -> SnapshotMessage {
    SnapshotMessage { role, content: content.to_owned(), timestamp: 2000, metadata: None, other: Map::new() }
}

/// An answer that is under way.
fn under_way(content: &str) -> SnapshotMessage {
    let metadata = AnswerMetadata { interrupted: true, ..AnswerMetadata::default() };
    SnapshotMessage { metadata: Some(metadata), ..said(Role::Assistant, content) }
}

fn snapshot(messages: Vec<SnapshotMessage>) -> Snapshot {
    Snapshot {
        id: "session-lz1-abc".to_owned(),
        project_path: "/p".to_owned(),
        messages,
        created_at: 1000,
        updated_at: 2000,
        metadata: SnapshotMetadata {
            model: "sonnet".to_owned(),
            provider: "claude".to_owned(),
            ..SnapshotMetadata::default()
        },
        other: Map::new(),
    }
}

fn contents(project: &Project) -> Vec<(Role, String)> {
    let stored = project.store.snapshot("session-lz1-abc").unwrap().unwrap();
    stored.messages.into_iter().map(|message| (message.role, message.content)).collect()
}

fn records(project: &Project) -> String {
    fs::read_to_string(project.file("session-lz1-abc.jsonl")).unwrap()
}

#[test]
fn what_is_saved_as_json_has_the_shape_of_locus_0_14() {
    let project = Project::new();
    let answer = json!({
        "role": "assistant", "content": "Here it is.", "timestamp": 3000,
        "metadata": { "toolsUsed": ["Write"], "duration": 900.5, "mood": "good" },
    });
    let session = json!({
        "id": "session-lz1-abc", "projectPath": "/p", "createdAt": 1000, "updatedAt": 4000,
        "messages": [{ "role": "user", "content": "make a plan", "timestamp": 2000 }, answer],
        "metadata": {
            "model": "sonnet", "provider": "claude", "branch": "main",
            "contextTracker": { "artifacts": [], "tasks": [] },
        },
        "pinned": true,
    });
    let text = session.to_string();
    project.store.save_snapshot(&Snapshot::parse(&text).unwrap(), SnapshotForm::Json).unwrap();
    let path = project.file("session-lz1-abc.json");
    let file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let mut expected = session;
    // Numbers that JavaScript writes as whole are whole.
    for key in ["createdAt", "updatedAt"] {
        assert_eq!(file[key].as_u64(), expected[key].as_u64());
    }
    expected["messages"][1]["metadata"]["duration"] = json!(900.5);
    assert_eq!(file, expected);
    let loaded = store_of(project.path()).snapshot("session-lz1-abc").unwrap().unwrap();
    assert_eq!(serde_json::to_value(&loaded).unwrap(), expected);
    assert_eq!(project.store.read("session-lz1-abc").unwrap().summary.format, Format::PlanJson);
    let is_ours = |name: &str| name.starts_with("session-");
    let names = fs::read_dir(path.parent().unwrap()).unwrap();
    let ours = names.filter(|entry| is_ours(&entry.as_ref().unwrap().file_name().to_string_lossy()));
    assert_eq!(ours.count(), 1, "no temporary file and no mark is left");
}

#[tokio::test]
async fn only_what_is_new_is_appended() {
    let project = Project::new();
    let mut recorder = recorder(&project.store, "session-lz1-abc");
    recorder.prompt("r", "hi");
    recorder.text("r", "hello");
    recorder.end("r", "hello");
    recorder.close().await.unwrap();
    let before = records(&project);

    let mut session = project.store.snapshot("session-lz1-abc").unwrap().unwrap();
    project.store.save_snapshot(&session, SnapshotForm::Records).unwrap();
    assert_eq!(records(&project), before, "there was nothing new");
    session.messages.push(said(Role::User, "and now?"));
    project.store.save_snapshot(&session, SnapshotForm::Records).unwrap();
    for words in ["so", "so far", "so far so good"] {
        session.messages.truncate(3);
        session.messages.push(under_way(words));
        project.store.save_snapshot(&session, SnapshotForm::Records).unwrap();
    }
    session.messages[3].metadata = None;
    session.metadata.context_tracker = Some(json!({ "artifacts": [], "tasks": [{ "id": "t" }] }));
    project.store.save_snapshot(&session, SnapshotForm::Records).unwrap();
    let after = records(&project);
    let appended: Vec<Value> = after
        .strip_prefix(&before)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let kinds: Vec<_> = appended
        .iter()
        .map(|record| (record["type"].as_str().unwrap(), record["content"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(
        kinds,
        [
            ("prompt", "and now?"),
            ("text", "so"),
            ("text", " far"),
            ("text", " so good"),
            ("turn", ""),
            ("state", "")
        ]
    );
    let stored = project.store.read("session-lz1-abc").unwrap();
    assert!(!stored.summary.interrupted);
    assert_eq!(stored.messages.len(), 4);
    let again = project.store.snapshot("session-lz1-abc").unwrap().unwrap();
    assert_eq!(again.metadata.context_tracker, session.metadata.context_tracker);
    project.store.save_snapshot(&again, SnapshotForm::Records).unwrap();
    assert_eq!(records(&project), after);
}

#[test]
fn what_was_said_before_can_be_replaced() {
    for form in FORMS {
        let project = Project::new();
        let talk = [said(Role::User, "one"), said(Role::Assistant, "two"), said(Role::User, "three")];
        project.store.save_snapshot(&snapshot(talk.to_vec()), form).unwrap();
        let mut edited = talk.to_vec();
        edited[1].content = "2".to_owned();
        project.store.save_snapshot(&snapshot(edited.clone()), form).unwrap();
        assert_eq!(contents(&project)[1], (Role::Assistant, "2".to_owned()));
        edited.clear();
        project.store.save_snapshot(&snapshot(edited), form).unwrap();
        assert_eq!(contents(&project), []);
    }
}

#[test]
fn a_session_changes_its_form_when_it_is_asked_to() {
    let project = Project::new();
    let exists = |ending: &str| project.file(&format!("session-lz1-abc.{ending}")).exists();
    let mut session = snapshot(vec![said(Role::User, "one"), said(Role::Assistant, "two")]);
    project.store.save_snapshot(&session, SnapshotForm::Records).unwrap();
    project.store.save_snapshot(&session, SnapshotForm::Json).unwrap();
    assert!(exists("json") && !exists("jsonl"), "records would hide the file that others read");
    assert_eq!(contents(&project).len(), 2);
    session.messages.push(said(Role::User, "three"));
    project.store.save_snapshot(&session, SnapshotForm::Records).unwrap();
    assert!(exists("json") && exists("jsonl"), "what others wrote is not changed");
    assert_eq!(contents(&project).len(), 3);
    session.messages.push(said(Role::Assistant, "four"));
    project.store.save_snapshot(&session, SnapshotForm::Json).unwrap();
    assert_eq!(contents(&project).len(), 4);
    assert_eq!(project.ids(), ["session-lz1-abc"]);
}

#[test]
fn secrets_do_not_reach_the_disk_in_any_form() {
    let key = format!("sk-{}", "a1B2".repeat(10));
    for form in FORMS {
        let project = Project::new();
        let mut session =
            snapshot(vec![said(Role::User, &format!("use {key} now")), under_way(&format!("with {key}"))]);
        session.metadata.context_tracker = Some(json!({ "artifacts": [{ "title": key }] }));
        session.other.insert("note".to_owned(), json!(key));
        project.store.save_snapshot(&session, form).unwrap();
        let (prompt, beginning) = (&contents(&project)[0], &contents(&project)[1]);
        assert_eq!(prompt.1, format!("use {REDACTED} now"));
        assert_eq!(beginning.1, "with ", "its end is not known yet");
        session.messages[1].metadata = None;
        project.store.save_snapshot(&session, form).unwrap();
        assert_eq!(contents(&project)[1].1, format!("with {REDACTED}"));
        for entry in fs::read_dir(project.store.folder().path()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = if path.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
            assert!(!String::from_utf8_lossy(&bytes).contains(&key), "{}", path.display());
        }
    }
}

#[test]
fn one_that_a_process_has_open_is_not_replaced() {
    let project = Project::new();
    let session = snapshot(vec![said(Role::User, "one")]);
    project.store.save_snapshot(&session, SnapshotForm::Records).unwrap();
    let _open = Recorder::open(&project.store, "session-lz1-abc").unwrap();
    let refused = project.store.save_snapshot(&session, SnapshotForm::Json).unwrap_err();
    assert!(matches!(refused, Error::History { action: "replace", .. }), "{refused}");
    let edited = snapshot(vec![said(Role::User, "1")]);
    assert!(project.store.save_snapshot(&edited, SnapshotForm::Records).is_err());
    assert_eq!(contents(&project), [(Role::User, "one".to_owned())]);
}

#[test]
fn what_is_known_of_a_prompts_images_comes_along_and_stays() {
    let project = Project::new();
    project.store.save_snapshot(&snapshot(vec![said(Role::User, "one")]), SnapshotForm::Records).unwrap();
    let path = project.file("session-lz1-abc.jsonl");
    let images = r#""images":[{"name":"a.png","mediaType":"image/png","bytes":5}]"#;
    let lines = records(&project).replace(r#""content":"one""#, &format!(r#""content":"one",{images}"#));
    fs::write(path, &lines).unwrap();
    let mut session = project.store.snapshot("session-lz1-abc").unwrap().unwrap();
    let about = session.messages[0].metadata.as_ref().unwrap();
    assert_eq!(about.other["images"][0]["name"], "a.png");
    session.messages.push(said(Role::Assistant, "two"));
    project.store.save_snapshot(&session, SnapshotForm::Records).unwrap();
    assert!(records(&project).starts_with(&lines), "the prompt was not written again");
}

#[test]
fn ids_that_are_none_are_refused() {
    let project = Project::new();
    for id in ["../x", "", "a/b"] {
        let session = Snapshot { id: id.to_owned(), ..snapshot(Vec::new()) };
        for form in FORMS {
            assert!(matches!(project.store.save_snapshot(&session, form), Err(Error::InvalidInput(_))));
        }
    }
    assert!(project.store.snapshot("nobody").unwrap().is_none());
}

fn message() -> impl Strategy<Value = SnapshotMessage> {
    let role = prop::sample::select(vec![Role::User, Role::Assistant]);
    (role, "[a-c \n\"é]{0,6}").prop_map(|(role, content)| said(role, &content))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// However a program changes the messages between two saves, the last save is what is there.
    #[test]
    fn the_last_save_counts(
        states in prop::collection::vec((prop::collection::vec(message(), 0..5), any::<bool>()), 1..4),
        keep in 0..5usize,
    ) {
        let project = Project::new();
        let mut before: Vec<SnapshotMessage> = Vec::new();
        for (messages, as_json) in states {
            // Half of the time what was there stays, so that something is appended.
            before.truncate(keep);
            before.extend(messages);
            let form = FORMS[usize::from(as_json)];
            project.store.save_snapshot(&snapshot(before.clone()), form).unwrap();
            let expected: Vec<_> = before.iter().map(|it| (it.role, it.content.clone())).collect();
            prop_assert_eq!(contents(&project), expected);
        }
    }
}
