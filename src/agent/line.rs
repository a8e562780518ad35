//! Lines that hold JSON objects: how they are read, however mangled, and how they are written.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use super::Sink;
use super::json::{CheckedJson, LongStrings};
use crate::stream::{Chunk, Json, json_of, repair};

/// How much of a line that was not understood is passed on.
const UNPARSED_CAP: usize = 2000;

/// How many objects on one line are taken apart. A line of millions of them is no accident, and all that comes of a line
/// is held at once.
const GLUED_LIMIT: usize = 1000;

/// Gives each object of a line to `each`: one, or several where newlines were lost between them. What is no object is
/// told as unparsed.
pub(super) fn read_objects(
    line: &[u8],
    sink: &mut dyn Sink,
    mut each: impl FnMut(CheckedJson<'_>, &mut dyn Sink),
) {
    // Much faster than the lossy way where there is nothing to lose, as nearly always.
    let text = simdutf8::basic::from_utf8(line).map_or_else(|_| String::from_utf8_lossy(line), Cow::Borrowed);
    let text = text.trim_ascii().trim_start_matches('\u{feff}');
    if text.is_empty() {
        return;
    }
    let repaired = repair(text);
    let sound = repaired.as_deref().unwrap_or(text);
    let long = LongStrings::of(sound);
    match CheckedJson::parse_with(sound, &long) {
        Ok(json) if json.as_str().starts_with('{') => each(json, sink),
        Ok(_) => unparsed(text, "a line that is no object", sink),
        Err(error) => {
            let objects = objects(sound);
            if objects.len() < 2 {
                return unparsed(text, &error.to_string(), sink);
            }
            for object in objects {
                each(CheckedJson::of(object), sink);
            }
        }
    }
}

/// The objects that `text` consists of; none if there is anything else in it, or too many.
fn objects(text: &str) -> Vec<&RawValue> {
    let values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let objects = values.map(|value| value.ok().filter(|value| value.get().starts_with('{')));
    let objects = objects.take(GLUED_LIMIT + 1).collect::<Option<Vec<_>>>();
    objects.filter(|objects| objects.len() <= GLUED_LIMIT).unwrap_or_default()
}

/// Tells what the agent is doing beside answering.
pub(super) fn status(status: &str, detail: Option<Json<'_>>, sink: &mut dyn Sink) {
    sink.chunk(Chunk::Status { status: Cow::Borrowed(status), detail });
}

/// Tells of a line that was not understood.
pub(super) fn unparsed(line: &str, reason: &str, sink: &mut dyn Sink) {
    let line = match line.char_indices().nth(UNPARSED_CAP) {
        Some((end, _)) => &line[..end],
        None => line,
    };
    sink.chunk(Chunk::Unparsed { line: Cow::Borrowed(line), reason: Cow::Borrowed(reason) });
}

/// A value as a line for the agent's stdin.
pub(super) fn line_of<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = json_of(value).get().as_bytes().to_vec();
    bytes.push(b'\n');
    bytes
}
