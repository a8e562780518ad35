//! Faults 54 and 60 and the read-only folder of 59: disks that are full, limited, broken, without power or read-only. Each part runs in a
//! process of its own, within limits or a mount that only that process has.

use std::fs;
use std::process::Command;

use locus_exec::ErrorKind;
use locus_exec::history::{BACKLOG_LIMIT, ListFilter, Recorder, Role, Store};

use super::process::{Running, command, open_or_create, pass, prompt, say};
use super::support::{Observe, Project, not_run, recorder, store_of};

/// Mounts a file system of 256 KB over the history, in a namespace of its own.
const ON_A_SMALL_DISK: &str = "mkdir -p \"$LOCUS_HISTORY_PROJECT/.locus\" && \
    mount -t tmpfs -o size=256k,mode=700 none \"$LOCUS_HISTORY_PROJECT/.locus\" && exec \"$@\"";

/// Whether this user may mount something in a namespace of its own.
fn may_mount() -> bool {
    let may = Command::new("unshare").args(["-Urm", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    let may = may.is_ok_and(|output| output.status.success());
    if !may {
        not_run("a user namespace");
    }
    may
}

/// What is stored, as the numbers that were appended.
fn stored(store: &Store) -> Vec<u64> {
    let session = store.read("one").unwrap();
    assert_eq!(session.problems, [], "nothing is torn");
    let prompts = session.messages.iter().filter(|message| message.role == Role::User);
    prompts.map(|message| message.content.trim_end().parse().unwrap()).collect()
}

/// Appends numbers until that fails; how many could be, and what the failure says.
fn append_until_it_fails(store: &Store) -> (u64, String) {
    let mut conversation = open_or_create(store);
    for number in 0..10_000 {
        // Nothing divides a block by this length: some write is cut short.
        if let Err(error) = conversation.append(&prompt(&format!("{number:<1777}"))) {
            assert_eq!(error.kind(), ErrorKind::History);
            return (number, error.report().error);
        }
    }
    panic!("the disk has no end");
}

#[test]
#[cfg(target_os = "linux")]
fn fault_54_a_full_disk_is_told_and_loses_nothing() {
    if may_mount() {
        let project = Project::new();
        let wrapper = ["unshare", "-Urm", "sh", "-c", ON_A_SMALL_DISK, "sh"];
        pass(command(&wrapper, project.path(), "fill-the-disk"));
    }
}

pub(crate) fn fill(store: &Store) {
    drop(open_or_create(store));
    let ballast = store.folder().path().join("ballast");
    fs::write(&ballast, vec![1; 32 * 1024]).unwrap();
    let (count, error) = append_until_it_fails(store);
    assert!(error.contains("one.jsonl") && error.contains("free some space"), "{error}");
    assert!(stored(store).into_iter().eq(0..count), "all that was acknowledged, and nothing else");

    // A recorder tells, keeps what it could not write, and writes it when there is room.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut recorder = Recorder::open(store, "one").unwrap();
    recorder.prompt("r", &format!("{count:<20000}"));
    let error = runtime.block_on(recorder.sync()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::History);
    assert!(recorder.failure().is_some());
    assert!(stored(store).into_iter().eq(0..count));
    fs::remove_file(ballast).unwrap();
    runtime.block_on(recorder.sync()).unwrap();
    assert!(recorder.failure().is_none());
    runtime.block_on(recorder.close()).unwrap();
    assert!(stored(store).into_iter().eq(0..=count));
    // There is no room for an index either; it is done without.
    assert_eq!(store.list(&ListFilter::default()).unwrap().total, 1);
}

#[test]
#[cfg(unix)]
fn fault_54_a_limit_of_the_file_size_cuts_a_write_short_and_loses_nothing() {
    let project = Project::new();
    let script = "trap '' XFSZ; ulimit -f 100; exec \"$@\"";
    pass(command(&["sh", "-c", script, "sh"], project.path(), "reach-the-limit"));
    let size = fs::metadata(project.file("one.jsonl")).unwrap().len();
    assert!(size.is_multiple_of(512) || size > 1000);
    project.store.rename("one", "without the limit").unwrap();
    assert_eq!(project.store.read("one").unwrap().problems, []);
}

pub(crate) fn reach_the_limit(store: &Store) {
    let (count, error) = append_until_it_fails(store);
    assert!(count > 10, "{count}");
    assert!(error.contains("one.jsonl") && error.contains("ulimit"), "{error}");
    assert!(stored(store).into_iter().eq(0..count), "the write that was cut short is undone");
}

#[test]
#[cfg(target_os = "linux")]
fn fault_54_a_failed_sync_is_final() {
    if Command::new("strace").arg("true").output().is_err() {
        not_run("strace");
        return;
    }
    let project = Project::new();
    project.put("one", 5, &[("0", "a")]);
    let inject = "inject=fdatasync:error=EIO:when=1";
    let wrapper = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", inject];
    pass(command(&wrapper, project.path(), "fail-to-sync"));
    pass(command(&wrapper, project.path(), "record-on-a-failed-disk"));
    assert_eq!(project.store.read("one").unwrap().problems, []);
}

pub(crate) fn fail_to_sync(store: &Store) {
    let mut conversation = open_or_create(store);
    conversation.append(&prompt("1")).unwrap();
    let error = conversation.sync().unwrap_err();
    assert!(error.report().error.contains("one.jsonl"), "{}", error.report().error);
    // The next sync of the kernel would succeed; what the first one lost stays lost.
    assert_eq!(conversation.sync().unwrap_err().kind(), ErrorKind::History);
    assert_eq!(conversation.append(&prompt("2")).unwrap_err().kind(), ErrorKind::History);
    assert_eq!(stored(store), [0, 1]);
}

/// What cannot be written any more is not to be written to the same file opened again.
pub(crate) fn record_on_a_failed_disk(store: &Store) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut recorder = Recorder::open(store, "one").unwrap();
    for prompt in ["2", &"x".repeat(BACKLOG_LIMIT + 1)] {
        recorder.prompt("r", prompt);
        assert_eq!(runtime.block_on(recorder.sync()).unwrap_err().kind(), ErrorKind::History);
        assert!(!recorder.gave_up());
    }
}

#[test]
#[cfg(target_os = "linux")]
fn fault_59_a_read_only_folder_can_be_read() {
    if may_mount() {
        let project = Project::new();
        let wrapper = ["unshare", "-Urm", "sh", "-c", ON_A_SMALL_DISK, "sh"];
        pass(command(&wrapper, project.path(), "read-only"));
    }
}

pub(crate) fn read_only(store: &Store) {
    let mut conversation = open_or_create(store);
    conversation.append(&prompt("0")).unwrap();
    drop(conversation);
    let mount = store.folder().path().parent().unwrap();
    let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(mount).status().unwrap();
    assert!(remounted.success());
    assert_eq!(stored(store), [0]);
    assert_eq!(store.list(&ListFilter::default()).unwrap().total, 1);
    assert_eq!(store.search("0", 9).unwrap().len(), 1);
    assert_eq!(store.find("o").unwrap(), ["one"]);
    for error in [
        store.rename("one", "x").unwrap_err(),
        store.remove("one").unwrap_err(),
        store.fork("one", None).unwrap_err(),
        Recorder::open(store, "one").unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::History);
        assert!(error.to_string().contains("make it writable"), "{}", error.report().error);
    }
}

/// What is on the disk of a file system that is mounted from an image, at any moment, is what a power cut leaves: the copy
/// of the image has what the file system has given to its disk, and nothing of what it still had in memory.
#[test]
#[cfg(target_os = "linux")]
fn fault_60_a_power_cut_loses_nothing_that_was_durable() {
    use rustix::process::{Pid, Signal, kill_process};
    let images = tempfile::tempdir().unwrap();
    let disk = images.path().join("disk");
    fs::File::create(&disk).unwrap().set_len(16 << 20).unwrap();
    let made = Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&disk).output();
    let mounted = made.ok().filter(|made| made.status.success()).and_then(|_| Mount::of(&disk));
    let Some(mount) = mounted else { return not_run("root, loop devices and mkfs.ext4") };
    let mut acknowledged = 0;
    for cut in 0..5 {
        let task = format!("make-durable {}", acknowledged + 1);
        let mut writer = Running::start(command(&[], &mount.folder, &task));
        let hear = |writer: &mut Running| writer.hear("ack ").map(|number| number.parse::<u64>().unwrap());
        for _ in 0..10 {
            acknowledged = hear(&mut writer).expect("it writes");
        }
        let pid = Pid::from_child(&writer.child);
        kill_process(pid, Signal::STOP).unwrap();
        let left = images.path().join(format!("left-{cut}"));
        fs::copy(&disk, &left).unwrap();
        writer.child.kill().unwrap();
        while let Some(number) = hear(&mut writer) {
            acknowledged = number;
        }
        writer.child.wait().unwrap();

        let after = Mount::of(&left).unwrap();
        let store = store_of(&after.folder);
        // A record that was on its way without being durable may be torn; whoever goes on drops it.
        store.rename("one", "after the power cut").unwrap();
        let session = store.read("one").unwrap();
        assert!(session.problems.len() <= 1, "{:?}", session.problems);
        let prompts = session.messages.iter().filter(|message| message.role == Role::User);
        let numbers: Vec<u64> = prompts.map(|message| message.content.parse().unwrap()).collect();
        let last = numbers.len() as u64;
        assert!(last >= acknowledged, "{acknowledged} was acknowledged, {last} is the last");
        assert!(numbers.into_iter().eq(1..=last), "all in order, none twice");
        acknowledged = store_of(&mount.folder).read("one").unwrap().summary.turns;
    }
}

/// Records prompts, each with more text than is made durable, and says each when it is.
pub(crate) fn make_durable(store: &Store, begin: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    drop(open_or_create(store));
    let mut recorder = Recorder::open(store, "one").unwrap_or_else(|_| recorder(store, "one"));
    for number in begin.. {
        let number = number.to_string();
        recorder.prompt(&number, &number);
        runtime.block_on(recorder.sync()).unwrap();
        say(&format!("ack {number}"));
        recorder.text(&number, &"x".repeat(1000));
    }
}

/// A mounted image.
#[cfg(target_os = "linux")]
struct Mount {
    folder: std::path::PathBuf,
    _place: tempfile::TempDir,
}

#[cfg(target_os = "linux")]
impl Mount {
    fn of(image: &std::path::Path) -> Option<Self> {
        let place = tempfile::tempdir().unwrap();
        let mounted =
            Command::new("mount").args(["-o", "loop"]).arg(image).arg(place.path()).output().ok()?;
        mounted.status.success().then(|| Self { folder: place.path().to_owned(), _place: place })
    }
}

#[cfg(target_os = "linux")]
impl Drop for Mount {
    fn drop(&mut self) {
        // What cannot be unmounted now is when it is no longer used.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}
