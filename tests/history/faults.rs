//! The faults of the catalogue that concern the history, each by its number.

use std::error::Error as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use locus_exec::ErrorKind;
use locus_exec::history::{
    Conversation, PrunePolicy, REDACTED, Record, Recorder, Redactor, SessionId, Store, StoredSession,
};
use locus_exec::stream::{Chunk, json_of};
use serde_json::json;

use super::process::{Running, command, pass, prompt};
use super::support::{Observe, Project, recorder, session, store_of};

fn prompts(session: &StoredSession) -> Vec<&str> {
    let prompts = session.messages.iter().filter(|message| message.role == locus_exec::history::Role::User);
    prompts.map(|message| message.content.as_str()).collect()
}

/// 160 times, a writer is killed at any moment; the next goes on. Nothing that was acknowledged is lost, nothing comes
/// twice or out of order.
#[test]
fn fault_52_kill_9_loses_nothing_that_was_acknowledged() {
    let project = Project::new();
    let mut random: u64 = 52;
    let mut acknowledged = 0;
    let mut kills = 0;
    while kills < 160 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut writer =
            Running::start(command(&[], project.path(), &format!("acknowledge {}", acknowledged + 1)));
        let hear = |writer: &mut Running| writer.hear("ack ").map(|number| number.parse::<u64>().unwrap());
        acknowledged = hear(&mut writer).expect("it writes");
        // It goes on writing while this one sleeps: the kill comes at any moment of an append.
        thread::sleep(Duration::from_micros((random >> 33) % 6_000));
        writer.child.kill().unwrap();
        while let Some(number) = hear(&mut writer) {
            acknowledged = number;
        }
        writer.child.wait().unwrap();
        kills += 1;

        let stored = store_of(project.path()).read("one").unwrap();
        let numbers: Vec<u64> = prompts(&stored).iter().map(|prompt| prompt.parse().unwrap()).collect();
        let last = numbers.len() as u64;
        assert!(last >= acknowledged, "{acknowledged} was acknowledged, {last} is the last");
        assert!(numbers.iter().copied().eq(1..=last), "all in order, none twice");
        // One that was written and not acknowledged is not written again.
        acknowledged = last;
    }
}

/// A process is killed when it is about to do its n-th write, rename, …, for every n. Whatever it was at, every
/// session is there, whole, and can be appended to.
#[test]
#[cfg(target_os = "linux")]
fn fault_53_killed_at_every_step() {
    if Command::new("strace").args(["-e", "inject=write:signal=KILL:when=9", "true"]).output().is_err() {
        super::support::not_run("strace");
        return;
    }
    for call in ["write", "fsync", "fdatasync", "rename", "ftruncate", "unlink"] {
        for n in 1.. {
            let project = Project::new();
            project.put("plain", 1000, &[("p1", "a1")]);
            project.put("old", 1000, &[("p2", "a2")]);
            project.put("unwanted", 1000, &[("p3", "a3")]);
            project.put("aged", 1, &[("p3", "a3")]);
            fs::write(project.file("legacy.json"), plan_json("legacy")).unwrap();
            let (trace, inject) = (format!("trace={call}"), format!("inject={call}:signal=KILL:when={n}"));
            let wrapper = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
            let done = command(&wrapper, project.path(), "everything").output().unwrap().status.success();

            let store = store_of(project.path());
            let contents = |id: &str| {
                let session = store.read(id).unwrap_or_else(|error| panic!("{call} {n}: {id}: {error}"));
                assert_eq!(session.problems, [], "{call} {n}: {id}");
                session.messages.into_iter().map(|message| message.content).collect::<Vec<_>>()
            };
            assert_eq!(contents("plain"), ["p1", "a1"], "{call} {n}");
            assert_eq!(contents("old"), ["p2", "a2"], "{call} {n}");
            assert_eq!(contents("legacy"), ["hello", "hi"], "{call} {n}");
            for id in ["unwanted", "aged"] {
                // Whole or gone.
                match store.read(id) {
                    Ok(_) => assert_eq!(
                        (contents(id), done),
                        (vec!["p3".into(), "a3".into()], false),
                        "{call} {n}"
                    ),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::SessionNotFound, "{call} {n}: {id}"),
                }
            }
            for id in ["plain", "old", "legacy"] {
                store.rename(id, "after").unwrap();
                assert_eq!(store.read(id).unwrap().summary.title.as_deref(), Some("after"));
            }
            assert!(store.list(&locus_exec::history::ListFilter::default()).unwrap().total >= 3);
            if done {
                break;
            }
        }
    }
}

#[test]
fn fault_55_a_damaged_file_keeps_everything_else() {
    let project = Project::new();
    let whole = session("one", 5, &[("p1", "a1"), ("p2", "a2")]);
    let mut lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    lines.insert(4, b"{\"type\":\"text\",\"cont\n");
    lines.insert(5, b"\0\0\0\0\0\0\0\0\n");
    lines.insert(6, b"\xff\xfe\n");
    lines.insert(7, b"[1]\n");
    lines.insert(8, b"{\"type\":\"of tomorrow\",\"content\":[1]}\n");
    lines.insert(9, b"\n");
    let mut damaged = lines.concat();
    damaged.extend_from_slice(b"{\"type\":\"prompt\",\"runId\":\"r\",\"content\":\"torn");
    project.put("one", 5, &[]);
    fs::write(project.file("one.jsonl"), &damaged).unwrap();

    let stored = project.store.read("one").unwrap();
    let contents: Vec<_> = stored.messages.iter().map(|message| message.content.as_str()).collect();
    assert_eq!(contents, ["p1", "a1", "p2", "a2"]);
    let problems: Vec<_> = stored.problems.iter().map(|problem| problem.line.unwrap()).collect();
    assert_eq!(problems, [5, 6, 7, 8, 14], "{:?}", stored.problems);
    assert!(stored.problems[0].file.ends_with("one.jsonl"));
    assert_eq!(stored.records.len(), 8, "what is not known is kept");
    let listing = project.store.list(&locus_exec::history::ListFilter::default()).unwrap();
    assert_eq!(listing.problems, stored.problems);

    let mut conversation =
        Conversation::open(project.store.folder(), &SessionId::parse("one").unwrap()).unwrap();
    conversation.append(&prompt("p3")).unwrap();
    let mended = project.store.read("one").unwrap();
    assert_eq!(prompts(&mended), ["p1", "p2", "p3"]);
    assert!(mended.problems.last().unwrap().message.contains("44 bytes"), "{:?}", mended.problems);
    let text = fs::read(project.file("one.jsonl")).unwrap();
    assert!(text.starts_with(&lines.concat()), "only the torn record is dropped");
}

#[test]
fn fault_55_a_tail_of_nuls_and_a_lost_header() {
    let project = Project::new();
    let whole = session("one", 5, &[("p1", "a1")]);
    let header = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    project.put("one", 5, &[]);
    fs::write(project.file("one.jsonl"), [&whole[header..], &[0; 5000]].concat()).unwrap();
    let stored = project.store.read("one").unwrap();
    assert_eq!((prompts(&stored), stored.problems.len()), (vec!["p1"], 1));
    assert_eq!((stored.header.id.as_str(), stored.header.provider.as_str()), ("one", "claude"));
    project.store.rename("one", "mended").unwrap();
    let stored = project.store.read("one").unwrap();
    assert_eq!((prompts(&stored), stored.summary.title.as_deref()), (vec!["p1"], Some("mended")));
    assert!(!fs::read(project.file("one.jsonl")).unwrap().contains(&0));
}

#[test]
fn fault_55_a_record_that_only_lacks_its_line_break_is_kept() {
    let project = Project::new();
    let whole = session("one", 5, &[("p1", "a1")]);
    project.put("one", 5, &[]);
    fs::write(project.file("one.jsonl"), whole.strip_suffix(b"\n").unwrap()).unwrap();
    project.store.rename("one", "x").unwrap();
    let stored = project.store.read("one").unwrap();
    assert_eq!((stored.problems.len(), stored.records.len(), stored.summary.interrupted), (0, 5, false));
}

/// The clock is turned back a year between two turns: the file's order is what counts, and nobody waits or fails.
#[test]
fn a_clock_that_goes_back_changes_neither_order_nor_what_is_kept() {
    const YEAR: u64 = 365 * 24 * 60 * 60 * 1000;
    let project = Project::new();
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    project.put("one", now + YEAR, &[("p1", "a1")]);
    let mut recorder = Recorder::open(&project.store, "one").unwrap();
    recorder.prompt("r2", "p2");
    recorder.end("r2", "a2");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(recorder.close()).unwrap();
    let stored = project.store.read("one").unwrap();
    let said: Vec<_> = stored.messages.iter().map(|message| message.content.as_str()).collect();
    assert_eq!((said, stored.problems.len()), (vec!["p1", "a1", "p2", "a2"], 0));
    assert!(!stored.summary.interrupted);
    // A session of the future is not too old, and found however often the folder is looked at.
    project.put("two", now + YEAR, &[("p", "a")]);
    for _ in 0..3 {
        assert_eq!(project.ids().len(), 2);
        assert_eq!(project.store.prune(&PrunePolicy::default()).unwrap().removed, Vec::<String>::new());
    }
    assert_eq!(project.store.search("p2", 9).unwrap().len(), 1);
}

#[test]
fn fault_56_eight_processes_on_one_session() {
    let project = Project::new();
    project.put("one", 5, &[]);
    let appenders = (0..4).map(|name| command(&[], project.path(), &format!("append a{name} 500")));
    let recorders = (0..4).map(|name| command(&[], project.path(), &format!("record r{name} 50")));
    let all: Vec<_> = appenders.chain(recorders).collect();
    let all: Vec<_> = all.into_iter().map(|command| thread::spawn(|| pass(command))).collect();
    for one in all {
        one.join().unwrap();
    }
    let stored = project.store.read("one").unwrap();
    assert_eq!(stored.problems, []);
    let prompts = prompts(&stored);
    assert_eq!(prompts.len(), 4 * 500 + 4 * 50);
    let each = (0..4).flat_map(|name| {
        (0..500).map(move |n| format!("a{name}-{n}")).chain((0..50).map(move |n| format!("r{name}-{n}")))
    });
    let missing: Vec<_> = each.filter(|prompt| !prompts.contains(&prompt.as_str())).collect();
    assert_eq!(missing, Vec::<String>::new());
    assert_eq!(stored.records.iter().filter(|record| record.get().contains("\"turn\"")).count(), 200);
}

#[test]
fn a_compressed_file_that_is_damaged_says_so() {
    let project = Project::new();
    project.put("one", 5, &[("p", "a")]);
    let all = PrunePolicy {
        keep: None,
        max_age_days: None,
        compress_after_days: Some(0),
        ..PrunePolicy::default()
    };
    assert_eq!(project.store.prune(&all).unwrap().compressed, ["one"]);
    let path = project.file("one.jsonl.zst");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0xff);
    fs::write(&path, &bytes).unwrap();

    let error = project.store.read("one").unwrap_err();
    assert!(error.to_string().contains("one.jsonl.zst"), "{error}");
    let reason = error.source().map(ToString::to_string);
    assert_eq!(reason.as_deref(), Some("what was compressed is damaged"));
}

/// Four processes change one session 200 times each, every change a reading and an appending, while the session is
/// compressed and decompressed under them.
#[test]
fn fault_57_four_times_two_hundred_changes() {
    let project = Project::new();
    project.put("one", 5, &[("p", "a")]);
    let all: Vec<_> = (0..4)
        .map(|name| command(&[], project.path(), &format!("set-context c{name} 200")))
        .map(|command| thread::spawn(|| pass(command)))
        .collect();
    for one in all {
        one.join().unwrap();
    }
    let stored = project.store.read("one").unwrap();
    assert_eq!((stored.problems.len(), prompts(&stored)), (0, vec!["p"]));
    for name in 0..4 {
        for number in 0..200 {
            let context = format!("{{\"c{name}\":{number}}}");
            let found = stored.records.iter().filter(|record| record.get().contains(&context)).count();
            assert_eq!(found, 1, "{context}");
        }
    }
}

#[test]
fn fault_58_a_lock_holder_that_is_killed_holds_nobody_up() {
    let project = Project::new();
    project.put("one", 5, &[("p", "a")]);
    let mut holder = Running::start(command(&[], project.path(), "hold"));
    holder.hear("held").expect("it holds the lock");
    let file = fs::File::open(project.file("one.jsonl")).unwrap();
    assert!(file.try_lock().is_err(), "the file is locked");
    assert!(project.store.read("one").unwrap().summary.open);
    let store = store_of(project.path());
    let appender = thread::spawn(move || store.rename("one", "after all"));
    holder.kill();
    appender.join().unwrap().unwrap();
    let stored = project.store.read("one").unwrap();
    assert_eq!(stored.summary.title.as_deref(), Some("after all"));
    assert!(!stored.summary.open, "a dead process has nothing open");
    assert_eq!(project.store.remove("one").ok(), Some(true));
}

#[test]
fn fault_59_a_newer_schema_is_refused_and_left_alone() {
    let project = Project::new();
    project.put("known", 5, &[("p", "a")]);
    let newer =
        b"{\"type\":\"session\",\"schema\":2,\"id\":\"newer\"}\n{\"type\":\"prompt\",\"text\":1}\n{\"torn";
    fs::write(project.file("newer.jsonl"), newer).unwrap();
    let store = &project.store;
    let all = PrunePolicy { keep: Some(0), max_age_days: Some(0), ..PrunePolicy::default() };
    assert_eq!(store.read("newer").unwrap_err().kind(), ErrorKind::SchemaTooNew);
    assert_eq!(store.rename("newer", "x").unwrap_err().kind(), ErrorKind::SchemaTooNew);
    assert_eq!(store.set_context("newer", "{}").unwrap_err().kind(), ErrorKind::SchemaTooNew);
    assert_eq!(store.fork("newer", None).unwrap_err().kind(), ErrorKind::SchemaTooNew);
    assert_eq!(Recorder::open(store, "newer").unwrap_err().kind(), ErrorKind::SchemaTooNew);
    let text = String::from_utf8_lossy(newer);
    assert_eq!(store.import(&text).unwrap_err().kind(), ErrorKind::SchemaTooNew);
    let listing = store.list(&locus_exec::history::ListFilter::default()).unwrap();
    assert_eq!(listing.total, 1);
    assert!(listing.problems[0].message.contains("newer version"), "{:?}", listing.problems);
    assert_eq!(store.prune(&all).unwrap().removed, ["known"]);
    assert_eq!(store.clear().unwrap(), 0);
    assert_eq!(fs::read(project.file("newer.jsonl")).unwrap(), newer);
}

#[test]
fn fault_59_an_empty_state_is_no_fault() {
    let project = Project::new();
    project.put("empty", 5, &[]);
    fs::write(project.file("empty.jsonl"), "").unwrap();
    fs::write(project.file("nothing.jsonl.zst"), "").unwrap();
    fs::write(project.file("none.json"), "").unwrap();
    fs::create_dir(project.file("folder.jsonl")).unwrap();
    let listing = project.store.list(&locus_exec::history::ListFilter::default()).unwrap();
    assert!(listing.sessions.iter().all(|session| session.turns == 0));
    let told: Vec<_> =
        listing.problems.iter().map(|problem| problem.file.rsplit('/').next().unwrap()).collect();
    assert!(told.contains(&"folder.jsonl") && told.contains(&"none.json"), "{told:?}");
    project.store.rename("empty", "no more").unwrap();
    assert_eq!(project.store.read("empty").unwrap().header.id, "empty");
}

#[test]
fn fault_72_only_ids_are_ids() {
    let project = Project::new();
    project.put("one", 5, &[("p", "a")]);
    fs::write(project.path().join(".locus/config.jsonl"), session("config", 5, &[])).unwrap();
    let long = "a".repeat(10_000);
    let ids = ["", "../config", "..", "%2e%2e", "a\0b", "/etc/passwd", "a/b", "a\\b", "é", ".", "a.b", &long];
    for id in ids {
        let store = &project.store;
        let kinds = [
            store.read(id).unwrap_err().kind(),
            store.find(id).unwrap_err().kind(),
            store.remove(id).unwrap_err().kind(),
            store.rename(id, "x").unwrap_err().kind(),
            store.set_context(id, "{}").unwrap_err().kind(),
            store.fork(id, None).unwrap_err().kind(),
            store.export(id).unwrap_err().kind(),
            Recorder::open(store, id).unwrap_err().kind(),
        ];
        assert_eq!(kinds, [ErrorKind::InvalidInput; 8], "{id:?}");
    }
    let error = project.store.read(&long).unwrap_err().to_string();
    assert!(error.len() < 200, "{error}");
    assert!(project.path().join(".locus/config.jsonl").exists());
    let evil = String::from_utf8(session("../../evil", 5, &[("p", "a")])).unwrap();
    let id = project.store.import(&evil).unwrap();
    assert!(SessionId::parse(&id).is_ok() && !project.path().join("evil.jsonl").exists());
}

#[test]
#[cfg(unix)]
fn fault_76_nobody_else_may_read_whatever_the_umask() {
    use std::os::unix::fs::PermissionsExt;
    for umask in ["000", "777"] {
        let project = Project::new();
        fs::create_dir(project.path().join(".locus")).unwrap();
        fs::remove_dir(project.path().join(".locus")).unwrap();
        let script = format!("umask {umask}; exec \"$@\"");
        let wrapper = ["sh", "-c", &script, "sh"];
        pass(command(&wrapper, project.path(), "append a 3"));
        pass(command(&wrapper, project.path(), "set-context a 11"));
        let mut seen = Vec::new();
        each_file(&project.path().join(".locus"), &mut |path| {
            let mode = path.symlink_metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "umask {umask}: {}", path.display());
            seen.push(path.file_name().unwrap().to_string_lossy().into_owned());
        });
        for name in [".locus", ".gitignore", "exec-history", "index", "v2.db"] {
            assert!(seen.iter().any(|seen| seen == name), "{name} is in {seen:?}");
        }
        assert_eq!(fs::read_to_string(project.path().join(".locus/.gitignore")).unwrap(), "*\n");
    }
}

#[test]
#[cfg(unix)]
fn fault_77_symlinks_to_the_outside_are_refused() {
    use std::os::unix::fs::symlink;
    let outside = tempfile::tempdir().unwrap();
    let theirs = outside.path().join("one.jsonl");
    let before = session("one", 5, &[("theirs", "a")]);
    for link in
        [".locus", ".locus/exec-history", ".locus/exec-history/one.jsonl", ".locus/exec-history/one.open"]
    {
        fs::write(&theirs, &before).unwrap();
        let project = Project::new();
        let link = project.path().join(link);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        let is_file = link.extension().is_some();
        symlink(if is_file { &theirs } else { outside.path() }, &link).unwrap();
        if link.ends_with("one.open") {
            project.put("one", 5, &[("ours", "a")]);
        } else {
            assert_eq!(
                project.store.read("one").unwrap_err().kind(),
                ErrorKind::History,
                "{}",
                link.display()
            );
        }
        let error = project.store.rename("one", "x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::History, "{}", link.display());
        assert!(error.report().error.contains("symlink"), "{error}");
        let new = locus_exec::history::NewSession { id: "two".into(), ..Default::default() };
        if !is_file {
            assert_eq!(Recorder::create(&project.store, new).unwrap_err().kind(), ErrorKind::History);
            assert_eq!(project.store.clear().unwrap_err().kind(), ErrorKind::History);
        }
        assert_eq!(fs::read(&theirs).unwrap(), before);
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1, "nothing was made there");
    }
    // One that leads to nothing would be written through.
    let project = Project::new();
    symlink(outside.path().join("nothing"), project.path().join(".locus")).unwrap();
    assert_eq!(
        project.store.import(&String::from_utf8(before.clone()).unwrap()).unwrap_err().kind(),
        ErrorKind::History
    );
    // One that stays inside is somebody's own order.
    let project = Project::new();
    fs::create_dir(project.path().join("elsewhere")).unwrap();
    symlink(project.path().join("elsewhere"), project.path().join(".locus")).unwrap();
    project.store.import(&String::from_utf8(before).unwrap()).unwrap();
    assert!(project.path().join("elsewhere/exec-history/one.jsonl").exists());
}

#[tokio::test]
async fn fault_78_secrets_do_not_reach_the_disk() {
    let project = Project::new();
    let mut fakes: Vec<String> =
        ["sk-ant-api03-", "ghp_", "xoxb-"].map(|prefix| format!("{prefix}{}", "a1B2c3D4".repeat(5))).into();
    fakes.push("correct horse battery staple".to_owned());
    let redactor = Redactor::from_env([("MY_SECRET".to_owned(), fakes[3].clone())]);
    let store = Store::of_project(project.path(), None, redactor);
    let all = fakes.join(" and ");
    let mut recorder = recorder(&store, "one");
    recorder.prompt("r", &all);
    for piece in all.as_bytes().chunks(5) {
        recorder.text("r", std::str::from_utf8(piece).unwrap());
    }
    let parameters = json_of(&json!({ "command": format!("echo {all}"), "list": [{ "a": all }] }));
    let (tool, id) = ("Bash", "t");
    recorder.payload(
        "r",
        Chunk::ToolParameters { tool: tool.into(), id: id.into(), parameters, parent_tool_use_id: None },
    );
    recorder.payload(
        "r",
        Chunk::ToolResult {
            tool: tool.into(),
            id: id.into(),
            success: false,
            error: Some((&all).into()),
            duration: 1,
            data: None,
            parent_tool_use_id: None,
        },
    );
    recorder.end("r", &format!("it is {all}"));
    recorder.close().await.unwrap();
    store.rename("one", &all).unwrap();
    store.set_context("one", &json!({ "a": [all] }).to_string()).unwrap();
    let mut text = Vec::new();
    Record::State(locus_exec::history::State { title: Some(all.clone()), ..Default::default() })
        .write(1, &mut text);
    let imported = [session("two", 5, &[(&all, &all)]), text].concat();
    store.import(&String::from_utf8(imported).unwrap()).unwrap();
    assert_eq!(store.search("and", 9).unwrap().len(), 4, "the index is there");

    let stored = store.read("one").unwrap();
    assert!(stored.messages.iter().all(|message| message.content.contains(REDACTED)));
    let mut files = 0;
    each_file(&project.path().join(".locus"), &mut |path| {
        if path.is_file() {
            files += 1;
            let bytes = fs::read(path).unwrap();
            for secret in fakes.iter().flat_map(|fake| [&fake[..], &fake[fake.len() - 12..]]) {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{secret} is in {}", path.display());
            }
        }
    });
    assert!(files >= 3);
}

/// A session as the plan writes it.
fn plan_json(id: &str) -> String {
    json!({
        "id": id, "projectPath": "/p", "createdAt": 5, "updatedAt": 9,
        "metadata": { "model": "m", "provider": "claude" },
        "messages": [
            { "role": "user", "content": "hello", "timestamp": 6 },
            { "role": "assistant", "content": "hi", "timestamp": 7 },
        ],
    })
    .to_string()
}

fn each_file(path: &Path, see: &mut dyn FnMut(&Path)) {
    see(path);
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            each_file(&entry.unwrap().path(), see);
        }
    }
}
