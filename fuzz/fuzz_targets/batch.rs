//! What is packed, however it is taken and put together again, is unpacked by a reader that knows only the format.
#![no_main]

use std::borrow::Cow;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use locus_exec::event::{Event, Fact, Payload};
use locus_exec::stream::{Arena, Batch, Chunk, Packer, TIME_MARK, TurnResult, Usage, json_of};

const ARENA_LIMIT: usize = 64 * 1024;
const WORD_LIMIT: usize = 8 * 1024;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    first_seq: u32,
    steps: Vec<Step<'a>>,
}

#[derive(Debug, Arbitrary)]
struct Step<'a> {
    said: Said<'a>,
    /// How often it is said; see [`mostly_few`].
    times: u16,
    /// The milliseconds from one time to the next.
    later: u32,
    /// After how many times what is packed is taken.
    take_every: Option<u16>,
}

/// A small number, or once in a while one that fills a batch.
fn mostly_few(number: u16) -> usize {
    if number < 0xfc00 { usize::from(number % 16) } else { usize::from(number - 0xfc00) * 70 }
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Said<'a> {
    Text(&'a str, Option<&'a str>),
    Thought(Option<&'a str>, Option<&'a str>),
    Long(char, u16),
    ToolUse(&'a str, &'a str),
    ToolResult(&'a str, bool),
    Status(&'a str),
    Unparsed(&'a str, &'a str),
    Usage(u64, Option<u16>),
    Result(&'a str, u64),
    ThinkingStarted,
    Started(&'a str),
    Resolved(&'a str, &'a str),
}

impl<'a> Said<'a> {
    fn payload(self) -> Payload<'a> {
        let some = |text: Option<&'a str>| text.map(Cow::Borrowed);
        match self {
            Self::Text(content, parent) => {
                Chunk::TextDelta { content: content.into(), parent_tool_use_id: some(parent) }.into()
            }
            Self::Thought(content, parent) => {
                Chunk::Thinking { content: some(content), parent_tool_use_id: some(parent) }.into()
            }
            Self::Long(char, times) => {
                let content = char.to_string().repeat(mostly_few(times)).into();
                Chunk::TextDelta { content, parent_tool_use_id: None }.into()
            }
            Self::ToolUse(tool, id) => Chunk::ToolUse {
                tool: tool.into(),
                id: id.into(),
                parameters: Some(json_of(&[tool, id])),
                parent_tool_use_id: None,
            }
            .into(),
            Self::ToolResult(id, success) => Chunk::ToolResult {
                tool: "Bash".into(),
                id: id.into(),
                success,
                error: (!success).then_some(id.into()),
                duration: 7,
                data: None,
                parent_tool_use_id: None,
            }
            .into(),
            Self::Status(status) => Chunk::Status { status: status.into(), detail: None }.into(),
            Self::Unparsed(line, reason) => {
                Chunk::Unparsed { line: line.into(), reason: reason.into() }.into()
            }
            Self::Usage(input, cost) => {
                Chunk::Usage(Usage { input, cost_usd: cost.map(f64::from), ..Usage::default() }).into()
            }
            Self::Result(content, turns) => TurnResult {
                content: content.into(),
                success: true,
                stop_reason: "end_turn".into(),
                usage: Usage::default(),
                duration_ms: 1,
                turns,
                agent_session_id: some(Some(content)),
            }
            .into(),
            Self::ThinkingStarted => Fact::ThinkingStarted {}.into(),
            Self::Started(provider) => {
                Fact::SessionStarted { provider, model: None, project_path: provider.into() }.into()
            }
            Self::Resolved(id, message) => Fact::PermissionResolved {
                id,
                tool: "Bash",
                behavior: "deny",
                decided_by: "user",
                message: Some(message),
            }
            .into(),
        }
    }
}

/// An event as a reader has it.
#[derive(Debug, PartialEq)]
struct Read {
    seq: u64,
    time: u64,
    kind: u8,
    fields: Vec<String>,
}

fn expected(seq: u64, time: u64, payload: &Payload<'_>) -> Read {
    let json = |value: serde_json::Result<String>| vec![value.expect("it serializes")];
    let texts =
        |texts: [Option<&Cow<'_, str>>; 2]| texts.into_iter().flatten().map(ToString::to_string).collect();
    let empty = Cow::Borrowed("");
    let fields = match payload {
        Payload::Chunk(Chunk::TextDelta { content, parent_tool_use_id }) => {
            texts([Some(content), parent_tool_use_id.as_ref()])
        }
        Payload::Chunk(Chunk::Thinking { content, parent_tool_use_id: Some(parent) }) => {
            texts([Some(content.as_ref().unwrap_or(&empty)), Some(parent)])
        }
        Payload::Chunk(Chunk::Thinking { content, parent_tool_use_id: None }) => {
            texts([content.as_ref(), None])
        }
        Payload::Chunk(chunk) => json(serde_json::to_string(chunk)),
        Payload::Fact(fact) => json(serde_json::to_string(fact)),
    };
    Read { seq, time, kind: payload.kind() as u8, fields }
}

/// A reader after the table in the documentation of the format.
fn read(batch: &Batch) -> Vec<Read> {
    let units: Vec<u16> = match &batch.arena {
        Arena::Latin1(units) => units.iter().map(|unit| u16::from(*unit)).collect(),
        Arena::Utf16(units) => units.clone(),
    };
    let mut events = Vec::new();
    let (mut time, mut start) = (None, 0);
    let mut words = batch.words.as_slice();
    while let [head, rest @ ..] = words {
        let (kind, (fields, rest)) = ((head & 0xff) as u8, rest.split_at((head >> 8) as usize));
        words = rest;
        if kind == TIME_MARK {
            let [low, high] = fields else { panic!("a time of {} words", fields.len()) };
            time = Some(u64::from(*low) | u64::from(*high) << 32);
            continue;
        }
        let fields = fields.iter().map(|end| {
            let end = *end as usize;
            let field = String::from_utf16(&units[start..end]).expect("a field is text");
            start = end;
            field
        });
        let fields = fields.collect();
        let time = time.expect("every batch begins with a time");
        events.push(Read { seq: batch.first_seq + events.len() as u64, time, kind, fields });
    }
    assert_eq!(start, units.len(), "all of the arena belongs to an event");
    assert_eq!(events.len() as u64, batch.events);
    events
}

fuzz_target!(|input: Input<'_>| {
    let mut packer = Packer::default();
    let mut batches: Vec<Batch> = Vec::new();
    let (mut longest, mut total) = (0, 0);
    let mut said = Vec::new();
    let (mut seq, mut time) = (u64::from(input.first_seq), 1_700_000_000_000);
    let mut take = |packer: &mut Packer| {
        for batch in packer.take() {
            assert!(batch.words.len() <= WORD_LIMIT, "{} words", batch.words.len());
            let left = match batches.last_mut() {
                Some(last) => last.append(batch).err(),
                None => Some(batch),
            };
            batches.extend(left);
        }
    };
    for step in &input.steps {
        for nth in 1..=mostly_few(step.times) {
            // Enough for several batches of either kind of fullness.
            if said.len() > WORD_LIMIT || total > 2 * ARENA_LIMIT {
                break;
            }
            let payload = step.said.payload();
            let event = expected(seq, time, &payload);
            let length = event.fields.iter().map(|field| field.encode_utf16().count()).sum();
            longest = longest.max(length);
            total += length;
            said.push(event);
            packer.push(&Event { seq, timestamp: time, payload });
            seq += 1;
            time += u64::from(step.later);
            if step.take_every.is_some_and(|every| nth % usize::from(every.max(1)) == 0) {
                take(&mut packer);
            }
        }
    }
    take(&mut packer);
    assert!(packer.is_empty());

    let seen: Vec<Read> = batches.iter().flat_map(read).collect();
    assert!(seen.len() == said.len(), "{} events became {}", said.len(), seen.len());
    for (seen, said) in seen.iter().zip(&said) {
        assert_eq!(seen, said);
    }
    for batch in &batches {
        assert!(batch.words.len() <= WORD_LIMIT, "{} words", batch.words.len());
        assert!(batch.arena.len() < ARENA_LIMIT + longest.max(1), "an arena of {}", batch.arena.len());
    }
});
