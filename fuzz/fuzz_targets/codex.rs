//! Arbitrary bytes as what codex prints, by either of its protocols: nothing panics, what is JSON is never refused for
//! its syntax, the cuts between reads change nothing, a turn ends only where codex says so, and what was asked once is
//! answered once.
#![no_main]

use libfuzzer_sys::fuzz_target;
use locus_exec::agent::{AgentOptions, Decision, Dialect, Signal, agent_named};
use locus_exec_fuzz::{Heard, NOW, Word, heard};
use serde_json::Value;

/// Why a line that is JSON may be refused.
const ODD: &[&str] =
    &["unknown notification", "unknown type", "a message without", "a notification of", "an answer to"];

fn check_line(line: &[u8], heard: &Heard) {
    let Ok(Value::Object(object)) = serde_json::from_slice::<Value>(line) else { return };
    for word in &heard.0 {
        match word {
            Word::Chunk(json) => {
                // Deeper in a chunk than serde_json goes, but not in the line.
                let Ok(chunk) = serde_json::from_str::<Value>(json) else { continue };
                let reason = chunk["reason"].as_str().unwrap_or_default();
                let is_odd = ODD.iter().any(|odd| reason.starts_with(odd));
                assert!(chunk["type"] != "unparsed" || is_odd, "a line was refused: {reason}");
            }
            Word::Signal(signal) if matches!(**signal, Signal::TurnEnded(_)) => {
                let says = |key: &str, word: &str| object.get(key).is_some_and(|value| value == word);
                let ends = says("method", "turn/completed")
                    || says("type", "turn.completed")
                    || says("type", "turn.failed")
                    || (object.contains_key("id") && !object.contains_key("method"));
                assert!(
                    ends || object.get("method").is_some_and(Value::is_null),
                    "{object:?} ended the turn"
                );
            }
            Word::Signal(_) => {}
        }
    }
}

/// Every question can be answered, once.
fn check_answers(dialect: &mut dyn Dialect, heard: &Heard) {
    for word in &heard.0 {
        let Word::Signal(signal) = word else { continue };
        let Signal::Permission(request) = &**signal else { continue };
        let answer = dialect.answer(request, &Decision::Deny { message: String::new() });
        // One with the same id may have come after it, and been answered before it.
        if let Some(line) = answer.strip_suffix(b"\n") {
            serde_json::from_slice::<Value>(line).expect("an answer is JSON");
        }
        assert_eq!(dialect.answer(request, &Decision::Deny { message: String::new() }), b"");
    }
}

fuzz_target!(|input: (u16, bool, &[u8])| {
    let (cut, by_exec, stream) = input;
    let begin = || {
        let codex = agent_named("codex").expect("codex is known");
        let agent = if by_exec { codex.fallback().expect("there is another way") } else { codex };
        let mut dialect = agent.dialect(&AgentOptions::default()).expect("a dialect");
        dialect.open();
        dialect.start_turn("a prompt");
        dialect
    };
    let mut dialect = begin();
    let said = heard(&mut *dialect, [stream]);
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
