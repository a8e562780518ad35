//! What is understood of lines of codex that no recording has.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]

use locus_exec::agent::{
    AgentOptions, Decision, Dialect, ImageSource, PermissionRequest, Signal, Sink, TurnEnd, agent_named,
    read_images,
};
use locus_exec::stream::Chunk;
use serde_json::{Value, json};

/// What was understood.
#[derive(Default)]
struct Ear {
    chunks: Vec<Value>,
    signals: Vec<Signal>,
}

impl Sink for Ear {
    fn chunk(&mut self, chunk: Chunk<'_>) {
        self.chunks.push(serde_json::to_value(&chunk).unwrap());
    }

    fn signal(&mut self, signal: Signal) {
        self.signals.push(signal);
    }
}

/// A codex in the middle of its first turn.
struct Codex {
    dialect: Box<dyn Dialect>,
    now: u64,
}

impl Codex {
    fn working() -> Self {
        let mut codex = Self::asked_for_a_turn(&AgentOptions::default());
        codex.hear(&turn("turn/started", "turn-1", "inProgress"));
        codex
    }

    fn asked_for_a_turn(options: &AgentOptions) -> Self {
        let mut dialect = agent_named("codex").unwrap().dialect(options).unwrap();
        dialect.open();
        dialect.start_turn("hi");
        let mut codex = Self { dialect, now: 0 };
        codex.hear(&json!({ "id": 2, "result": { "thread": { "id": "thread-1" } } }));
        codex.hear(&json!({ "id": 3, "result": { "turn": { "id": "turn-1" } } }));
        codex
    }

    fn hear(&mut self, line: &Value) -> Ear {
        self.now += 10;
        let mut ear = Ear::default();
        self.dialect.decode(line.to_string().as_bytes(), self.now, &mut ear);
        ear
    }

    /// What it says of a notification, its thread and its turn added.
    fn told(&mut self, method: &str, mut params: Value) -> Vec<Value> {
        params["threadId"] = "thread-1".into();
        params["turnId"] = "turn-1".into();
        self.hear(&json!({ "method": method, "params": params })).chunks
    }

    fn end(&mut self) -> TurnEnd {
        let ear = self.hear(&turn("turn/completed", "turn-1", "completed"));
        match ear.signals.into_iter().next() {
            Some(Signal::TurnEnded(end)) => end,
            other => panic!("the turn goes on: {other:?}"),
        }
    }
}

fn turn(method: &str, id: &str, status: &str) -> Value {
    json!({ "method": method, "params": { "threadId": "thread-1", "turn": { "id": id, "status": status } } })
}

fn used(total: u64, last: u64) -> Value {
    json!({ "tokenUsage": { "total": { "inputTokens": total }, "last": { "inputTokens": last } } })
}

fn replies(ear: Ear) -> Vec<Value> {
    let reply = |signal| match signal {
        Signal::Reply(bytes) => Some(serde_json::from_slice(&bytes).unwrap()),
        _ => None,
    };
    ear.signals.into_iter().filter_map(reply).collect()
}

fn question(ear: Ear) -> PermissionRequest {
    match ear.signals.into_iter().next() {
        Some(Signal::Permission(request)) => request,
        other => panic!("it asks nothing: {other:?}"),
    }
}

#[test]
fn a_plan_is_a_tool_that_is_used_whenever_it_has_changed() {
    let mut codex = Codex::working();
    let plan = |status: &str| json!({ "plan": [{ "step": "look", "status": status }] });
    let first = codex.told("turn/plan/updated", plan("inProgress"));
    assert_eq!(
        first.iter().map(|chunk| &chunk["type"]).collect::<Vec<_>>(),
        ["tool_use", "tool_parameters", "tool_result"]
    );
    assert_eq!(first[1]["tool"], "todo_list");
    assert_eq!(first[1]["parameters"], json!({ "items": [{ "text": "look", "status": "in_progress" }] }));
    assert!(codex.told("turn/plan/updated", plan("inProgress")).is_empty(), "nothing has changed");
    let second = codex.told("turn/plan/updated", plan("completed"));
    assert_ne!(second[0]["id"], first[0]["id"]);
}

#[test]
fn text_and_thoughts_that_were_not_streamed_are_told_when_they_are_complete() {
    let mut codex = Codex::working();
    let message = |text: &str| json!({ "item": { "type": "agentMessage", "id": "m", "text": text } });
    codex.told("item/agentMessage/delta", json!({ "itemId": "m", "delta": "naï" }));
    let rest = codex.told("item/completed", message("naïve"));
    assert_eq!(rest, [json!({ "type": "text_delta", "content": "ve" })]);
    assert_eq!(codex.told("item/completed", message("whole"))[0]["content"], "whole");
    let thought = |id: &str| json!({ "item": { "type": "reasoning", "id": id, "summary": ["a", "b"] } });
    assert_eq!(codex.told("item/completed", thought("r"))[0]["content"], "a\n\nb");
    codex.told("item/reasoning/textDelta", json!({ "itemId": "s", "delta": "a" }));
    assert!(codex.told("item/completed", thought("s")).is_empty());
    assert_eq!(codex.end().content, "whole");
}

#[test]
fn a_search_has_its_parameters_when_codex_knows_them() {
    let mut codex = Codex::working();
    let item = |query: &str| json!({ "item": { "type": "webSearch", "id": "w", "query": query } });
    let begun = codex.told("item/started", item(""));
    assert_eq!(begun, [json!({ "type": "tool_use", "tool": "web_search", "id": "w" })]);
    let done = codex.told("item/completed", item("rust"));
    assert_eq!(done[0]["parameters"], json!({ "query": "rust" }));
    assert_eq!((&done[1]["type"], &done[1]["success"]), (&json!("tool_result"), &json!(true)));
}

#[test]
fn what_is_not_known_never_fails() {
    let mut codex = Codex::working();
    let item = json!({ "item": { "type": "somethingNew", "id": "x", "status": "completed" } });
    assert!(codex.told("item/started", item.clone()).is_empty());
    assert_eq!(codex.told("item/completed", item), [json!({ "type": "status", "status": "something_new" })]);
    let [unknown] = &codex.told("something/new", json!({}))[..] else { panic!("it is kept") };
    assert_eq!(unknown["reason"], "unknown notification 'something/new'");
    assert!(codex.told("thread/something/new", json!({})).is_empty());
    for odd in [json!({}), json!({ "id": 99, "result": 5 }), json!({ "method": "item/started" })] {
        assert_eq!(codex.hear(&odd).chunks[0]["type"], "unparsed", "{odd}");
    }
    assert!(codex.end().error.is_none());
}

#[test]
fn a_form_that_nobody_can_fill_in_is_declined() {
    let mut codex = Codex::working();
    let params = json!({ "threadId": "thread-1", "serverName": "db", "mode": "form", "message": "Which?" });
    let asked = json!({ "id": 7, "method": "mcpServer/elicitation/request", "params": params });
    assert_eq!(replies(codex.hear(&asked))[0]["result"]["action"], "decline");
}

#[test]
fn a_yes_to_another_command_is_a_no_to_the_one_that_was_asked_about() {
    let mut codex = Codex::working();
    let mut answer = |updated_input: Option<&str>| -> Value {
        let params = json!({ "threadId": "thread-1", "turnId": "turn-1", "itemId": "c", "command": "bash -lc 'rm x'" });
        let asked = json!({ "id": "q", "method": "item/commandExecution/requestApproval", "params": params });
        let request = question(codex.hear(&asked));
        assert_eq!(request.parameters.get(), r#"{"command":"rm x"}"#);
        let decision = Decision::Allow { updated_input: updated_input.map(ToOwned::to_owned) };
        serde_json::from_slice(&codex.dialect.answer(&request, &decision)).unwrap()
    };
    assert_eq!(answer(None), json!({ "id": "q", "result": { "decision": "accept" } }));
    assert_eq!(answer(Some(r#"{"command":"ls"}"#))["result"]["decision"], "decline");
}

#[test]
fn permissions_are_granted_as_they_were_asked_for_or_not_at_all() {
    let mut codex = Codex::working();
    let mut answer = |decision: Decision| -> Value {
        let params = json!({ "turnId": "turn-1", "permissions": { "network": { "enabled": true } } });
        let asked = json!({ "id": 4, "method": "item/permissions/requestApproval", "params": params });
        let request = question(codex.hear(&asked));
        serde_json::from_slice(&codex.dialect.answer(&request, &decision)).unwrap()
    };
    let granted = json!({ "permissions": { "network": { "enabled": true } }, "scope": "turn" });
    assert_eq!(answer(Decision::Allow { updated_input: None })["result"], granted);
    let denied = answer(Decision::Deny { message: String::new() });
    assert_eq!(denied["result"], json!({ "permissions": {}, "scope": "turn" }));
}

#[test]
fn a_question_that_codex_gives_up_is_withdrawn_and_an_answered_one_is_not() {
    let mut codex = Codex::working();
    let asked = |id: u64| json!({ "id": id, "method": "item/fileChange/requestApproval", "params": { "itemId": "f" } });
    let resolved = |id: u64| json!({ "method": "serverRequest/resolved", "params": { "requestId": id } });
    let given_up = question(codex.hear(&asked(0)));
    let answered = question(codex.hear(&asked(1)));
    codex.dialect.answer(&answered, &Decision::Allow { updated_input: None });
    assert!(codex.hear(&resolved(1)).signals.is_empty());
    let signals = codex.hear(&resolved(0)).signals;
    assert!(matches!(&signals[..], [Signal::PermissionWithdrawn(id)] if *id == given_up.id), "{signals:?}");
}

#[test]
fn a_turn_that_codex_begins_by_itself_does_not_end_ours() {
    let mut codex = Codex::working();
    let ear = codex.hear(&turn("turn/completed", "turn-0", "completed"));
    assert!(ear.signals.is_empty());
    assert_eq!(ear.chunks, [json!({ "type": "status", "status": "background_turn" })]);
    codex.end();

    // Our next prompt steers it, so it begins no other.
    codex.hear(&turn("turn/started", "turn-2", "inProgress"));
    codex.dialect.start_turn("go on");
    let signals = codex.hear(&json!({ "id": 4, "result": { "turn": { "id": "turn-2" } } })).signals;
    assert!(matches!(&signals[..], [Signal::Ready { .. }]), "{signals:?}");
    let signals = codex.hear(&turn("turn/completed", "turn-2", "completed")).signals;
    assert!(matches!(&signals[..], [Signal::TurnEnded(_)]), "{signals:?}");
}

#[test]
fn what_a_resumed_thread_had_used_before_is_not_counted() {
    let options = AgentOptions { resume: Some("thread-1".into()), ..AgentOptions::default() };
    let mut codex = Codex::asked_for_a_turn(&options);
    assert!(codex.told("thread/tokenUsage/updated", used(100, 40)).is_empty());
    codex.hear(&turn("turn/started", "turn-1", "inProgress"));
    let told = codex.told("thread/tokenUsage/updated", used(130, 30));
    let [usage, context] = &told[..] else { panic!("it is told") };
    assert_eq!(usage["input"], 30);
    assert_eq!((&context["status"], &context["detail"]), (&json!("context"), &json!({ "tokens": 30 })));
    assert!(codex.told("thread/tokenUsage/updated", used(130, 30)).is_empty(), "codex repeats itself");
    let end = codex.end();
    assert_eq!((end.usage.input, end.turns), (30, 1));
}

#[test]
fn limits_are_told_when_there_are_any_and_say_when_to_come_back() {
    let mut codex = Codex::working();
    let limits = |percent: Value| {
        let primary =
            json!({ "usedPercent": percent, "windowDurationMins": 300, "resetsAt": 1_800_000_000_u64 });
        json!({ "rateLimits": { "limitId": "codex", "primary": primary, "secondary": null } })
    };
    let none = json!({ "rateLimits": { "limitId": "codex", "primary": null, "planType": "pro" } });
    assert!(codex.told("account/rateLimits/updated", none).is_empty());
    assert_eq!(codex.told("account/rateLimits/updated", limits(json!(12.5)))[0]["status"], "rate_limit");
    assert!(codex.told("account/rateLimits/updated", limits(json!(12.5))).is_empty(), "nothing has changed");
    codex.told("account/rateLimits/updated", limits(json!(100)));
    let mut failed = turn("turn/completed", "turn-1", "failed");
    failed["params"]["turn"]["error"] = json!({ "message": "limit", "codexErrorInfo": "usageLimitExceeded" });
    let Some(Signal::TurnEnded(end)) = codex.hear(&failed).signals.into_iter().next() else {
        panic!("it ends")
    };
    let available = end.error.unwrap().available();
    assert_eq!(available, Some(locus_exec::error::Available::At(1_800_000_000_000)));
}

#[test]
fn a_warning_is_told_once() {
    let mut codex = Codex::working();
    let warning = json!({ "message": "no metadata" });
    assert_eq!(codex.told("warning", warning.clone())[0]["detail"]["message"], "no metadata");
    assert!(codex.told("warning", warning).is_empty());
}

#[test]
fn images_come_before_the_words_and_wait_for_the_thread_with_them() {
    let data = b"GIF89a".to_vec();
    let source = ImageSource::Bytes { data, media_type: "image/gif".into(), name: "it".into() };
    let images = read_images(vec![source]).unwrap();
    let mut dialect = agent_named("codex").unwrap().dialect(&AgentOptions::default()).unwrap();
    dialect.open();
    dialect.start_turn_with("look", &images).unwrap();
    let mut codex = Codex { dialect, now: 0 };
    let ear = codex.hear(&json!({ "id": 2, "result": { "thread": { "id": "thread-1" } } }));
    let replies = ear.signals.iter().filter_map(|signal| match signal {
        Signal::Reply(reply) => Some(serde_json::from_slice::<Value>(reply).unwrap()),
        _ => None,
    });
    let requests: Vec<_> = replies.filter(|reply| reply["method"] == "turn/start").collect();
    let image = json!({ "type": "image", "url": "data:image/gif;base64,R0lGODlh" });
    let input = json!([image, { "type": "text", "text": "look" }]);
    assert_eq!(requests[0]["params"], json!({ "threadId": "thread-1", "input": input }));
}
