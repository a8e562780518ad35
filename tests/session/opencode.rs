//! What the run does for agents whose turn is over when their process is.

use locus_exec::agent::agent_named;
use locus_exec::event::EventKind;
use locus_exec::run::TurnOptions;
use serde_json::json;

use crate::support::{Host, turn};

fn opencode(resume: Option<&str>) -> Host {
    Host::of_agent(agent_named("opencode-json").unwrap(), "opencode-that-answers", |options, _| {
        options.agent.resume = resume.map(ToOwned::to_owned);
        options.agent.permissions.allowed = vec!["bash(git *)".to_owned()];
        options.agent.env.push(("PWD".into(), Some("/elsewhere".into())));
    })
}

#[tokio::test]
async fn each_process_ends_its_turn_and_the_next_goes_on() {
    let mut host = opencode(None);
    for (prompt, session) in [("one", ""), ("two", "--session=ses_1 ")] {
        let told = host.turn(prompt).await;
        let answer = told.answer();
        let [said, args, folder, rules] = answer.split(" | ").collect::<Vec<_>>()[..] else {
            panic!("{answer}")
        };
        assert_eq!(said, prompt);
        assert_eq!(format!("{args} "), format!("run --format=json --thinking --title= {session}"));
        assert_eq!(folder, host.folder.path().to_string_lossy());
        assert!(rules.contains("'bash *':{'*':'ask','git *':'allow'}"), "{rules}");
        let completed = told.the(EventKind::TurnCompleted);
        assert_eq!(completed["usage"]["input"], json!(25), "a turn has its own");
        assert_eq!(completed["usage"]["costUsd"], json!(0.5));
        assert!(!told.was_warm());
    }
}

#[tokio::test]
async fn one_that_does_not_know_the_conversation_is_told_of_it() {
    let mut host = opencode(Some("ses_2"));
    let running = host.begin_with(TurnOptions { retold: Some("told, then hi".to_owned()), ..turn("hi") });
    let told = host.finish(running).await;
    assert!(told.answer().starts_with("told, then hi | run "), "{}", told.answer());

    let mut host = opencode(Some("ses_2"));
    let failed = host.turn("hi").await;
    assert_eq!(failed.error()["code"], "EXITED_BEFORE_INIT");
    assert!(failed.error()["stderrTail"].as_str().unwrap().contains("Session not found"));
}
