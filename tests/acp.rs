//! What is understood of lines of agents that speak ACP that no recording has.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail by panicking")]

use locus_exec::agent::{
    AgentOptions, Decision, Dialect, PermissionRequest, Signal, Sink, TurnEnd, agent_named,
};
use locus_exec::error::ErrorKind;
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

impl Ear {
    fn end(self) -> TurnEnd {
        match self.signals.into_iter().next() {
            Some(Signal::TurnEnded(end)) => end,
            other => panic!("the turn goes on: {other:?}"),
        }
    }

    fn question(self) -> PermissionRequest {
        match self.signals.into_iter().next() {
            Some(Signal::Permission(request)) => request,
            other => panic!("nothing is asked: {other:?}"),
        }
    }

    fn reply(&self) -> Value {
        match &self.signals[..] {
            [Signal::Reply(line), ..] => serde_json::from_slice(line).unwrap(),
            other => panic!("nothing is written: {other:?}"),
        }
    }
}

/// An agent in the middle of its first turn, whose prompt has the id 3.
struct Agent {
    dialect: Box<dyn Dialect>,
    now: u64,
}

impl Agent {
    fn working() -> Self {
        let mut agent = Self::started(&AgentOptions::default());
        agent.hear(&json!({ "id": 1, "result": { "protocolVersion": 1 } }));
        agent.hear(&json!({ "id": 2, "result": { "sessionId": "s" } }));
        agent
    }

    fn started(options: &AgentOptions) -> Self {
        let mut dialect = agent_named("acp").unwrap().dialect(options).unwrap();
        dialect.open();
        dialect.start_turn("hi");
        Self { dialect, now: 0 }
    }

    fn hear(&mut self, line: &Value) -> Ear {
        self.now += 10;
        let mut ear = Ear::default();
        self.dialect.decode(line.to_string().as_bytes(), self.now, &mut ear);
        ear
    }

    fn told(&mut self, update: &Value) -> Vec<Value> {
        let params = json!({ "sessionId": "s", "update": update });
        self.hear(&json!({ "method": "session/update", "params": params })).chunks
    }

    fn asked(&mut self, tool: &Value, options: &[(&str, &str)]) -> Ear {
        let options: Vec<Value> =
            options.iter().map(|(id, kind)| json!({ "optionId": id, "kind": kind })).collect();
        let params = json!({ "sessionId": "s", "toolCall": tool, "options": options });
        self.hear(&json!({ "id": "q", "method": "session/request_permission", "params": params }))
    }

    fn end(&mut self, result: &Value) -> TurnEnd {
        self.hear(&json!({ "id": 3, "result": result })).end()
    }
}

fn tool(state: &str, more: &Value) -> Value {
    let mut update = json!({ "sessionUpdate": "tool_call", "toolCallId": "t", "status": state, "kind": "execute", "title": "ls" });
    update.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    update
}

fn said(text: &str, message: Option<&str>) -> Value {
    let content = json!({ "type": "text", "text": text });
    json!({ "sessionUpdate": "agent_message_chunk", "messageId": message, "content": content })
}

fn of_type<'a>(chunks: &'a [Value], kind: &str) -> &'a Value {
    let mut of_type = chunks.iter().filter(|chunk| chunk["type"] == kind);
    of_type.next().unwrap_or_else(|| panic!("no {kind} in {chunks:?}"))
}

#[test]
fn the_answer_is_what_was_said_last() {
    let mut agent = Agent::working();
    agent.told(&said("first", Some("m1")));
    agent.told(&said("second, ", Some("m2")));
    agent.told(&said("on", Some("m2")));
    assert_eq!(agent.end(&json!({ "stopReason": "end_turn" })).content, "second, on");

    let mut agent = Agent::working();
    agent.told(&said("before the tool", None));
    agent.told(&tool("in_progress", &json!({})));
    agent.told(&said("behind it", None));
    assert_eq!(agent.end(&json!({ "stopReason": "end_turn" })).content, "behind it");
}

#[test]
fn a_tool_is_told_when_its_input_is_complete() {
    let mut agent = Agent::working();
    let begun = agent.told(&tool("pending", &json!({ "rawInput": { "half": 1 } })));
    assert_eq!(begun.len(), 1, "{begun:?}");
    let running = agent.told(&tool("in_progress", &json!({ "rawInput": { "command": "ls" } })));
    assert_eq!(of_type(&running, "tool_parameters")["parameters"], json!({ "command": "ls" }));
    assert_eq!(
        agent.told(&tool("in_progress", &json!({ "rawInput": { "command": "rm" } }))),
        [] as [Value; 0]
    );
    let content = json!([{ "type": "content", "content": { "type": "text", "text": "a file" } }]);
    let ended = agent.told(&tool("completed", &json!({ "content": content })));
    let expected = json!({ "type": "tool_result", "tool": "execute", "id": "t", "success": true, "duration": 20,
        "data": "a file" });
    assert_eq!(ended, [expected]);
    assert_eq!(agent.told(&tool("failed", &json!({}))), [] as [Value; 0], "it ends once");
}

#[test]
fn a_tool_without_input_is_told_by_what_is_said_of_it() {
    let diff = json!([{ "type": "diff", "path": "/a", "oldText": null, "newText": "x" },
        { "type": "diff", "path": "/b", "oldText": "y", "newText": "z" }, { "type": "terminal", "terminalId": "1" }, 5]);
    let mut agent = Agent::working();
    let update = tool(
        "completed",
        &json!({ "kind": "edit", "content": diff, "locations": [{ "path": "/a", "line": 1 }, null], "rawInput": {} }),
    );
    let chunks = agent.told(&update);
    assert_eq!(
        of_type(&chunks, "tool_parameters")["parameters"],
        json!({ "title": "ls", "paths": ["/a"], "changes": [
            { "path": "/a", "kind": "add", "newText": "x" },
            { "path": "/b", "kind": "update", "oldText": "y", "newText": "z" },
        ] })
    );
    assert_eq!(of_type(&chunks, "tool_result")["data"], "/a\n/b");
}

#[test]
fn a_tool_is_called_by_its_kind_or_else_by_its_name() {
    for (tool, expected) in [
        (json!({ "kind": "read", "name": "cat" }), "read"),
        (json!({ "kind": "other", "name": "mcp__a__b" }), "mcp__a__b"),
        (json!({ "kind": "other", "_meta": { "toolName": "todo" } }), "todo"),
        (json!({ "kind": "other", "_meta": { "claudeCode": { "toolName": "Skill" } } }), "Skill"),
        (json!({ "kind": "other", "title": "todowrite" }), "todowrite"),
        (json!({ "kind": "other", "title": "Do something" }), "other"),
        (json!({ "kind": null, "title": "" }), "other"),
    ] {
        let chunks = Agent::working().told(&self::tool("pending", &tool));
        assert_eq!(of_type(&chunks, "tool_use")["tool"], expected, "{tool}");
    }
}

#[test]
fn what_a_tool_returned_is_told_as_text_where_there_is_one() {
    for (state, update, data, error) in [
        ("completed", json!({ "rawOutput": "out" }), json!("out"), Value::Null),
        ("completed", json!({ "rawOutput": { "exit": 0 } }), json!({ "exit": 0 }), Value::Null),
        ("completed", json!({}), Value::Null, Value::Null),
        ("failed", json!({ "rawOutput": "no" }), json!("no"), json!("no")),
        ("failed", json!({}), Value::Null, json!("failed")),
    ] {
        let chunks = Agent::working().told(&tool(state, &update));
        let result = of_type(&chunks, "tool_result");
        assert_eq!((&result["data"], &result["error"]), (&data, &error), "{update}");
    }
}

#[test]
fn what_is_asked_once_is_answered_once_and_for_no_more() {
    let all = [
        ("always", "allow_always"),
        ("once", "allow_once"),
        ("never", "reject_always"),
        ("no", "reject_once"),
    ];
    let deny = Decision::Deny { message: String::new() };
    let allow = Decision::Allow { updated_input: None };
    let other = Decision::Allow { updated_input: Some("{}".to_owned()) };
    let chosen = |option: &str| json!({ "outcome": "selected", "optionId": option });
    for (options, decision, outcome) in [
        (&all[..], &allow, chosen("once")),
        (&all[..], &deny, chosen("no")),
        (&all[..], &other, chosen("no")),
        (&all[..1], &allow, chosen("always")),
        (&all[..1], &deny, json!({ "outcome": "cancelled" })),
        (&[][..], &allow, json!({ "outcome": "cancelled" })),
    ] {
        let mut agent = Agent::working();
        let request =
            agent.asked(&tool("pending", &json!({ "rawInput": { "command": "ls" } })), options).question();
        assert_eq!((request.tool.as_str(), request.parameters.get()), ("execute", r#"{"command":"ls"}"#));
        assert_eq!(request.tool_use_id.as_deref(), Some("t"));
        let line: Value = serde_json::from_slice(&agent.dialect.answer(&request, decision)).unwrap();
        assert_eq!(line, json!({ "jsonrpc": "2.0", "id": "q", "result": { "outcome": outcome } }));
        assert_eq!(agent.dialect.answer(&request, decision), b"", "once");
    }
}

#[test]
fn a_question_may_show_more_than_the_tool_has() {
    let mut agent = Agent::working();
    agent.told(&tool("in_progress", &json!({ "rawInput": { "path": "/a" } })));
    let ear = agent.asked(&tool("pending", &json!({ "rawInput": { "diff": "+x" } })), &[]);
    assert_eq!(ear.chunks, [] as [Value; 0], "the tool was told already");
    assert_eq!(ear.question().parameters.get(), r#"{"diff":"+x"}"#);
    let about_nothing = agent.hear(&json!({ "id": 9, "method": "session/request_permission", "params": {} }));
    assert_eq!(about_nothing.reply()["error"]["code"], -32601);
}

#[test]
fn a_turn_ends_as_its_reason_says() {
    for (reason, kind) in [
        ("end_turn", None),
        ("something_new", None),
        ("max_tokens", Some(ErrorKind::AgentError)),
        ("max_turn_requests", Some(ErrorKind::MaxTurns)),
        ("refusal", Some(ErrorKind::AgentError)),
        ("cancelled", Some(ErrorKind::AgentError)),
    ] {
        let end = Agent::working().end(&json!({ "stopReason": reason }));
        assert_eq!(end.error.map(|error| error.kind()), kind, "{reason}");
        assert_eq!((end.stop_reason.as_deref(), end.interrupted), (Some(reason), false));
    }
}

#[test]
fn an_interrupt_may_come_back_as_an_error() {
    for answer in [
        json!({ "id": 3, "result": { "stopReason": "cancelled" } }),
        json!({ "id": 3, "error": { "code": -32603, "message": "The operation was aborted" } }),
    ] {
        let mut agent = Agent::working();
        assert!(agent.dialect.can_interrupt());
        let line: Value = serde_json::from_slice(&agent.dialect.interrupt().unwrap()).unwrap();
        assert_eq!(
            line,
            json!({ "jsonrpc": "2.0", "method": "session/cancel", "params": { "sessionId": "s" } })
        );
        assert!(agent.hear(&answer).end().interrupted);
        assert!(!agent.dialect.can_interrupt(), "there is nothing to interrupt");
    }
}

#[test]
fn the_late_answer_to_a_turn_that_was_given_up_ends_no_other() {
    let mut agent = Agent::working();
    agent.dialect.start_turn("again");
    let late = agent.hear(&json!({ "id": 3, "result": { "stopReason": "end_turn" } }));
    assert!(late.signals.is_empty() && late.chunks.is_empty());
    let ear = agent.hear(&json!({ "id": 4, "result": { "stopReason": "end_turn" } }));
    assert_eq!(ear.end().stop_reason.as_deref(), Some("end_turn"));
    let unasked = agent.hear(&json!({ "id": 5, "result": {} }));
    assert_eq!(unasked.chunks[0]["reason"], "an answer to nothing that was asked");
}

#[test]
fn what_a_turn_used_is_a_difference() {
    let cost = |amount: f64| json!({ "sessionUpdate": "usage_update", "used": 9, "size": 99, "cost": { "amount": amount, "currency": "USD" } });
    let mut agent = Agent::working();
    let told = agent.told(&cost(0.5));
    assert_eq!(of_type(&told, "usage")["costUsd"], 0.5);
    assert_eq!(of_type(&told, "status")["detail"], json!({ "tokens": 9, "window": 99 }));
    let usage = json!({ "inputTokens": 10, "outputTokens": 4, "cachedReadTokens": 6, "totalTokens": 14 });
    let first = agent.end(&json!({ "stopReason": "end_turn", "usage": usage })).usage;
    assert_eq!((first.input, first.cache_read, first.output, first.cost_usd), (4, 6, 4, Some(0.5)));
    assert!(!first.cost_partial);
    agent.dialect.start_turn("again");
    agent.told(&cost(0.75));
    let second = agent.hear(&json!({ "id": 4, "result": { "stopReason": "end_turn" } })).end().usage;
    assert_eq!((second.input, second.cost_usd), (0, Some(0.25)));
}

#[test]
fn other_conversations_are_not_ours() {
    let mut agent = Agent::working();
    let params = json!({ "sessionId": "another", "update": said("psst", None) });
    let ear = agent.hear(&json!({ "method": "session/update", "params": params }));
    assert!(ear.chunks.is_empty());
}

#[test]
fn what_is_no_text_is_told_in_short() {
    let mut agent = Agent::working();
    let content = |content: Value| json!({ "sessionUpdate": "agent_message_chunk", "content": content });
    let image = agent.told(&content(json!({ "type": "image", "mimeType": "image/png", "data": "AAAA" })));
    assert_eq!(
        image,
        [json!({ "type": "status", "status": "image", "detail": { "mimeType": "image/png" } })]
    );
    let link = agent.told(&content(json!({ "type": "resource_link", "uri": "file:///a", "name": "a" })));
    assert_eq!(of_type(&link, "text_delta")["content"], "file:///a");
    let inside = json!({ "type": "resource", "resource": { "uri": "file:///a", "text": "inside" } });
    assert_eq!(of_type(&agent.told(&content(inside)), "text_delta")["content"], "inside");
    assert_eq!(agent.told(&said("", None)), [] as [Value; 0]);
}

#[test]
fn notices_and_modes_are_statuses() {
    let mut agent = Agent::working();
    for (update, status, detail) in [
        (
            json!({ "sessionUpdate": "current_mode_update", "currentModeId": "plan" }),
            "permission_mode",
            json!({ "permissionMode": "plan" }),
        ),
        (
            json!({ "sessionUpdate": "notice", "severity": "error", "title": "Disk", "description": "is full" }),
            "warning",
            json!({ "message": "Disk: is full" }),
        ),
        (json!({ "sessionUpdate": "compaction_update", "status": "in_progress" }), "compacting", Value::Null),
    ] {
        let chunks = agent.told(&update);
        assert_eq!((&chunks[0]["status"], &chunks[0]["detail"]), (&json!(status), &detail));
    }
}

#[test]
fn only_one_version_of_the_protocol_is_spoken() {
    for version in [json!(2), Value::Null] {
        let mut agent = Agent::started(&AgentOptions::default());
        let end = agent.hear(&json!({ "id": 1, "result": { "protocolVersion": version } })).end();
        assert_eq!(end.error.unwrap().kind(), ErrorKind::Protocol, "{version}");
        let again: Value = serde_json::from_slice(&agent.dialect.start_turn("again")).unwrap();
        assert_eq!(again["method"], "initialize");
    }
}

#[test]
fn a_system_prompt_comes_the_way_the_agent_takes_it() {
    let options = AgentOptions { system_prompt: Some("be brief".to_owned()), ..AgentOptions::default() };
    let text = |text: &str| json!({ "type": "text", "text": text });
    let mut agent = Agent::started(&options);
    let opened = agent.hear(&json!({ "id": 1, "result": { "protocolVersion": 1 } })).reply();
    assert_eq!(opened["params"]["systemPrompt"], Value::Null);
    let prompt = agent.hear(&json!({ "id": 2, "result": { "sessionId": "s" } })).reply();
    assert_eq!(prompt["params"]["prompt"], json!([text("be brief"), text("hi")]));
    let next: Value = serde_json::from_slice(&agent.dialect.start_turn("again")).unwrap();
    assert_eq!(next["params"]["prompt"], json!([text("again")]));

    let mut agent = Agent::started(&options);
    let able = json!({ "sessionCapabilities": { "systemPrompt": {} } });
    let opened = agent
        .hear(&json!({ "id": 1, "result": { "protocolVersion": 1, "agentCapabilities": able } }))
        .reply();
    assert_eq!(opened["params"]["systemPrompt"], json!({ "mode": "append", "content": [text("be brief")] }));
    let prompt = agent.hear(&json!({ "id": 2, "result": { "sessionId": "s" } })).reply();
    assert_eq!(prompt["params"]["prompt"], json!([text("hi")]));
}
