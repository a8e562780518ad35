//! A conversation's file: no panic; nothing is invented; what one line says does not depend on the lines around it; a
//! file is read the same in pieces as whole.

#![no_main]

use std::io::{BufReader, Cursor};

use libfuzzer_sys::fuzz_target;
use locus_exec::history::{Line, TooNew, read_lines};

fuzz_target!(|bytes: &[u8]| {
    let read = |capacity: usize| {
        let mut lines = Vec::new();
        let source = BufReader::with_capacity(capacity, Cursor::new(bytes));
        let outcome = read_lines(source, "file", |raw, line| {
            assert!(!raw.contains('\n'), "a line is one line");
            serde_json::from_str::<Box<serde_json::value::RawValue>>(raw).expect("a line is JSON");
            lines.push((raw.to_owned(), line.kind.as_str().to_owned(), line.timestamp));
        });
        (outcome.expect("memory does not fail"), lines)
    };
    let (outcome, lines) = read(1 << 16);
    let (in_pieces, same) = read(3);
    assert_eq!(lines, same);
    let breaks = bytes.iter().filter(|byte| **byte == b'\n').count();
    match (outcome, in_pieces) {
        (Ok(whole), Ok(pieces)) => {
            assert_eq!((&whole.problems, whole.torn), (&pieces.problems, pieces.torn));
            assert!(whole.problems.iter().all(|problem| problem.line.is_some_and(|line| line <= breaks + 1)));
            assert!(lines.len() <= breaks + 1);
            assert!(!whole.torn || bytes.last() != Some(&b'\n'), "only a last line can be torn");
        }
        (Err(TooNew { found }), Err(same)) => assert!(found > 1 && found == same.found),
        outcomes => panic!("{outcomes:?}"),
    }
    for (raw, kind, timestamp) in &lines {
        let alone = Line::parse(raw).expect("it could be read before");
        assert_eq!((alone.kind.as_str(), alone.timestamp), (kind.as_str(), *timestamp));
    }
});
