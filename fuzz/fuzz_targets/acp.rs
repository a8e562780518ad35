//! Arbitrary bytes as what an agent prints that speaks ACP: nothing panics, what is JSON is never refused for its syntax,
//! the cuts between reads change nothing, only an answer ends a turn, a tool ends once and after it began, and what was
//! asked once is answered once.
#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use locus_exec::agent::{AgentOptions, Decision, Dialect, Signal, agent_named};
use locus_exec_fuzz::{Heard, NOW, Word, heard};
use serde_json::Value;

/// Why a line that is JSON may be refused.
const ODD: &[&str] =
    &["unknown notification", "unknown update", "a message without", "an update without", "an answer to"];

/// An agent in a turn.
const BEGUN: &[u8] =
    b"{\"id\":1,\"result\":{\"protocolVersion\":1}}\n{\"id\":2,\"result\":{\"sessionId\":\"s\"}}\n";

fn check_line(line: &[u8], heard: &Heard) {
    let Ok(Value::Object(object)) = serde_json::from_slice::<Value>(line) else { return };
    for chunk in heard.chunks() {
        let reason = chunk["reason"].as_str().unwrap_or_default();
        let is_odd = ODD.iter().any(|odd| reason.starts_with(odd));
        assert!(chunk["type"] != "unparsed" || is_odd, "a line was refused: {reason}");
    }
    let ends = heard.ends() > 0;
    let is_answer =
        object.contains_key("id") && object.get("method").is_none_or(|method| !method.is_string());
    assert!(!ends || is_answer, "{object:?} ended the turn");
}

/// A tool is told of before anything else is said of it, and ends at most once.
fn check_tools(heard: &Heard) {
    let (mut begun, mut ended) = (HashSet::new(), HashSet::new());
    for chunk in heard.chunks() {
        let id = chunk["id"].as_str().unwrap_or_default().to_owned();
        match chunk["type"].as_str() {
            Some("tool_use") => assert!(begun.insert(id), "a tool begins once"),
            Some("tool_parameters") => {
                assert!(begun.contains(&id), "a tool begins before it is given anything")
            }
            Some("tool_result") => {
                assert!(begun.contains(&id), "a tool begins before it ends");
                assert!(ended.insert(id), "a tool ends once");
            }
            _ => {}
        }
    }
}

/// Every question can be answered, once.
fn check_answers(dialect: &mut dyn Dialect, heard: &Heard) {
    for word in &heard.0 {
        let Word::Signal(signal) = word else { continue };
        let Signal::Permission(request) = &**signal else { continue };
        let answer = dialect.answer(request, &Decision::Deny { message: String::new() });
        // One with the same id may have come after it, and been answered before it; or the turn is over.
        if let Some(line) = answer.strip_suffix(b"\n") {
            serde_json::from_slice::<Value>(line).expect("an answer is JSON");
        }
        assert_eq!(dialect.answer(request, &Decision::Deny { message: String::new() }), b"");
    }
}

fuzz_target!(|input: (u16, bool, bool, &[u8])| {
    let (cut, resumes, is_begun, stream) = input;
    let begin = || {
        let agent = agent_named("acp").expect("acp is known");
        let resume = resumes.then(|| "s".to_owned());
        let mut dialect =
            agent.dialect(&AgentOptions { resume, ..AgentOptions::default() }).expect("a dialect");
        dialect.open();
        dialect.start_turn("a prompt");
        if is_begun {
            heard(&mut *dialect, [BEGUN]);
        }
        dialect
    };
    let mut dialect = begin();
    let said = heard(&mut *dialect, [stream]);
    check_tools(&said);
    check_answers(&mut *dialect, &said);
    let whole = said.words();

    let (head, tail) = stream.split_at(usize::from(cut) % (stream.len() + 1));
    assert_eq!(heard(&mut *begin(), [head, tail]).words(), whole, "a cut changed something");

    let mut dialect = begin();
    for line in stream.split(|byte| *byte == b'\n') {
        let mut heard = Heard::default();
        dialect.decode(line, NOW, &mut heard);
        check_line(line, &heard);
    }
    dialect.interrupt();
    dialect.start_turn("another prompt");
});
