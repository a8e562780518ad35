//! Another process that writes into a history: this test program again, told by its environment what to do.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::{env, thread};

use locus_exec::history::{Conversation, Header, PrunePolicy, Record, Recorder, SCHEMA, SessionId, Store};

use super::support::{Observe, store_of};

/// What it is to do.
const TASK: &str = "LOCUS_HISTORY_TASK";
/// In which project.
const PROJECT: &str = "LOCUS_HISTORY_PROJECT";

/// A process that does `task` in `project`; `wrapper` is put in front of it.
pub(crate) fn command(wrapper: &[&str], project: &Path, task: &str) -> Command {
    let this = env::current_exe().unwrap();
    let mut argv = wrapper.iter().map(Into::into).chain([this.into_os_string()]);
    let mut command = Command::new(argv.next().unwrap());
    command
        .args(argv)
        .args(["--exact", "process::does_its_task", "--include-ignored", "--nocapture"])
        .env(TASK, task)
        .env(PROJECT, project);
    command
}

/// Runs it to its end, which is to be good.
pub(crate) fn pass(mut command: Command) {
    let output = command.output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{stdout}{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains("1 passed"), "it has run: {stdout}");
}

/// A running one, and what it says.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) says: BufReader<ChildStdout>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let says = BufReader::new(child.stdout.take().unwrap());
        Self { child, says }
    }

    /// Waits until it has said `word`, at the beginning of a line; the rest of the line.
    pub(crate) fn hear(&mut self, word: &str) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.says.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            // The test harness says something before it on the first line.
            if let Some((_, rest)) = line.split_once(word) {
                return Some(rest.trim().to_owned());
            }
        }
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
#[ignore = "run by other tests, in another process"]
fn does_its_task() {
    let project = env::var(PROJECT).unwrap();
    let store = store_of(Path::new(&project));
    let task = env::var(TASK).unwrap();
    let words: Vec<&str> = task.split(' ').collect();
    match words[..] {
        ["acknowledge", begin] => acknowledge(&store, begin.parse().unwrap()),
        ["append", name, count] => append(&store, name, count.parse().unwrap()),
        ["record", name, count] => record(&store, name, count.parse().unwrap()),
        ["set-context", name, count] => set_context(&store, name, count.parse().unwrap()),
        ["hold"] => hold(&store),
        ["everything"] => everything(&store),
        ["make-durable", begin] => super::disk::make_durable(&store, begin.parse().unwrap()),
        ["fill-the-disk"] => super::disk::fill(&store),
        ["reach-the-limit"] => super::disk::reach_the_limit(&store),
        ["fail-to-sync"] => super::disk::fail_to_sync(&store),
        ["record-on-a-failed-disk"] => super::disk::record_on_a_failed_disk(&store),
        ["read-only"] => super::disk::read_only(&store),
        #[cfg(target_os = "linux")]
        ["record-two-hundred"] => super::hanging::record_two_hundred(&store),
        _ => panic!("{task:?} is no task"),
    }
}

/// Opens the session `one`, which is made if it is not there.
pub(crate) fn open_or_create(store: &Store) -> Conversation {
    Conversation::open(store.folder(), &SessionId::parse("one").unwrap()).unwrap_or_else(|_| {
        let (id, provider) = ("one".to_owned(), "claude".to_owned());
        let header = Header { schema: SCHEMA, id, created_at: 1, provider, ..Header::default() };
        Conversation::create(store.folder(), header).unwrap()
    })
}

/// A line with a prompt that says `content`.
pub(crate) fn prompt(content: &str) -> Vec<u8> {
    let mut line = Vec::new();
    let (content, provider) = (content.to_owned(), "claude".to_owned());
    Record::Prompt { run_id: content.clone(), content, provider, model: None, images: Vec::new() }
        .write(1, &mut line);
    line
}

pub(crate) fn say(words: &str) {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{words}").and_then(|()| stdout.flush()).unwrap();
}

/// Appends `begin`, `begin` + 1, … for ever, and says each number when it is acknowledged.
fn acknowledge(store: &Store, begin: u64) {
    let mut conversation = open_or_create(store);
    for number in begin.. {
        let mut lines = prompt(&number.to_string());
        if number % 8 == 0 {
            // A write that takes long enough to be killed in.
            let content = "x".repeat(60_000);
            Record::Text { run_id: number.to_string(), content }.write(1, &mut lines);
        }
        conversation.append(&lines).unwrap();
        if number % 3 == 0 {
            conversation.sync().unwrap();
        }
        say(&format!("ack {number}"));
    }
}

fn append(store: &Store, name: &str, count: u64) {
    let mut conversation = open_or_create(store);
    for number in 0..count {
        conversation.append(&prompt(&format!("{name}-{number}"))).unwrap();
    }
}

fn record(store: &Store, name: &str, count: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut recorder = Recorder::open(store, "one").unwrap();
    for number in 0..count {
        let run = format!("{name}-{number}");
        recorder.prompt(&run, &run);
        recorder.text(&run, "yes");
        recorder.end(&run, "yes");
    }
    runtime.block_on(recorder.close()).unwrap();
}

fn set_context(store: &Store, name: &str, count: u64) {
    for number in 0..count {
        store.set_context("one", &format!("{{\"{name}\":{number}}}")).unwrap();
        if number % 10 == 0 {
            let policy = PrunePolicy {
                keep: None,
                max_age_days: None,
                compress_after_days: Some(0),
                ..PrunePolicy::default()
            };
            store.prune(&policy).unwrap();
        }
    }
}

/// Locks the session's file and its mark, and stays.
fn hold(store: &Store) {
    let conversation = open_or_create(store);
    let file = std::fs::File::open(conversation.path()).unwrap();
    file.lock().unwrap();
    say("held");
    thread::park();
}

/// Everything that changes files.
fn everything(store: &Store) {
    store.rename("plain", "a title").unwrap();
    store.set_context("old", "{\"a\":1}").unwrap();
    let policy = PrunePolicy {
        keep: None,
        max_age_days: None,
        compress_after_days: Some(0),
        ..PrunePolicy::default()
    };
    store.prune(&policy).unwrap();
    store.rename("plain", "another").unwrap();
    store.set_context("legacy", "{\"a\":1}").unwrap();
    store.fork("plain", None).unwrap();
    store.remove("unwanted").unwrap();
    let policy = PrunePolicy { keep: Some(4), max_age_days: None, ..PrunePolicy::default() };
    assert_eq!(store.prune(&policy).unwrap().removed, ["aged"]);
}
