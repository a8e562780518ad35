//! What can be done with stored sessions.

use locus_exec::ErrorKind;
use locus_exec::history::{ListFilter, PrunePolicy};

use super::support::{Project, recorder};

#[test]
fn sessions_are_listed_newest_first_and_filtered() {
    let project = Project::new();
    project.put("old", 1000, &[("first words", "yes")]);
    project.put("new", 3000, &[("other words", "no")]);
    project.put("mid", 2000, &[("third", "perhaps"), ("fourth", "no")]);
    assert_eq!(project.ids(), ["new", "mid", "old"]);
    let ids = |filter: ListFilter| -> (Vec<String>, usize) {
        let listing = project.store.list(&filter).unwrap();
        (listing.sessions.into_iter().map(|session| session.id).collect(), listing.total)
    };
    let all = ListFilter::default();
    assert_eq!(ids(ListFilter { query: Some("WORDS".into()), ..all.clone() }).0, ["new", "old"]);
    assert_eq!(ids(ListFilter { after: Some(2000), ..all.clone() }).0, ["new", "mid"]);
    assert_eq!(ids(ListFilter { before: Some(2000), ..all.clone() }).0, ["mid", "old"]);
    assert_eq!(ids(ListFilter { limit: Some(1), offset: 1, ..all.clone() }), (vec!["mid".into()], 3));
    assert_eq!(ids(ListFilter { provider: Some("codex".into()), ..all.clone() }), (vec![], 0));
    let mid = &project.store.list(&all).unwrap().sessions[1];
    assert_eq!((mid.turns, mid.messages, &*mid.preview), (2, 4, "third"));
}

#[test]
fn an_id_is_found_by_its_beginning() {
    let project = Project::new();
    for (id, created_at) in [("abc", 1), ("abcd", 3), ("abce", 2), ("x", 9)] {
        project.put(id, created_at, &[("p", "a")]);
    }
    assert_eq!(project.store.find("ab").unwrap(), ["abcd", "abce", "abc"]);
    assert_eq!(project.store.find("abc").unwrap(), ["abc"]);
    assert_eq!(project.store.find("y").unwrap(), Vec::<String>::new());
}

#[test]
fn what_is_not_there_is_told() {
    let project = Project::new();
    assert_eq!(project.store.read("nobody").unwrap_err().kind(), ErrorKind::SessionNotFound);
    assert_eq!(project.store.rename("nobody", "x").unwrap_err().kind(), ErrorKind::SessionNotFound);
    assert!(!project.store.remove("nobody").unwrap());
    assert_eq!(project.store.clear().unwrap(), 0);
    assert!(!project.path().join(".locus").exists(), "reading makes nothing");
}

#[test]
fn a_title_and_a_context_are_kept() {
    let project = Project::new();
    project.put("one", 5, &[("p", "a")]);
    project.store.rename("one", "The plan").unwrap();
    project.store.set_context("one", r#"{"artifacts":[1]}"#).unwrap();
    let session = project.store.read("one").unwrap();
    assert_eq!(session.summary.title.as_deref(), Some("The plan"));
    assert_eq!(session.context.unwrap().get(), r#"{"artifacts":[1]}"#);
    assert_eq!(session.summary.updated_at, 6, "nothing was said");
    project.store.rename("one", "").unwrap();
    assert_eq!(project.store.read("one").unwrap().summary.title, None);
    assert_eq!(project.store.set_context("one", "[]").unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_fork_has_the_first_turns_and_its_own_life() {
    let project = Project::new();
    project.put("one", 5, &[("p1", "a1"), ("p2", "a2"), ("p3", "a3")]);
    let fork = project.store.fork("one", Some(2)).unwrap();
    let session = project.store.read(&fork).unwrap();
    let contents: Vec<_> = session.messages.iter().map(|message| message.content.as_str()).collect();
    assert_eq!(contents, ["p1", "a1", "p2", "a2"]);
    assert_eq!(session.header.forked_from.as_deref(), Some("one"));
    assert!(session.agent_sessions.is_empty(), "two sessions must not share the agent's conversation");
    assert_eq!(project.store.read("one").unwrap().messages.len(), 6);
    let whole = project.store.fork("one", None).unwrap();
    assert_eq!(project.store.read(&whole).unwrap().messages.len(), 6);
}

#[test]
fn what_is_exported_can_be_imported() {
    let project = Project::new();
    project.put("one", 5, &[("p", "a")]);
    let text = project.store.export("one").unwrap();
    let elsewhere = Project::new();
    assert_eq!(elsewhere.store.import(&text).unwrap(), "one");
    let imported = elsewhere.store.read("one").unwrap();
    assert_eq!(imported.messages, project.store.read("one").unwrap().messages);
    assert_eq!(imported.agent_sessions["claude"], "agent-1");
    let copy = project.store.import(&text).unwrap();
    assert_ne!(copy, "one");
    let copy = project.store.read(&copy).unwrap();
    assert_eq!(copy.header.imported_from.as_deref(), Some("one"));
    assert!(copy.agent_sessions.is_empty());
    for text in ["", "{}", "no session", "[1]"] {
        assert_eq!(project.store.import(text).unwrap_err().kind(), ErrorKind::InvalidInput, "{text}");
    }
}

#[tokio::test]
async fn an_open_session_is_not_removed() {
    let project = Project::new();
    let mut recorder = recorder(&project.store, "open");
    super::support::Observe::prompt(&mut recorder, "r", "p");
    recorder.sync().await.unwrap();
    project.put("closed", 5, &[("p", "a")]);
    assert_eq!(project.store.remove("open").unwrap_err().kind(), ErrorKind::History);
    assert_eq!(project.store.clear().unwrap(), 1);
    let none = PrunePolicy { keep: Some(0), ..PrunePolicy::default() };
    assert_eq!(project.store.prune(&none).unwrap().removed, Vec::<String>::new());
    assert_eq!(project.ids(), ["open"]);
    recorder.close().await.unwrap();
    assert_eq!(project.store.prune(&none).unwrap().removed, ["open"]);
    assert_eq!(project.ids(), Vec::<String>::new());
}

#[test]
fn old_sessions_are_compressed_and_as_good_as_before() {
    let project = Project::new();
    let long = "the same words over and over ".repeat(500);
    project.put("old", 1000, &[("p", &long)]);
    let policy = PrunePolicy { keep: None, max_age_days: None, ..PrunePolicy::default() };
    let dry = project.store.prune(&PrunePolicy { dry_run: true, ..policy.clone() }).unwrap();
    assert_eq!(dry.compressed, ["old"]);
    assert!(project.file("old.jsonl").exists());
    let before = project.store.read("old").unwrap();
    let outcome = project.store.prune(&policy).unwrap();
    assert_eq!(outcome.compressed, ["old"]);
    assert!(outcome.bytes_freed > 10_000);
    assert!(project.file("old.jsonl.zst").exists() && !project.file("old.jsonl").exists());
    let after = project.store.read("old").unwrap();
    assert!(after.summary.compressed);
    assert_eq!(after.messages, before.messages);
    assert_eq!(project.ids(), ["old"]);
    assert_eq!(project.store.search("over", 9).unwrap().len(), 1);
    assert_eq!(project.store.prune(&policy).unwrap().compressed, Vec::<String>::new());
    project.store.rename("old", "again").unwrap();
    assert!(!project.file("old.jsonl.zst").exists() && project.file("old.jsonl").exists());
    assert_eq!(project.store.read("old").unwrap().messages, before.messages);
}

#[tokio::test]
async fn what_is_too_much_together_goes_oldest_first() {
    let project = Project::new();
    let text = "not two words of this are the same".repeat(30);
    for (id, created_at) in [("oldest", 1000), ("older", 2000), ("newer", 3000)] {
        project.put(id, created_at, &[("p", &text)]);
    }
    let mut recorder = recorder(&project.store, "open");
    super::support::Observe::prompt(&mut recorder, "r", "p");
    recorder.sync().await.unwrap();
    let locus = project.path().join(".locus/sessions");
    std::fs::create_dir_all(&locus).unwrap();
    let theirs = r#"{"id":"theirs","messages":[{"role":"user","content":"hi","timestamp":1}],"createdAt":1}"#;
    std::fs::write(locus.join("theirs.json"), theirs).unwrap();
    let listing = project.store.list(&ListFilter::default()).unwrap();
    let size = |id: &str| listing.sessions.iter().find(|session| session.id == id).unwrap().size_bytes;
    assert!(listing.total == 5 && size("theirs") > 0);

    let sum: u64 = ["open", "newer", "older", "oldest"].map(size).iter().sum();
    let policy =
        PrunePolicy { keep: None, max_age_days: None, compress_after_days: None, ..PrunePolicy::default() };
    let at_most = |bytes| PrunePolicy { max_bytes: Some(bytes), ..policy.clone() };
    let removed = |policy| project.store.prune(&policy).unwrap().removed;
    assert_eq!(removed(at_most(sum)), [""; 0], "all that is ours fits, and what is not does not count");
    let dry = project.store.prune(&PrunePolicy { dry_run: true, ..at_most(sum - 1) }).unwrap();
    assert_eq!((dry.removed, dry.bytes_freed), (vec!["oldest".to_owned()], size("oldest")));
    assert_eq!(removed(at_most(sum - 1)), ["oldest"]);
    assert_eq!(project.ids(), ["open", "newer", "older", "theirs"]);
    assert_eq!(removed(at_most(0)), ["newer", "older"]);
    assert_eq!(project.ids(), ["open", "theirs"]);
    recorder.close().await.unwrap();
    assert_eq!(removed(at_most(0)), [""; 0], "what was used last stays, whatever it takes");
    assert_eq!(std::fs::read_to_string(locus.join("theirs.json")).unwrap(), theirs);
}

#[test]
fn what_is_small_enough_when_compressed_stays() {
    let project = Project::new();
    let long = "the same words over and over ".repeat(500);
    project.put("old", 1000, &[("p", &long)]);
    project.put("new", 2000, &[("p", &long)]);
    let policy =
        PrunePolicy { keep: None, max_age_days: None, max_bytes: Some(5000), ..PrunePolicy::default() };
    let outcome = project.store.prune(&policy).unwrap();
    assert_eq!((outcome.removed, outcome.compressed), (vec![], vec!["new".to_owned(), "old".to_owned()]));
    let listing = project.store.list(&ListFilter::default()).unwrap();
    let sizes: Vec<u64> = listing.sessions.iter().map(|session| session.size_bytes).collect();
    let outcome = project.store.prune(&PrunePolicy { max_bytes: Some(sizes[1] - 1), ..policy }).unwrap();
    assert_eq!((outcome.removed, outcome.bytes_freed), (vec!["old".to_owned()], sizes[1]));
    assert_eq!(project.ids(), ["new"]);
}

#[test]
fn messages_are_found_by_their_words() {
    let project = Project::new();
    project.put("one", 1000, &[("make a plan", "Here is the Plan for OAuth"), ("thanks", "welcome")]);
    project.put("two", 2000, &[("what about oauth?", "later")]);
    let hits = project.store.search("oauth", 9).unwrap();
    let found: Vec<_> = hits.iter().map(|hit| (hit.id.as_str(), hit.snippet.as_str())).collect();
    assert_eq!(
        found,
        [("two", "what about \u{2}oauth\u{3}?"), ("one", "Here is the Plan for \u{2}OAuth\u{3}")]
    );
    assert_eq!(project.store.search("plan oauth", 9).unwrap()[0].run_id.as_deref(), Some("run-0"));
    assert_eq!(project.store.search("\"the plan\"", 9).unwrap().len(), 1);
    assert_eq!(project.store.search("\"plan the\"", 9).unwrap(), []);
    assert_eq!(project.store.search("plan welcome", 9).unwrap().len(), 1, "spread over the session");
    assert_eq!(project.store.search("plan later", 9).unwrap(), []);
    assert_eq!(project.store.search("o", 1).unwrap().len(), 1);
    assert_eq!(project.store.search("\" *(", 9).unwrap(), []);
}
