//! The index is derived: whatever happens to it, the files are right.

use std::fs;
use std::io::Write;
use std::time::{Duration, SystemTime};

use locus_exec::history::{ListFilter, PrunePolicy};

use super::support::{Project, session, store_of};

/// Has the folder changed last so long ago that the file system's clock can tell the next change from the last reading.
fn settle(project: &Project) {
    let folder = fs::File::open(project.store.folder().path()).unwrap();
    folder.set_modified(SystemTime::now() - Duration::from_secs(10)).unwrap();
}

#[test]
fn one_that_is_missing_or_damaged_is_made_again() {
    let project = Project::new();
    project.put("one", 1000, &[("first", "yes")]);
    project.put("two", 2000, &[("second", "no")]);
    assert_eq!(project.ids(), ["two", "one"]);
    let index = project.file("index/v2.db");
    let good = fs::metadata(&index).unwrap().len();
    assert!(good > 0);
    let damages: [&dyn Fn(); 5] = [
        &|| fs::remove_dir_all(index.parent().unwrap()).unwrap(),
        &|| fs::write(&index, "this is no database, and long enough to be looked at as one").unwrap(),
        &|| fs::write(&index, "").unwrap(),
        &|| {
            let mut bytes = fs::read(&index).unwrap();
            let half = bytes.len() / 2;
            bytes[100..half].fill(0xa5);
            fs::write(&index, bytes).unwrap();
        },
        &|| fs::write(&index, &fs::read(&index).unwrap()[..512]).unwrap(),
    ];
    for (number, damage) in damages.iter().enumerate() {
        damage();
        let store = store_of(project.path());
        let ids: Vec<_> =
            store.list(&ListFilter::default()).unwrap().sessions.into_iter().map(|s| s.id).collect();
        assert_eq!(ids, ["two", "one"], "damage {number}");
        assert_eq!(store.search("second", 9).unwrap().len(), 1, "damage {number}");
    }
}

#[test]
fn it_follows_the_files() {
    let project = Project::new();
    project.put("one", 1000, &[("first", "yes")]);
    project.put("two", 2000, &[("second", "no")]);
    assert_eq!(project.ids(), ["two", "one"]);
    settle(&project);
    assert_eq!(project.ids(), ["two", "one"], "read again, now to be trusted");

    let path = project.file("one.jsonl");
    let more = session("one", 1000, &[("first", "yes"), ("later", "appended")]);
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(&more[fs::read(&path).unwrap().len()..]).unwrap();
    assert_eq!(project.store.search("appended", 9).unwrap()[0].id, "one", "a file that grew");

    fs::write(&path, session("one", 9000, &[("replaced", "yes")])).unwrap();
    assert_eq!(project.ids(), ["one", "two"], "a file with another content");
    assert!(project.store.search("appended", 9).unwrap().is_empty());

    fs::remove_file(&path).unwrap();
    assert_eq!(project.ids(), ["two"], "a file that is gone");
    fs::write(project.file("three.jsonl"), session("three", 3000, &[("third", "yes")])).unwrap();
    assert_eq!(project.ids(), ["three", "two"], "a file that came");
}

#[test]
fn two_stores_see_what_either_does() {
    let project = Project::new();
    let other = store_of(project.path());
    for number in 0..20u64 {
        project.put(&format!("session-{number}"), 1000 + number, &[("p", "a")]);
    }
    assert_eq!(other.list(&ListFilter::default()).unwrap().total, 20);
    settle(&project);
    assert_eq!(other.list(&ListFilter::default()).unwrap().total, 20);
    project.store.rename("session-3", "a title").unwrap();
    assert_eq!(other.search("title", 9).unwrap().len(), 1);
    let policy = PrunePolicy { keep: Some(5), max_age_days: None, ..PrunePolicy::default() };
    assert_eq!(project.store.prune(&policy).unwrap().removed.len(), 15);
    let listing = other.list(&ListFilter::default()).unwrap();
    assert_eq!(listing.total, 5);
    assert!(listing.sessions.iter().all(|session| session.compressed));
}

#[test]
fn many_files_are_read_on_several_threads() {
    let project = Project::new();
    for number in 0..300u64 {
        project.put(&format!("s{number}"), number, &[(&format!("prompt{number}"), "a")]);
    }
    assert_eq!(project.store.list(&ListFilter::default()).unwrap().total, 300);
    for number in [0, 150, 299] {
        let hits = project.store.search(&format!("prompt{number}"), 400).unwrap();
        let ids: Vec<_> = hits.iter().map(|hit| hit.id.as_str()).collect();
        assert!(ids.contains(&format!("s{number}").as_str()), "{ids:?}");
    }
}

#[test]
fn it_is_kept_in_memory_where_only_locus_has_a_folder() {
    let project = Project::new();
    let theirs = project.path().join(".locus/sessions");
    fs::create_dir_all(&theirs).unwrap();
    let path = theirs.join("session-a.json");
    let session = |prompt: &str| {
        format!(r#"{{"createdAt":5,"messages":[{{"role":"user","content":"{prompt}","timestamp":5}}]}}"#)
    };
    fs::write(&path, session("first")).unwrap();
    let preview = || project.store.list(&ListFilter::default()).unwrap().sessions[0].preview.clone();
    assert_eq!(preview(), "first");
    // What looks unchanged is not read again.
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, session("other")).unwrap();
    fs::File::open(&path).unwrap().set_modified(modified).unwrap();
    assert_eq!(preview(), "first");
    assert!(!project.store.folder().path().exists(), "looking makes nothing");
    project.put("one", 1000, &[("second", "yes")]);
    assert_eq!(project.ids(), ["one", "session-a"]);
    assert!(project.file("index/v2.db").exists());
}
