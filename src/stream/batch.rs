//! Events packed flat, for the border.
//!
//! A call or an object per chunk across N-API costs more than all the rest of the pipeline, so many events cross as
//! one string (the arena) and one array of 32-bit words. The words, for each event in order:
//!
//! ```text
//! kind | fields << 8      the event's kind (its EventKind, or TIME_MARK) and how many words follow
//! end                     once per text field: where it ends in the arena, in UTF-16 code units;
//!                         it begins where the one before it ended
//! ```
//!
//! | kind | text fields |
//! | --- | --- |
//! | `text:delta`, `thinking:delta` | content, and the parent tool use id if there is one |
//! | `tool:completed`, `tool:failed` with a long text as `data` | the chunk without `data` as JSON, and that text |
//! | all others | one JSON text: the chunk, or the data of the fact |
//! | [`TIME_MARK`] | none; its two words are the low and high half of the time of the events after it |
//! | [`LINES_MARK`] | none; its words are how many events it stands for, whether the answer is among them, and where their lines end |
//!
//! Where a session is asked for JSON lines, what is said and thought is no event of its own: it is in the lines, which are
//! bytes beside the arena.
//!
//! Events in a batch are consecutive, so the first one's `seq` gives all of them. The arena is kept small because
//! strings sliced out of it keep all of it alive in V8, and is Latin-1 where the text allows, which V8 stores in half
//! the memory.

use std::borrow::Cow;

use encoding_rs::mem::{convert_str_to_utf16, convert_utf8_to_latin1_lossy, is_str_latin1};
use serde::Serialize;

use crate::event::{Event, Payload};
use crate::stream::json_lines::{JsonLines, Written};
use crate::stream::{Chunk, ToolData};

/// The kind of the words that carry a time.
pub const TIME_MARK: u8 = 0xff;

/// The kind of the words that stand for events whose lines are written already.
pub const LINES_MARK: u8 = 0xfe;

/// An arena is closed when it has grown to this many code units; only a single larger event exceeds it.
const ARENA_LIMIT: usize = 64 * 1024;

/// A batch is closed when it has grown to this many words, the size of JavaScript's buffer.
const WORD_LIMIT: usize = 8 * 1024;

/// How many bytes are brought into another encoding at a time.
const ENCODED_BLOCK: usize = 4 * 1024;

/// The most words that one event takes, with a time mark.
const WORDS_PER_EVENT: usize = 6;

/// What a tool returned crosses as it is, not as JSON, if it is a text of this length in bytes or more: then nobody has to
/// write and read it as JSON once more.
const LONG_TEXT: usize = 4 * 1024;

/// The text of a batch, in an encoding that V8 takes over without looking at it.
#[derive(Debug, PartialEq, Eq)]
pub enum Arena {
    /// One byte a code unit.
    Latin1(Vec<u8>),
    /// Two bytes a code unit.
    Utf16(Vec<u16>),
}

impl Arena {
    /// The texts one after the other, which are `units` code units in all.
    fn of(texts: &[&str], units: usize) -> Self {
        if units == bytes_of(texts) {
            // A character outside of ASCII has more bytes than units.
            return Self::Latin1(texts.concat().into_bytes());
        }
        if texts.iter().all(|text| is_str_latin1(text)) {
            Self::Latin1(encoded(texts, units, |text, to| convert_utf8_to_latin1_lossy(text.as_bytes(), to)))
        } else {
            Self::Utf16(encoded(texts, units, convert_str_to_utf16))
        }
    }

    /// Its length in code units.
    pub fn len(&self) -> usize {
        match self {
            Self::Latin1(units) => units.len(),
            Self::Utf16(units) => units.len(),
        }
    }

    /// Whether there is no text in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The texts in another encoding, which they have `units` units in. `convert` wants as many units of room as a text has bytes, and
/// tells how many it has filled.
fn encoded<T: Copy + Default>(
    texts: &[&str],
    units: usize,
    convert: impl Fn(&str, &mut [T]) -> usize,
) -> Vec<T> {
    // In blocks, so that the room is made where the processor has it at hand, and no more is asked for than is needed.
    let mut arena = Vec::with_capacity(units + ENCODED_BLOCK.min(bytes_of(texts)));
    for block in texts.iter().flat_map(|text| blocks(text)) {
        let start = arena.len();
        arena.resize(start + block.len(), T::default());
        let filled = convert(block, &mut arena[start..]);
        arena.truncate(start + filled);
    }
    arena
}

fn bytes_of(texts: &[&str]) -> usize {
    texts.iter().map(|text| text.len()).sum()
}

/// A text in pieces of up to [`ENCODED_BLOCK`] bytes.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.len().min(ENCODED_BLOCK);
        let end = (0..=end).rev().find(|&end| rest.is_char_boundary(end))?;
        let (block, after) = rest.split_at(end);
        rest = after;
        (!block.is_empty()).then_some(block)
    })
}

/// A run of consecutive events, packed.
#[derive(Debug)]
pub struct Batch {
    /// The `seq` of the first event.
    pub first_seq: u64,
    /// The text of all events.
    pub arena: Arena,
    /// Lines that events became.
    pub lines: Vec<u8>,
    /// The words; see the module.
    pub words: Vec<u32>,
    /// How many events.
    pub events: u64,
}

impl Batch {
    /// How much memory it holds, roughly, in bytes.
    pub fn size(&self) -> usize {
        let unit = match self.arena {
            Arena::Latin1(_) => 1,
            Arena::Utf16(_) => 2,
        };
        self.arena.len() * unit + self.lines.len() + self.words.len() * 4
    }

    /// Takes `next` in if it follows directly, has the same encoding, and there is room; gives it back otherwise.
    pub fn append(&mut self, next: Self) -> Result<(), Self> {
        let fits = self.arena.len() + next.arena.len() <= ARENA_LIMIT
            && self.words.len() + next.words.len() <= WORD_LIMIT
            && self.lines.is_empty()
            && next.lines.is_empty()
            && self.first_seq + self.events == next.first_seq;
        let Ok(offset) = u32::try_from(self.arena.len()) else { return Err(next) };
        match (&mut self.arena, &next.arena) {
            (Arena::Latin1(units), Arena::Latin1(more)) if fits => units.extend_from_slice(more),
            (Arena::Utf16(units), Arena::Utf16(more)) if fits => units.extend_from_slice(more),
            _ => return Err(next),
        }
        let mut words = next.words.into_iter();
        while let Some(head) = words.next() {
            self.words.push(head);
            let is_mark = [TIME_MARK, LINES_MARK].map(u32::from).contains(&(head & 0xff));
            let shift = if is_mark { 0 } else { offset };
            self.words.extend(words.by_ref().take((head >> 8) as usize).map(|word| word + shift));
        }
        self.events += next.events;
        Ok(())
    }
}

/// Packs events into batches.
#[derive(Debug, Default)]
pub struct Packer {
    text: String,
    units: usize,
    words: Vec<u32>,
    first_seq: u64,
    events: u64,
    marked: Option<u64>,
    full: Vec<Batch>,
    /// Writes what is said and thought as lines, where that is asked for.
    writer: Option<JsonLines>,
    lines: Vec<u8>,
    /// Where the words of the lines begin that the next one is added to.
    run: Option<usize>,
}

impl Packer {
    /// One that writes what is said and thought as lines of the session with this id.
    pub fn with_json_lines(session_id: &str) -> Self {
        Self { writer: Some(JsonLines::new(session_id)), ..Self::default() }
    }

    /// Adds an event. Consecutive calls must bring consecutive events.
    pub fn push(&mut self, event: &Event<'_>) {
        let is_full = self.units.max(self.lines.len()) >= ARENA_LIMIT;
        if is_full || self.words.len() + WORDS_PER_EVENT > WORD_LIMIT {
            self.close();
        }
        if self.events == 0 {
            self.first_seq = event.seq;
        }
        self.events += 1;
        if self.write_line(event) {
            return;
        }
        self.run = None;
        if self.marked != Some(event.timestamp) {
            self.marked = Some(event.timestamp);
            #[expect(clippy::cast_possible_truncation, reason = "the two halves of a 64-bit number")]
            let halves = [event.timestamp as u32, (event.timestamp >> 32) as u32];
            self.words.push(head(TIME_MARK, 2));
            self.words.extend(halves);
        }
        let kind = event.payload.kind() as u8;
        match &event.payload {
            Payload::Chunk(
                Chunk::TextDelta { content, parent_tool_use_id }
                | Chunk::Thinking { content: Some(content), parent_tool_use_id },
            ) => self.text_event(kind, content, parent_tool_use_id.as_ref()),
            Payload::Chunk(Chunk::Thinking { content: None, parent_tool_use_id: None }) => {
                self.words.push(head(kind, 0));
            }
            Payload::Chunk(Chunk::Thinking { content: None, parent_tool_use_id }) => {
                self.text_event(kind, "", parent_tool_use_id.as_ref());
            }
            Payload::Chunk(chunk) => match long_text(chunk) {
                Some((chunk, text)) => self.event(kind, [&*json_text(&chunk), text]),
                None => self.event(kind, [&*json_text(chunk)]),
            },
            Payload::Fact(fact) => self.event(kind, [&*json_text(fact)]),
        }
    }

    /// Whether anything waits to be taken.
    pub fn is_empty(&self) -> bool {
        self.events == 0 && self.full.is_empty()
    }

    /// Everything packed so far, as batches in order.
    pub fn take(&mut self) -> impl Iterator<Item = Batch> {
        self.close();
        self.full.drain(..)
    }

    /// Writes an event as a line; whether it is one.
    fn write_line(&mut self, event: &Event<'_>) -> bool {
        let (Some(writer), Payload::Chunk(chunk)) = (&mut self.writer, &event.payload) else { return false };
        let written = writer.write(&mut self.lines, event.timestamp, chunk);
        if written == Written::Not {
            return false;
        }
        let run = *self.run.get_or_insert_with(|| {
            self.words.extend([head(LINES_MARK, 3), 0, 0, 0]);
            self.words.len() - 3
        });
        self.words[run] += 1;
        self.words[run + 1] |= u32::from(written == Written::Answer);
        // Closed at a length far below what 32 bits hold; only a single line may go beyond it, and lines are capped.
        self.words[run + 2] = u32::try_from(self.lines.len()).unwrap_or(u32::MAX);
        true
    }

    fn text_event(&mut self, kind: u8, content: &str, parent: Option<&Cow<'_, str>>) {
        match parent {
            None => self.event(kind, [content]),
            Some(parent) => self.event(kind, [content, parent]),
        }
    }

    fn event<const N: usize>(&mut self, kind: u8, fields: [&str; N]) {
        #[expect(clippy::cast_possible_truncation, reason = "one or two")]
        self.words.push(head(kind, N as u32));
        for field in fields {
            self.units += utf16_len(field);
            // An arena beyond 4 Gi code units cannot come out of lines that are capped far below.
            self.words.push(u32::try_from(self.units).unwrap_or(u32::MAX));
        }
        if bytes_of(&fields) < ARENA_LIMIT {
            self.text.extend(fields);
        } else {
            // Encoded from where it is.
            let gathered = std::mem::take(&mut self.text);
            let mut texts = vec![&*gathered];
            texts.extend(fields);
            self.seal(Arena::of(&texts, self.units));
            self.text = gathered;
            self.text.clear();
        }
    }

    fn close(&mut self) {
        if self.events > 0 {
            let gathered = std::mem::take(&mut self.text);
            self.seal(Arena::of(&[&gathered], self.units));
            self.text = gathered;
            self.text.clear();
        }
    }

    /// Makes a batch of what has been gathered, whose text is `arena`.
    fn seal(&mut self, arena: Arena) {
        self.full.push(Batch {
            first_seq: self.first_seq,
            arena,
            lines: std::mem::take(&mut self.lines),
            words: self.words.clone(),
            events: self.events,
        });
        self.run = None;
        self.words.clear();
        self.units = 0;
        self.events = 0;
        self.marked = None;
    }
}

const fn head(kind: u8, fields: u32) -> u32 {
    kind as u32 | fields << 8
}

fn json_text(payload: &impl Serialize) -> String {
    // Fails only for types with keys that are no strings, of which there are none here.
    serde_json::to_string(payload).unwrap_or_default()
}

/// What a tool returned, if it is a long text, and its chunk without that.
fn long_text<'a>(chunk: &'a Chunk<'_>) -> Option<(Chunk<'a>, &'a str)> {
    let Chunk::ToolResult { tool, id, success, error, duration, data, parent_tool_use_id } = chunk else {
        return None;
    };
    let Some(ToolData::Text(text)) = data else { return None };
    if text.len() < LONG_TEXT {
        return None;
    }
    let borrowed = |text: &'a Cow<'_, str>| Cow::Borrowed(&**text);
    let rest = Chunk::ToolResult {
        tool: borrowed(tool),
        id: borrowed(id),
        success: *success,
        error: error.as_ref().map(borrowed),
        duration: *duration,
        data: None,
        parent_tool_use_id: parent_tool_use_id.as_ref().map(borrowed),
    };
    Some((rest, text))
}

/// The length of `text` in UTF-16 code units: one for each character, two for those beyond the first plane.
pub(crate) fn utf16_len(text: &str) -> usize {
    // In blocks whose counts fit into a byte, so that many bytes are counted at once.
    let units = |byte: u8| u8::from(byte & 0xc0 != 0x80) + u8::from(byte >= 0xf0);
    let count = |block: &[u8]| usize::from(block.iter().map(|byte| units(*byte)).sum::<u8>());
    text.as_bytes().chunks(usize::from(u8::MAX / 2)).map(count).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::EventKind;

    fn delta(seq: u64, content: &str, parent: Option<&str>) -> Event<'static> {
        Event {
            seq,
            timestamp: 1_700_000_000_000 + seq / 3,
            payload: Payload::Chunk(Chunk::TextDelta {
                content: content.to_owned().into(),
                parent_tool_use_id: parent.map(|parent| parent.to_owned().into()),
            }),
        }
    }

    /// What JavaScript sees: (seq, time, kind, fields) of each event.
    fn unpack(batch: &Batch) -> Vec<(u64, u64, u8, Vec<String>)> {
        let units: Vec<u16> = match &batch.arena {
            Arena::Latin1(units) => units.iter().map(|unit| u16::from(*unit)).collect(),
            Arena::Utf16(units) => units.clone(),
        };
        let mut events = Vec::new();
        let (mut seq, mut time, mut start) = (batch.first_seq, 0, 0);
        let mut words = batch.words.iter().copied();
        while let Some(head) = words.next() {
            let kind = head.to_le_bytes()[0];
            let following: Vec<u32> = words.by_ref().take((head >> 8) as usize).collect();
            if kind == TIME_MARK {
                time = u64::from(following[0]) | u64::from(following[1]) << 32;
                continue;
            }
            let mut fields = Vec::new();
            for end in following {
                fields.push(String::from_utf16(&units[start..end as usize]).unwrap());
                start = end as usize;
            }
            events.push((seq, time, kind, fields));
            seq += 1;
        }
        assert_eq!(start, units.len());
        events
    }

    #[test]
    fn other_events_cross_as_one_json_text() {
        let mut packer = Packer::default();
        let chunk = Chunk::Status { status: "compacting".into(), detail: None };
        packer.push(&Event { seq: 7, timestamp: 5, payload: chunk.into() });
        let batches: Vec<Batch> = packer.take().collect();
        let json = r#"{"type":"status","status":"compacting"}"#.to_owned();
        assert_eq!(unpack(&batches[0]), [(7, 5, EventKind::StatusChanged as u8, vec![json])]);
        assert!(packer.is_empty());
    }

    #[test]
    fn a_long_text_that_a_tool_returned_crosses_as_it_is() {
        let result = |text: &str| Chunk::ToolResult {
            tool: "Read".into(),
            id: "toolu_1".into(),
            success: true,
            error: None,
            duration: 3,
            data: Some(ToolData::Text(text.to_owned().into())),
            parent_tool_use_id: None,
        };
        let rest = r#""tool":"Read","id":"toolu_1","success":true,"duration":3"#;
        for length in [LONG_TEXT, ARENA_LIMIT] {
            let long = "\"é\n🦀".repeat(length);
            let mut packer = Packer::default();
            for (seq, text) in [(1, "short"), (2, &long), (3, "short")] {
                packer.push(&Event { seq, timestamp: 5, payload: result(text).into() });
            }
            let events: Vec<_> = packer.take().flat_map(|batch| unpack(&batch)).collect();
            assert!(events.iter().map(|(seq, ..)| *seq).eq(1..=3));
            let short = vec![format!(r#"{{"type":"tool_result",{rest},"data":"short"}}"#)];
            let fields: Vec<_> = events.into_iter().map(|(.., fields)| fields).collect();
            let long = vec![format!(r#"{{"type":"tool_result",{rest}}}"#), long];
            assert_eq!(fields, [short.clone(), long, short]);
        }
    }

    #[test]
    fn what_is_said_is_lines_where_they_are_asked_for() {
        let mut packer = Packer::with_json_lines("s");
        packer.push(&delta(1, "a", None));
        packer.push(&delta(2, "subagent", Some("toolu_1")));
        let status = Chunk::Status { status: "compacting".into(), detail: None };
        packer.push(&Event { seq: 3, timestamp: 5, payload: status.into() });
        let thought = Chunk::Thinking { content: Some("b".into()), parent_tool_use_id: None };
        packer.push(&Event { seq: 4, timestamp: 5, payload: thought.into() });
        let batches: Vec<Batch> = packer.take().collect();
        let [batch] = &batches[..] else { panic!("one batch, not {}", batches.len()) };
        let lines = String::from_utf8(batch.lines.clone()).unwrap();
        let ends: Vec<usize> = lines.match_indices('\n').map(|(at, _)| at + 1).collect();
        let [first, second] = ends[..] else { panic!("two lines, not {}", ends.len()) };
        let ends = [first, second].map(|end| u32::try_from(end).unwrap());
        assert_eq!(batch.events, 4);
        assert_eq!(batch.words[..4], [head(LINES_MARK, 3), 2, 1, ends[0]]);
        assert_eq!(batch.words[batch.words.len() - 4..], [head(LINES_MARK, 3), 1, 0, ends[1]]);
        assert!(lines[..first].contains(r#""type":"text_delta""#));
        assert!(lines[first..].contains(r#""type":"thinking""#));
    }

    #[test]
    fn lines_are_handed_over_in_parts() {
        let mut packer = Packer::with_json_lines("s");
        for seq in 1..=10_000 {
            packer.push(&delta(seq, "some words of an answer", None));
        }
        let batches: Vec<Batch> = packer.take().collect();
        assert!(batches.len() > 3);
        assert!(batches.iter().all(|batch| batch.lines.len() < ARENA_LIMIT + 200));
        assert_eq!(batches.iter().map(|batch| batch.events).sum::<u64>(), 10_000);
    }

    #[test]
    fn an_arena_stays_small() {
        let mut packer = Packer::default();
        for seq in 1..=10_000 {
            packer.push(&delta(seq, "some words of an answer", None));
        }
        let batches: Vec<Batch> = packer.take().collect();
        assert!(batches.len() > 3);
        assert!(
            batches
                .iter()
                .all(|batch| batch.arena.len() < ARENA_LIMIT + 100 && batch.words.len() <= WORD_LIMIT)
        );
    }

    proptest! {
        #[test]
        fn a_text_of_any_length_is_encoded_as_a_whole(
            texts in proptest::collection::vec(("[a-z]{0,3}(é|日|🦀|a|[ -~é]{1,9})", 0usize..3 * ENCODED_BLOCK), 0..3),
        ) {
            let texts: Vec<String> = texts.iter().map(|(text, times)| text.repeat(*times / text.len())).collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let whole: Vec<u16> = texts.concat().encode_utf16().collect();
            let (is_latin1, units) = match Arena::of(&texts, whole.len()) {
                Arena::Latin1(units) => (true, units.into_iter().map(u16::from).collect()),
                Arena::Utf16(units) => (false, units),
            };
            prop_assert_eq!(is_latin1, whole.iter().all(|unit| *unit < 0x100));
            prop_assert_eq!(units, whole);
        }

        #[test]
        fn what_is_packed_is_unpacked(
            texts in proptest::collection::vec((".{0,40}", proptest::option::of("[a-z]{1,5}")), 1..60),
            take_every in 1usize..20,
        ) {
            let mut packer = Packer::default();
            let mut merged: Vec<Batch> = Vec::new();
            for (index, (text, parent)) in texts.iter().enumerate() {
                packer.push(&delta(index as u64 + 1, text, parent.as_deref()));
                if index % take_every == 0 || index + 1 == texts.len() {
                    for batch in packer.take() {
                        let left = match merged.last_mut() {
                            Some(last) => last.append(batch).err(),
                            None => Some(batch),
                        };
                        merged.extend(left);
                    }
                }
            }
            let seen: Vec<_> = merged.iter().flat_map(unpack).collect();
            prop_assert_eq!(seen.len(), texts.len());
            for (index, ((text, parent), (seq, time, kind, fields))) in texts.iter().zip(seen).enumerate() {
                let expected: Vec<_> = [Some(text), parent.as_ref()].into_iter().flatten().cloned().collect();
                prop_assert_eq!(seq, index as u64 + 1);
                prop_assert_eq!(time, 1_700_000_000_000 + seq / 3);
                prop_assert_eq!(kind, EventKind::TextDelta as u8);
                prop_assert_eq!(fields, expected);
            }
        }
    }
}
