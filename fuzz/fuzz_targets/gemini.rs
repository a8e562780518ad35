//! Arbitrary bytes as what Gemini CLI prints by stream-json: nothing panics, what is JSON is never refused for its syntax,
//! the cuts between reads change nothing, only a result ends a turn, and a tool ends after it began.
#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use locus_exec::agent::{AgentOptions, agent_named};
use locus_exec_fuzz::{Heard, NOW, heard};
use serde_json::Value;

fn check_line(line: &[u8], heard: &Heard) {
    let Ok(Value::Object(object)) = serde_json::from_slice::<Value>(line) else { return };
    for chunk in heard.chunks() {
        let reason = chunk["reason"].as_str().unwrap_or_default();
        let is_odd = reason.starts_with("unknown type");
        assert!(chunk["type"] != "unparsed" || is_odd, "a line was refused: {reason}");
    }
    let ends = heard.ends() > 0;
    assert!(!ends || object.get("type").is_some_and(|kind| kind == "result"), "{object:?} ended the turn");
}

/// A tool is told of before anything else is said of it, and ends once.
fn check_tools(heard: &Heard) {
    let mut open = HashSet::new();
    for chunk in heard.chunks() {
        let id = chunk["id"].as_str().unwrap_or_default().to_owned();
        match chunk["type"].as_str() {
            Some("tool_use") => assert!(open.insert(id), "a tool begins once"),
            Some("tool_parameters") => {
                assert!(open.contains(&id), "a tool begins before it is given anything");
            }
            Some("tool_result") => assert!(open.remove(&id), "a tool that goes on ends, once"),
            _ => {}
        }
    }
}

fuzz_target!(|input: (u16, &[u8])| {
    let (cut, stream) = input;
    let begin = || {
        let agent = agent_named("gemini-json").expect("it is known");
        let mut dialect = agent.dialect(&AgentOptions::default()).expect("a dialect");
        dialect.open();
        dialect.start_turn("a prompt");
        dialect
    };
    let said = heard(&mut *begin(), [stream]);
    check_tools(&said);
    let whole = said.words();

    let (head, tail) = stream.split_at(usize::from(cut) % (stream.len() + 1));
    assert_eq!(heard(&mut *begin(), [head, tail]).words(), whole, "a cut changed something");

    let mut dialect = begin();
    for line in stream.split(|byte| *byte == b'\n') {
        let mut heard = Heard::default();
        dialect.decode(line, NOW, &mut heard);
        check_line(line, &heard);
        dialect.prompt(line);
    }
    dialect.start_turn("another prompt");
});
