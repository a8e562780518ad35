//! A conversation's file, line by line.

use std::io::{BufRead, Read};

use serde::{Deserialize, Serialize};

use super::record::Line;

/// The longest line that is read, in bytes; we write none that comes near.
const LINE_LIMIT: u64 = 16 * 1024 * 1024;

/// Something in a file that could not be understood. Everything else in the file was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
}

/// The newest schema cannot be read by this version.
#[derive(Debug, PartialEq, Eq)]
pub struct TooNew {
    /// The file's schema.
    pub found: u64,
}

/// What became of a reading.
#[derive(Debug, Default)]
pub struct Reading {
    /// What was bad, in the order of the file.
    pub problems: Vec<Problem>,
    /// Whether the last line is the beginning of a record that was never finished.
    pub torn: bool,
}

/// Reads all lines of `source` and shows each that can be understood, as it is and as it is meant, to `visit`. Says
/// what was bad, under the name `file`; the outer error is the source's own.
pub fn read_lines(
    mut source: impl BufRead,
    file: &str,
    mut visit: impl FnMut(&str, &Line<'_>),
) -> std::io::Result<Result<Reading, TooNew>> {
    let mut reading = Reading::default();
    let mut buffer = Vec::new();
    let mut number = 0;
    loop {
        buffer.clear();
        if source.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut buffer)? == 0 {
            return Ok(Ok(reading));
        }
        number += 1;
        let finished = buffer.last() == Some(&b'\n');
        let mut bad = |message: String| {
            reading.problems.push(Problem { file: file.to_owned(), line: Some(number), message });
        };
        if !finished && buffer.len() as u64 == LINE_LIMIT {
            source.skip_until(b'\n')?;
            bad(format!("it is longer than {LINE_LIMIT} bytes and was skipped"));
            continue;
        }
        let Ok(text) = std::str::from_utf8(&buffer) else {
            reading.torn = !finished;
            bad("it is not UTF-8 and was skipped".to_owned());
            continue;
        };
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            continue;
        }
        match Line::parse(text) {
            Ok(line) => {
                if line.kind.as_str() == "session"
                    && let Some(found) = line.schema.filter(|schema| *schema > super::record::SCHEMA)
                {
                    return Ok(Err(TooNew { found }));
                }
                if let Some(bytes) = line.dropped_bytes.filter(|_| line.kind.as_str() == "repair") {
                    bad(format!("{bytes} bytes of a record that was never finished were dropped here"));
                }
                visit(text, &line);
            }
            Err(_) if !finished => {
                reading.torn = true;
                bad("the record was never finished and was skipped".to_owned());
            }
            Err(error) => bad(format!("it is no record and was skipped: {error}")),
        }
    }
}
