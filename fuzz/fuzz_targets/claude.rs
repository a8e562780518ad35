//! Arbitrary bytes as what claude prints: nothing panics, what is JSON is never refused for its syntax, and neither
//! the cuts between reads nor the shortcut for deltas changes what is understood.
#![no_main]

use libfuzzer_sys::fuzz_target;
use locus_exec::agent::Signal;
use locus_exec_fuzz::{Heard, NOW, Word, dialect, heard};
use serde_json::Value;

/// What is said of a line that is JSON but not of the protocol.
const UNDERSTOOD_BUT_ODD: &[&str] = &[
    "unknown system subtype",
    "stream_event without",
    "assistant with",
    "user with",
    "control_request without",
];

const TYPES: &[&str] = &[
    "stream_event",
    "assistant",
    "user",
    "system",
    "result",
    "control_request",
    "control_cancel_request",
    "control_response",
    "command_lifecycle",
    "rate_limit_event",
    "keep_alive",
    "tool_progress",
    "tool_use_summary",
];

fn check_line(line: &[u8], heard: &Heard) {
    let Ok(Value::Object(object)) = serde_json::from_slice::<Value>(line) else { return };
    let Some(kind) = object.get("type").and_then(Value::as_str).filter(|kind| TYPES.contains(kind)) else {
        return;
    };
    let mut ends = 0;
    for word in &heard.0 {
        match word {
            Word::Chunk(json) => {
                let chunk: Value = match serde_json::from_str(json) {
                    Ok(chunk) => chunk,
                    // Deeper in a chunk than serde_json goes, but not in the line.
                    Err(_) => continue,
                };
                let reason = chunk["reason"].as_str().unwrap_or_default();
                assert!(
                    chunk["type"] != "unparsed"
                        || UNDERSTOOD_BUT_ODD.iter().any(|odd| reason.starts_with(odd)),
                    "a line of type {kind} was refused: {reason}"
                );
                ends += usize::from(kind == "result" && chunk["status"] == "background_turn");
            }
            Word::Signal(signal) => ends += usize::from(matches!(**signal, Signal::TurnEnded(_))),
        }
    }
    assert_eq!(ends, usize::from(kind == "result"), "a result and nothing else ends a turn");
}

fuzz_target!(|input: (u16, bool, &[u8])| {
    let (cut, started, stream) = input;
    let begin = || {
        let mut dialect = dialect();
        if started {
            dialect.start_turn("a prompt");
        }
        dialect
    };
    let whole = heard(&mut *begin(), [stream]).words();

    let (head, tail) = stream.split_at(usize::from(cut) % (stream.len() + 1));
    assert_eq!(heard(&mut *begin(), [head, tail]).words(), whole, "a cut changed something");

    // A space in front of a line is skipped by every parser but the shortcut's.
    let mut dialect = begin();
    let mut by_hand = begin();
    let mut spaced = Heard::default();
    for line in stream.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let mut heard = Heard::default();
        by_hand.decode(line, NOW, &mut heard);
        check_line(line, &heard);
        dialect.decode(&[b" ", line].concat(), NOW, &mut spaced);
    }
    assert_eq!(spaced.words(), whole, "the shortcut understands something else");
});
