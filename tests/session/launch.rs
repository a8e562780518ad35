//! How the agent is started, and what is said when it cannot be.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use locus_exec::run::SessionOptions;
use serde_json::Value;

use crate::support::{Host, agent, set};

/// The error of a turn whose process could not be started.
async fn refused(change: impl FnOnce(&mut SessionOptions, &Path)) -> Value {
    let mut host = Host::with("answers-with-its-pid", change);
    let turn = host.turn("hi").await;
    assert_eq!(
        turn.kinds(),
        [
            "session:started",
            "prompt:submitted",
            "turn:started",
            "status:changed",
            "error:occurred",
            "response:completed",
            "turn:completed"
        ],
        "a turn that cannot start is told like any other"
    );
    turn.error()
}

#[tokio::test]
async fn a_missing_executable_is_named_with_the_remedy() {
    let error = refused(|options, _| options.agent.executable = Some("no-such-claude".into())).await;
    assert_eq!(error["code"], "CLI_NOT_FOUND");
    let message = error["error"].as_str().unwrap();
    assert!(message.starts_with("'no-such-claude' was not found on PATH; install Claude Code"), "{message}");
}

#[tokio::test]
async fn a_missing_working_directory_is_not_blamed_on_the_executable() {
    let error = refused(|options, folder| options.agent.cwd = folder.join("gone")).await;
    assert_eq!(error["code"], "INVALID_DIRECTORY");
    let message = error["error"].as_str().unwrap();
    assert!(message.ends_with("/gone' does not exist"), "{message}");
}

#[tokio::test]
async fn a_file_is_no_working_directory() {
    let error = refused(|options, folder| {
        options.agent.cwd = folder.join("file");
        fs::write(&options.agent.cwd, "").unwrap();
    })
    .await;
    assert_eq!(error["code"], "INVALID_DIRECTORY");
    let message = error["error"].as_str().unwrap();
    assert!(message.ends_with("/file' is not a directory"), "{message}");
}

#[tokio::test]
async fn a_file_that_is_not_executable_is_not_called_missing() {
    let error = refused(|options, folder| {
        let file = folder.join("claude");
        fs::write(&file, "#!/bin/sh\n").unwrap();
        options.agent.executable = Some(file.into());
    })
    .await;
    assert_eq!(error["code"], "SPAWN_FAILED");
    let message = error["error"].as_str().unwrap();
    assert!(message.contains("/claude'") && message.contains("ermission denied"), "{message}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_runner_that_cannot_be_run_is_not_blamed_on_the_executable() {
    for exists in [false, true] {
        let error = refused(|options, folder| {
            options.agent.runner = folder.join("locus-runner");
            if exists {
                fs::write(&options.agent.runner, "").unwrap();
            }
        })
        .await;
        assert_eq!(error["code"], "BROKEN_INSTALLATION", "{error}");
        let message = error["error"].as_str().unwrap();
        assert!(message.contains("/locus-runner', a part of this package: "), "{message}");
    }
}

#[tokio::test]
async fn a_session_whose_agent_was_missing_works_once_it_is_there() {
    let mut host = Host::with("answers-with-its-pid", |options, folder| {
        options.agent.executable = Some(folder.join("claude").into());
    });
    assert_eq!(host.turn("hi").await.error()["code"], "CLI_NOT_FOUND");
    std::os::unix::fs::symlink(agent("tells-how-it-was-started"), host.folder.path().join("claude")).unwrap();
    fs::create_dir(host.folder.path().join("lib")).unwrap();
    fs::copy(agent("lib/claude.sh"), host.folder.path().join("lib/claude.sh")).unwrap();
    assert!(host.turn("hi").await.answer().starts_with("args="));
}

/// What the agent says of how it was started.
async fn told(change: impl FnOnce(&mut SessionOptions, &Path)) -> String {
    Host::with("tells-how-it-was-started", change).turn("hi").await.answer()
}

const PROTOCOL_ARGS: &str = "args=[--print --input-format stream-json --output-format stream-json --verbose \
                             --include-partial-messages --permission-prompt-tool stdio";

#[tokio::test]
async fn the_agent_runs_in_the_working_directory_with_its_options_as_arguments() {
    let mut folder = None;
    let answer = told(|options, path| {
        folder = Some(path.canonicalize().unwrap());
        options.agent.model = Some("opus".into());
        options.agent.permission_mode = Some("plan".into());
        options.agent.system_prompt = Some("Be brief.".into());
        options.agent.permissions.allowed = vec!["Read".into()];
        options.agent.permissions.denied = vec!["Bash(rm *)".into()];
        options.agent.extra_args = vec!["--max-turns".into(), "3".into()];
    })
    .await;
    let args = "--model=opus --permission-mode=plan --append-system-prompt=Be brief. --allowedTools=Read \
                --disallowedTools=Bash(rm *) --max-turns 3";
    let folder = folder.unwrap();
    assert_eq!(
        answer.split(" FOO=").next().unwrap(),
        format!("{PROTOCOL_ARGS} {args}] cwd=[{}]", folder.display())
    );
}

#[tokio::test]
async fn a_wrapper_is_really_in_front_of_the_agent() {
    let wrapper: Vec<OsString> = vec!["env".into(), "FOO=wrapped up".into()];
    let answer = told(|options, _| options.agent.wrapper = wrapper).await;
    assert!(answer.starts_with(PROTOCOL_ARGS), "the arguments are the agent's: {answer}");
    assert!(answer.contains(" FOO=[wrapped up] "), "{answer}");
}

#[tokio::test]
async fn an_agent_that_is_missing_behind_a_wrapper_is_told_by_the_wrapper() {
    let mut host = Host::with("answers-with-its-pid", |options, _| {
        options.agent.wrapper = vec!["env".into()];
        options.agent.executable = Some("no-such-claude".into());
    });
    let error = host.turn("hi").await.error();
    assert_eq!((&error["code"], &error["exitCode"]), (&"EXITED_BEFORE_INIT".into(), &127.into()));
    assert!(error["stderrTail"].as_str().unwrap().contains("no-such-claude"), "{error}");
}

#[tokio::test]
async fn the_executable_is_looked_up_on_the_path_that_the_options_give() {
    let answer = told(|options, _| {
        let agents = agent("tells-how-it-was-started").parent().unwrap().to_owned();
        let usual = std::env::var_os("PATH").unwrap();
        let path = [agents].into_iter().chain(std::env::split_paths(&usual));
        set(options, "PATH", std::env::join_paths(path).unwrap());
        options.agent.executable = Some("tells-how-it-was-started".into());
    })
    .await;
    assert!(answer.starts_with(PROTOCOL_ARGS), "{answer}");
}

#[tokio::test]
async fn a_session_goes_on_with_the_conversation_it_is_given() {
    let answer = told(|options, _| options.agent.resume = Some("conversation-0".into())).await;
    assert!(answer.contains(" --resume=conversation-0]"), "{answer}");
}

#[tokio::test]
async fn the_environment_is_the_hosts_with_the_changes_and_without_the_signs_of_another_claude() {
    const NAME: &str =
        "launch::the_environment_is_the_hosts_with_the_changes_and_without_the_signs_of_another_claude";
    // The environment of a running process cannot be changed safely, so the test runs itself in another one.
    if std::env::var_os("HOST_VARIABLE").is_none() {
        let test = std::env::current_exe().unwrap();
        let output = Command::new(test)
            .args(["--exact", NAME])
            .envs([("HOST_VARIABLE", "inherited"), ("CLAUDECODE", "1")])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "the test has run");
        return;
    }
    let answer = told(|options, _| set(options, "FOO", "changed")).await;
    assert!(answer.ends_with(" FOO=[changed] HOST=[inherited] CLAUDECODE=[unset]"), "{answer}");

    let unset = told(|options, _| options.agent.env.push(("HOST_VARIABLE".into(), None))).await;
    assert!(unset.contains(" HOST=[unset] "), "{unset}");

    let chosen = told(|options, _| set(options, "CLAUDECODE", "on purpose")).await;
    assert!(chosen.ends_with(" CLAUDECODE=[on purpose]"), "what is set on purpose stays: {chosen}");
}
