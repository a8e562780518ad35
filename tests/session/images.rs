//! Images that go with a prompt.

use std::fs;
use std::path::Path;
use std::time::Duration;

use locus_exec::agent::ImageSource;
use locus_exec::event::EventKind;
use locus_exec::history::{Redactor, Store};
use locus_exec::run::{RetryPolicy, SessionOptions, TurnOptions};
use serde_json::{Value, json};

use crate::recording::recorded;
use crate::support::{Host, set, turn};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

fn images() -> Vec<ImageSource> {
    vec![ImageSource::Bytes { data: PNG.into(), media_type: "image/png".into(), name: "shot.png".into() }]
}

fn illustrated(prompt: &str) -> TurnOptions {
    TurnOptions { images: images(), ..turn(prompt) }
}

/// A host whose agent notes its prompts.
fn noting(agent: &str, change: impl FnOnce(&mut SessionOptions, &Path)) -> Host {
    Host::with(agent, |options, folder| {
        for name in ["STARTS", "PROMPTS", "CHANGED"] {
            set(options, name, folder.join(name));
        }
        set(options, "UNTIL", "2");
        change(options, folder);
    })
}

/// What the prompts consisted of.
fn contents(host: &Host) -> Vec<Value> {
    let noted = fs::read_to_string(host.folder.path().join("PROMPTS")).unwrap();
    let content = |line| serde_json::from_str::<Value>(line).unwrap()["message"]["content"].take();
    noted.lines().map(content).collect()
}

fn blocks(text: &str) -> Value {
    let source = json!({ "type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo=" });
    json!([{ "type": "image", "source": source }, { "type": "text", "text": text }])
}

#[tokio::test]
async fn they_are_given_to_the_agent_and_told_without_their_pixels() {
    let mut host = noting("fails-to-resume-and-notes-its-prompts", recorded);
    let running = host.begin_with(illustrated("what is this?"));
    let seen = host.finish(running).await;
    assert_eq!(contents(&host), [blocks("what is this?")]);
    let info = json!([{ "name": "shot.png", "mediaType": "image/png", "bytes": 8 }]);
    assert_eq!(seen.the(EventKind::PromptSubmitted), json!({ "prompt": "what is this?", "images": info }));
    assert_eq!(host.turn("thanks").await.the(EventKind::PromptSubmitted), json!({ "prompt": "thanks" }));

    let stored = Store::of_project(host.folder.path(), None, Redactor::default()).read("one").unwrap();
    assert_eq!(stored.messages[0].metadata.as_ref().unwrap().images, Some(info));
    assert_eq!(stored.messages[2].metadata, None);
    assert!(stored.records.iter().all(|record| !record.get().contains("iVBORw0KGgo")), "no pixels on disk");
}

#[tokio::test]
async fn they_are_given_again_with_what_is_told_or_repeated() {
    let mut host = noting("fails-to-resume-and-notes-its-prompts", |options, _| {
        options.agent.resume = Some("gone".to_owned());
    });
    let retold = Some("told, then hi".to_owned());
    let running = host.begin_with(TurnOptions { retold, ..illustrated("hi") });
    assert_eq!(host.finish(running).await.answer(), "I see.");
    assert_eq!(contents(&host), [blocks("hi"), blocks("told, then hi")]);

    let mut host = noting("crashes-mid-answer-until", |_, _| {});
    let retry = RetryPolicy { delay: Duration::from_millis(1), ..RetryPolicy::default() };
    let running = host.begin_with(TurnOptions { retry, ..illustrated("hi") });
    assert_eq!(host.finish(running).await.answer(), "Hello world.");
    let given = contents(&host);
    assert_eq!(given.iter().map(|content| &content[0]["type"]).collect::<Vec<_>>(), ["image", "image"]);
}

#[tokio::test]
async fn an_agent_that_goes_on_has_them() {
    let mut host = noting("changes-something-then-crashes", |_, _| {});
    let retry = RetryPolicy { delay: Duration::from_millis(1), ..RetryPolicy::default() };
    let running = host.begin_with(TurnOptions { retry, ..illustrated("hi") });
    assert_eq!(host.finish(running).await.answer(), "It is done.");
    let given = contents(&host);
    assert_eq!(given[0], blocks("hi"));
    assert!(given[1].as_str().unwrap().contains("Go on from where it stopped"), "{}", given[1]);
}

#[tokio::test]
async fn an_agent_that_takes_none_is_not_asked() {
    let host = Host::speaking("demo", "answers-with-its-pid", |_, _| {});
    let error = host.session.run_turn(illustrated("hi")).await.unwrap_err();
    assert_eq!(error.to_string(), "the agent 'demo' takes no images; `locus exec agents` shows which do");

    let mut host = Host::speaking("codex", "codex-without-app-server", |_, _| {});
    let running = host.begin_with(illustrated("hi"));
    let error = host.finish(running).await.error();
    assert_eq!(error["code"], "INVALID_INPUT");
    let words = "the agent 'codex' takes no images; this version of codex has no `app-server`; update it";
    assert_eq!(error["error"], words);
    assert!(host.turn("without").await.answer().starts_with("without: exec --json"));
}

#[tokio::test]
async fn an_agent_that_speaks_acp_says_itself_whether_it_takes_them() {
    let mut host = Host::speaking("acp", "acp-that-takes-images", |_, _| {});
    for _ in 0..2 {
        let running = host.begin_with(illustrated("what is this?"));
        let blocks = "[{'data':'iVBORw0KGgo=','mimeType':'image/png','type':'image'},{'text':'what is this?','type':'text'}]";
        let answer = host.finish(running).await.answer();
        assert!(answer.starts_with(blocks), "{answer}");
    }

    let mut host = Host::speaking("acp", "acp-that-repeats-its-prompt", |_, _| {});
    let running = host.begin_with(illustrated("hi"));
    let error = host.finish(running).await.error();
    assert_eq!((&error["code"], &error["error"]), (&json!("INVALID_INPUT"), &json!("fake takes no images")));
    assert_eq!(host.turn("without").await.answer(), "without ");
    let running = host.begin_with(illustrated("again"));
    let error = host.finish(running).await.error();
    assert_eq!(error["error"], "the agent 'acp' takes no images; `locus exec agents` shows which do");
    assert_eq!(host.turn("without").await.answer(), "without ");
}

#[tokio::test]
async fn one_that_cannot_be_used_is_refused_before_anything_is_told() {
    let mut host = noting("fails-to-resume-and-notes-its-prompts", recorded);
    let missing = ImageSource::File { path: "/nowhere.png".into(), name: "nowhere.png".into() };
    let refused = TurnOptions { images: vec![missing], ..turn("hi") };
    let error = host.session.run_turn(refused).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no image 'nowhere.png'");
    assert_eq!(host.turn("hi").await.answer(), "I see.");
    assert_eq!(contents(&host), ["hi"]);
}
