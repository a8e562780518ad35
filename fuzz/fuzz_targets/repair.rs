//! A repair is needed once, never where serde_json is content, and never outside of strings; what it repairs is what
//! a slow reference replaces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use locus_exec::stream::repair;
use serde_json::Value;
use serde_json::value::RawValue;

/// The text inside and outside of strings, in turns, beginning outside. A string ends at its first bare quote.
fn turns(line: &str) -> Vec<String> {
    let mut turns = vec![String::new()];
    let mut escaped = false;
    for char in line.chars() {
        let inside = turns.len() % 2 == 0;
        if char == '"' && !escaped {
            turns.push(String::new());
            continue;
        }
        escaped = inside && char == '\\' && !escaped;
        turns.last_mut().expect("there is a first turn").push(char);
    }
    turns
}

/// The UTF-16 units that the inside of a string stands for; `None` for one with an escape that JSON does not know.
fn units(inside: &str) -> Option<Vec<u16>> {
    let mut units = Vec::new();
    let mut chars = inside.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            units.extend(char.encode_utf16(&mut [0; 2]).iter());
            continue;
        }
        units.push(match chars.next()? {
            'b' => 8,
            't' => 9,
            'n' => 10,
            'f' => 12,
            'r' => 13,
            char @ ('"' | '\\' | '/') => char as u16,
            'u' => {
                let digits: String = chars.by_ref().take(4).collect();
                let valid = digits.len() == 4 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                valid.then(|| u16::from_str_radix(&digits, 16).ok())??
            }
            _ => return None,
        });
    }
    Some(units)
}

fn is_content(line: &str) -> bool {
    match serde_json::from_str::<Value>(line) {
        Ok(_) => true,
        Err(error) => {
            let error = error.to_string();
            error.starts_with("number out of range") || error.starts_with("recursion limit")
        }
    }
}

fuzz_target!(|line: &str| {
    let Some(repaired) = repair(line) else {
        // Half a pair passes serde_json's syntax check, but not its parser.
        if serde_json::from_str::<&RawValue>(line).is_ok() {
            assert!(is_content(line), "needs a repair");
        }
        return;
    };
    assert!(serde_json::from_str::<Value>(line).is_err(), "was content with {line}");
    assert_eq!(repair(&repaired), None, "a repaired line needs no repair");
    if serde_json::from_str::<&RawValue>(line).is_ok() {
        assert!(is_content(&repaired), "{repaired} is no JSON");
    }
    let (before, after) = (turns(line), turns(&repaired));
    assert_eq!(before.len(), after.len(), "a string began or ended");
    for (index, (before, after)) in before.iter().zip(&after).enumerate() {
        if index % 2 == 0 {
            assert_eq!(before, after, "changed outside of strings");
        } else if let (Some(before), Some(after)) = (units(before), units(after)) {
            let whole: String =
                char::decode_utf16(before).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
            assert_eq!(String::from_utf16(&after).ok(), Some(whole), "another text");
        }
    }
});
