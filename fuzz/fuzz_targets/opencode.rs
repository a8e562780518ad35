//! Arbitrary bytes as what `opencode run --format json` prints: nothing panics, what is JSON is never refused for its syntax,
//! the cuts between reads change nothing, only the end of the process ends a turn, once, and a tool begins before it ends.
#![no_main]

use libfuzzer_sys::fuzz_target;
use locus_exec::agent::{AgentOptions, Dialect, agent_named};
use locus_exec_fuzz::{Heard, NOW, heard};
use serde_json::Value;

fn begun() -> Box<dyn Dialect> {
    let agent = agent_named("opencode-json").expect("opencode is known");
    let mut dialect = agent.dialect(&AgentOptions::default()).expect("a dialect");
    dialect.open();
    dialect.start_turn("a prompt");
    dialect
}

fn check_line(line: &[u8], heard: &Heard) {
    assert_eq!(heard.ends(), 0, "a line ended the turn");
    let mut begun = None;
    for chunk in heard.chunks() {
        match chunk["type"].as_str() {
            Some("tool_use") => begun = Some(chunk["id"].clone()),
            Some("tool_parameters" | "tool_result") => assert_eq!(begun.as_ref(), Some(&chunk["id"])),
            Some("unparsed") if matches!(serde_json::from_slice(line), Ok(Value::Object(_))) => {
                let reason = chunk["reason"].as_str().unwrap_or_default();
                assert!(reason.starts_with("unknown type"), "a line was refused: {reason}");
            }
            _ => {}
        }
    }
}

fuzz_target!(|input: (u16, Option<i32>, &[u8])| {
    let (cut, code, stream) = input;
    let mut dialect = begun();
    let mut said = heard(&mut *dialect, [stream]);
    assert_eq!(said.ends(), 0, "a line ended the turn");
    let whole = said.words();

    let (head, tail) = stream.split_at(usize::from(cut) % (stream.len() + 1));
    assert_eq!(heard(&mut *begun(), [head, tail]).words(), whole, "a cut changed something");

    for _ in 0..2 {
        dialect.ended(code, &mut said);
    }
    assert!(said.ends() <= 1, "a process ends once");

    let mut dialect = begun();
    for line in stream.split(|byte| *byte == b'\n') {
        let mut heard = Heard::default();
        dialect.decode(line, NOW, &mut heard);
        check_line(line, &heard);
    }
    dialect.start_turn("another prompt");
});
