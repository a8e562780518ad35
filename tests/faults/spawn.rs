//! An agent that cannot be started: one typed error that names the real cause. Faults 15 to 25 and 30.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use locus_exec::run::SessionOptions;
use rustix::fs::inotify;
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, WaitOptions, getrlimit, setrlimit, wait};
use serde_json::Value;
use tokio::task::spawn_blocking;

use crate::another_process;
use crate::support::{Host, Turn, agent, patiently, set};

/// The error of a turn whose agent cannot be started, and its message.
async fn refused(change: impl FnOnce(&mut SessionOptions, &Path)) -> (Value, String) {
    refusal(&Host::with("answers-with-its-pid", change).turn("hi").await)
}

fn refusal(turn: &Turn) -> (Value, String) {
    let mut error = turn.error();
    assert_eq!((&error["exitCode"], &error["signal"]), (&Value::Null, &Value::Null), "no agent has run");
    let message = error["error"].as_str().unwrap().to_owned();
    (error["code"].take(), message)
}

/// An executable with this content.
fn executable(path: PathBuf, content: &[u8]) -> OsString {
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.into()
}

#[tokio::test]
async fn fault_15_a_missing_binary_is_named_with_the_remedy() {
    let (code, message) =
        refused(|options, _| options.agent.executable = Some("no-such-claude".into())).await;
    assert_eq!(code, "CLI_NOT_FOUND");
    assert!(message.starts_with("'no-such-claude' was not found on PATH; install Claude Code"), "{message}");

    let (code, message) =
        refused(|options, folder| options.agent.executable = Some(folder.join("claude").into())).await;
    assert_eq!(code, "CLI_NOT_FOUND");
    assert!(message.contains("/claude' was not found; install Claude Code"), "{message}");
}

#[tokio::test]
async fn fault_16_a_missing_folder_is_not_blamed_on_the_binary() {
    let (code, message) = refused(|options, folder| options.agent.cwd = folder.join("gone")).await;
    assert_eq!(code, "INVALID_DIRECTORY");
    assert!(message.ends_with("/gone' does not exist"), "{message}");
}

#[tokio::test]
async fn fault_17_a_folder_that_may_not_be_entered_is_not_blamed_on_the_binary() {
    const NAME: &str = "spawn::fault_17_a_folder_that_may_not_be_entered_is_not_blamed_on_the_binary";
    if rustix::process::getuid().is_root() {
        // Nothing is forbidden to root.
        return another_process::pass(another_process::command(NOBODY, NAME));
    }
    let locked = |folder: &Path| {
        let locked = folder.join("locked");
        fs::create_dir(&locked).unwrap();
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
        locked
    };
    let (code, message) = refused(|options, folder| options.agent.cwd = locked(folder)).await;
    assert_eq!(code, "INVALID_DIRECTORY");
    assert!(message.contains("/locked' cannot be entered: Permission denied"), "{message}");

    let (code, message) = refused(|options, folder| options.agent.cwd = locked(folder).join("inside")).await;
    assert_eq!(code, "INVALID_DIRECTORY");
    assert!(message.contains("/inside' cannot be used: Permission denied"), "{message}");
}

/// Somebody who is not root and who has no other process.
const NOBODY: &[&str] = &["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"];

#[tokio::test]
async fn fault_18_a_file_that_is_not_executable_is_not_called_missing() {
    let (code, message) = refused(|options, folder| {
        let file = folder.join("claude");
        fs::write(&file, "#!/bin/sh\n").unwrap();
        options.agent.executable = Some(file.into());
    })
    .await;
    assert_eq!(code, "SPAWN_FAILED");
    assert!(message.contains("/claude': Permission denied"), "{message}");
}

#[tokio::test]
async fn fault_19_an_interpreter_that_is_missing_is_named() {
    let script = |content: &'static str| {
        refused(move |options, folder| {
            options.agent.executable = Some(executable(folder.join("claude"), content.as_bytes()));
        })
    };
    let (code, message) = script("#!/no/such/node\n").await;
    assert_eq!(code, "SPAWN_FAILED");
    assert!(message.contains(r#"/claude': its interpreter "/no/such/node""#), "{message}");

    let (code, message) = script("#!/bin/sh\r\necho hello\r\n").await;
    assert_eq!(code, "SPAWN_FAILED");
    assert!(message.contains(r#"its interpreter "/bin/sh\r""#), "{message}");

    let (code, message) = script("#!/etc/passwd\n").await;
    assert_eq!(code, "SPAWN_FAILED");
    assert!(message.contains(r#"its interpreter "/etc/passwd""#), "{message}");
}

/// `env` is there and tells itself what is missing.
#[tokio::test]
async fn fault_19_an_interpreter_that_env_does_not_find_is_told_by_env() {
    for (content, told) in
        [("#!/usr/bin/env no-such-node\n", "no-such-node"), ("#!/usr/bin/env sh\r\n", "sh\\r")]
    {
        let mut host = Host::with("answers-with-its-pid", |options, folder| {
            options.agent.executable = Some(executable(folder.join("claude"), content.as_bytes()));
        });
        let error = host.turn("hi").await.error();
        assert_eq!((&error["code"], &error["exitCode"]), (&"EXITED_BEFORE_INIT".into(), &127.into()));
        assert!(error["stderrTail"].as_str().unwrap().contains(told), "{error}");
    }
}

#[tokio::test]
async fn fault_19_a_missing_loader_is_not_called_a_missing_binary() {
    let (code, message) = refused(|options, folder| {
        let program = fs::read("/bin/true").unwrap();
        // What a binary for another libc comes to.
        let at =
            program.windows(LOADER.len()).position(|bytes| bytes == LOADER).expect("it names its loader");
        let foreign =
            [&program[..at], b"/lib/ld-nobody-has-this.so", &program[at + LOADER.len() - 1..]].concat();
        options.agent.executable = Some(executable(folder.join("claude"), &foreign));
    })
    .await;
    assert_eq!(code, "SPAWN_FAILED");
    assert!(message.contains("/claude': the loader that it needs was not found"), "{message}");
}

/// The loader of the programs of this machine.
const LOADER: &[u8] = if cfg!(target_arch = "x86_64") {
    b"/lib64/ld-linux-x86-64.so.2"
} else {
    b"/lib/ld-linux-aarch64.so.1\0"
};

#[tokio::test]
async fn fault_20_a_script_without_a_first_line_is_told() {
    let (code, message) = refused(|options, folder| {
        options.agent.executable = Some(executable(folder.join("claude"), b"echo hello\n"));
    })
    .await;
    assert_eq!(code, "SPAWN_FAILED");
    assert!(message.contains("/claude': it is no program of this system, and no script"), "{message}");
}

/// An agent that somebody is writing, and what happens to it.
fn busy_agent(options: &mut SessionOptions, folder: &Path) -> (File, OwnedFd) {
    let path = folder.join("claude");
    options.agent.executable = Some(executable(
        path.clone(),
        format!("#!/bin/sh\nexec {}\n", agent("answers-with-its-pid").display()).as_bytes(),
    ));
    let opened = inotify::init(inotify::CreateFlags::CLOEXEC).unwrap();
    let writer = OpenOptions::new().append(true).open(&path).unwrap();
    inotify::add_watch(&opened, &path, inotify::WatchFlags::OPEN).unwrap();
    (writer, opened)
}

#[tokio::test]
async fn fault_21_an_executable_that_is_being_written_is_tried_again() {
    let mut busy = None;
    let mut host =
        Host::with("answers-with-its-pid", |options, folder| busy = Some(busy_agent(options, folder)));
    let (writer, opened) = busy.unwrap();
    let running = host.begin("hi");
    // The first attempt to start it, and the second.
    let attempts = spawn_blocking(move || {
        let mut events = [std::mem::MaybeUninit::uninit(); 512];
        let mut events = inotify::Reader::new(&opened, &mut events);
        for _ in 0..2 {
            events.next().unwrap();
        }
    });
    patiently("a second attempt", attempts).await.unwrap();
    drop(writer);
    host.finish(running).await.answer();
}

#[tokio::test]
async fn fault_21_but_not_for_ever() {
    let mut busy = None;
    let mut host =
        Host::with("answers-with-its-pid", |options, folder| busy = Some(busy_agent(options, folder)));
    let (code, message) = refusal(&host.turn("hi").await);
    assert_eq!(code, "SPAWN_FAILED");
    assert!(message.contains("/claude': Text file busy"), "{message}");
}

#[tokio::test]
async fn fault_22_an_argument_that_is_too_long_is_told() {
    let (code, message) =
        refused(|options, _| options.agent.system_prompt = Some("x".repeat(128 * 1024))).await;
    assert_eq!(code, "SPAWN_FAILED");
    assert!(message.contains("Argument list too long"), "{message}");
}

#[tokio::test]
async fn fault_23_too_many_arguments_are_told() {
    let (code, message) =
        refused(|options, _| options.agent.extra_args = vec!["x".repeat(1023).into(); 3 * 1024]).await;
    assert_eq!(code, "SPAWN_FAILED");
    assert!(message.contains("Argument list too long"), "{message}");
}

#[tokio::test]
async fn fault_24_a_nul_in_an_argument_is_told() {
    let (code, message) =
        refused(|options, _| options.agent.extra_args = vec![OsString::from_vec(b"--a\0b".into())]).await;
    assert_eq!(code, "SPAWN_FAILED");
    assert!(message.contains("nul byte found"), "{message}");

    let (code, message) = refused(|options, _| set(options, "NAME", "a\0b")).await;
    assert_eq!(code, "SPAWN_FAILED");
    assert!(message.contains("nul byte found"), "{message}");
}

#[tokio::test]
async fn fault_25_a_prompt_that_begins_with_a_dash_is_no_option() {
    for prompt in ["--version", "-p", "--", "-"] {
        assert_eq!(Host::of("repeats-its-prompt").turn(prompt).await.answer(), prompt);
    }
    let told = Host::of("tells-how-it-was-started").turn("--dangerously-skip-permissions").await.answer();
    assert!(!told.contains("dangerously"), "{told}");
}

/// Runs turns under a limit that is raised step by step, from one that allows nothing to one that allows all: each
/// either says what is missing or succeeds.
async fn under_a_rising_limit(resource: Resource, lowest: u64, reason: &str) {
    let usual = getrlimit(resource);
    let mut host = Host::of("answers-with-its-pid");
    let mut refusals = 0;
    for limit in lowest.. {
        setrlimit(resource, Rlimit { current: Some(limit), ..usual }).unwrap();
        let turn = host.turn("hi").await;
        setrlimit(resource, usual).unwrap();
        if turn.the(locus_exec::event::EventKind::ResponseCompleted)["success"] == true {
            break;
        }
        let (code, message) = refusal(&turn);
        assert_eq!(code, "SPAWN_FAILED", "{message} with a limit of {limit}");
        assert!(message.contains(reason), "{message} with a limit of {limit}");
        refusals += 1;
    }
    assert!(refusals > 2, "{refusals}");
    host.end().await;
    assert_eq!(wait(WaitOptions::NOHANG).err(), Some(Errno::CHILD), "no process is left of the attempts");
}

#[tokio::test]
async fn fault_30_without_descriptors_a_turn_says_so_and_the_next_one_works() {
    const NAME: &str = "spawn::fault_30_without_descriptors_a_turn_says_so_and_the_next_one_works";
    if !another_process::is_this() {
        // Without the descriptors that whoever runs the tests has left open.
        let wrapper = ["perl", "-MPOSIX", "-e", "POSIX::close($_) for 3 .. 1023; exec @ARGV"];
        return another_process::pass(another_process::command(&wrapper, NAME));
    }
    let mut warm = Host::of("answers-with-its-pid");
    warm.turn("hi").await.answer();
    warm.end().await;
    let mut fillers = Vec::new();
    let before = open_descriptors();
    let highest = before.iter().max().unwrap() + 1;
    // A limit is one for the numbers: those that are free below the highest are taken.
    while open_descriptors().len() as u64 <= highest {
        fillers.push(File::open("/dev/null").unwrap());
    }
    under_a_rising_limit(Resource::Nofile, highest, "Too many open files").await;
    drop(fillers);
    assert_eq!(open_descriptors(), before);
}

#[tokio::test]
async fn fault_30_without_processes_a_turn_says_so_and_the_next_one_works() {
    const NAME: &str = "spawn::fault_30_without_processes_a_turn_says_so_and_the_next_one_works";
    if !another_process::is_this() {
        // Root has no such limit. Whoever has is counted over all processes of his, therefore one who has none.
        let wrapper = if rustix::process::getuid().is_root() { NOBODY } else { &[] };
        return another_process::pass(another_process::command(wrapper, NAME));
    }
    let threads = fs::read_dir("/proc/self/task").unwrap().count() as u64;
    under_a_rising_limit(Resource::Nproc, threads, "Resource temporarily unavailable").await;
}

fn open_descriptors() -> Vec<u64> {
    let numbers = fs::read_dir("/proc/self/fd").unwrap();
    numbers.map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap()).collect()
}
