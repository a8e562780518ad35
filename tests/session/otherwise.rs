//! An agent whose version does not know the way it is spoken to, and whose entry says which other way there is.

use locus_exec::agent::registry::Registry;
use locus_exec::event::EventKind;

use crate::support::{Event, Host};

/// An agent by this name that speaks ACP, otherwise like claude.
fn two_ways(agent: &str) -> Host {
    let config = tempfile::tempdir().unwrap();
    let file = "[agents.both]\ndialect = 'acp'\nargs = ['--acp']\nenv = { FOO = 'of-both' }\notherwise = 'json'\n\
                [agents.json]\ndialect = 'claude'\nargs = ['--json']\nenv = { FOO = 'of-json' }\n";
    std::fs::write(config.path().join("agents.toml"), file).unwrap();
    let registry = Registry::of_project(config.path(), Some(config.path()), false).unwrap();
    Host::of_agent(registry.agent("both").unwrap(), agent, |_, _| {})
}

#[tokio::test]
async fn the_other_way_is_spoken_where_the_first_is_not_known() {
    let mut host = two_ways("refuses-acp");
    let first = host.turn("one").await;
    let answer = first.answer();
    assert!(answer.starts_with("args=[--json --print"), "{answer}");
    assert!(answer.ends_with("FOO=[of-both]"), "it stays the agent that it was: {answer}");
    assert_eq!(first.the(EventKind::SessionStarted)["provider"], "both");
    let fallbacks = |kind: EventKind| {
        let of_kind = first.events.iter().filter(move |event| event.kind == kind).map(Event::data);
        of_kind.filter(|data| data["status"] == "fallback").count()
    };
    assert_eq!(fallbacks(EventKind::StatusChanged), 1);
    let second = host.turn("two").await;
    assert!(second.was_warm() && second.answer().starts_with("args=[--json"), "it is known by now");
}

#[tokio::test]
async fn it_is_not_spoken_where_the_first_is_known() {
    let mut host = two_ways("acp-that-repeats-its-prompt");
    assert_eq!(host.turn("a word").await.answer(), "a word ");
}
