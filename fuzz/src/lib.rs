//! What the targets share: a consumer that writes down whatever a dialect says.

use locus_exec::agent::{AgentOptions, Dialect, Signal, Sink, agent_named};
use locus_exec::stream::{Chunk, Frame, FrameDecoder};

/// Far above what a fuzzer feeds.
const LINE_LIMIT: usize = 1 << 24;

/// The time at which everything is understood.
pub const NOW: u64 = 1_700_000_000_000;

/// What was understood, one entry for each chunk (its JSON) and each signal.
#[derive(Debug, Default)]
pub struct Heard(pub Vec<Word>);

/// A chunk or a signal.
#[derive(Debug)]
pub enum Word {
    /// As JSON.
    Chunk(String),
    Signal(Box<Signal>),
}

impl Sink for Heard {
    fn chunk(&mut self, chunk: Chunk<'_>) {
        let json = serde_json::to_string(&chunk).expect("a chunk serializes");
        assert_json(&json);
        self.0.push(Word::Chunk(json));
    }

    fn signal(&mut self, signal: Signal) {
        match &signal {
            Signal::Reply(bytes) => {
                let line = bytes.strip_suffix(b"\n").expect("a reply is a line");
                assert!(!line.contains(&b'\n'), "a reply is one line");
                assert_json(std::str::from_utf8(line).expect("a reply is text"));
            }
            Signal::Permission(request) => {
                assert_json(request.parameters.get());
                request.suggestions.iter().for_each(|suggestions| assert_json(suggestions.get()));
            }
            Signal::TurnEnded(end) => {
                assert!(end.usage.cost_usd.is_none_or(|cost| cost >= 0.0 && cost.is_finite()), "{end:?}");
            }
            Signal::Ready { .. } | Signal::PermissionWithdrawn(_) => {}
        }
        self.0.push(Word::Signal(Box::new(signal)));
    }
}

/// Everybody can parse it; a reader may only find it too deep or its numbers too large.
fn assert_json(json: &str) {
    if let Err(error) = serde_json::from_str::<serde_json::Value>(json) {
        let error = error.to_string();
        let known = ["recursion limit exceeded", "number out of range"];
        assert!(known.iter().any(|known| error.starts_with(known)), "{error}: {json}");
        // Then at least its syntax is right.
        serde_json::from_str::<&serde_json::value::RawValue>(json).expect("JSON");
    }
}

impl Heard {
    /// What was said, to be compared.
    pub fn words(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|word| match word {
                Word::Chunk(json) => json.clone(),
                Word::Signal(signal) => format!("{signal:?}"),
            })
            .collect()
    }

    /// The chunks; without those that are deeper than serde_json goes, which a line that it reads can hold.
    pub fn chunks(&self) -> impl Iterator<Item = serde_json::Value> {
        self.0.iter().filter_map(|word| match word {
            Word::Chunk(json) => serde_json::from_str(json).ok(),
            Word::Signal(_) => None,
        })
    }

    /// How often a turn ended.
    pub fn ends(&self) -> usize {
        let is_end =
            |word: &&Word| matches!(word, Word::Signal(signal) if matches!(**signal, Signal::TurnEnded(_)));
        self.0.iter().filter(is_end).count()
    }
}

/// A dialect that has just been told to begin.
pub fn dialect() -> Box<dyn Dialect> {
    agent_named("claude").expect("claude is known").dialect(&AgentOptions::default()).expect("a dialect")
}

/// What is understood of a stream that arrives in these pieces.
pub fn heard<'a>(dialect: &mut dyn Dialect, pieces: impl IntoIterator<Item = &'a [u8]>) -> Heard {
    let mut decoder = FrameDecoder::new(LINE_LIMIT);
    let mut heard = Heard::default();
    for piece in pieces {
        decoder.buffer().extend_from_slice(piece);
        while let Some(frame) = decoder.next_frame() {
            dialect.decode(line(frame), NOW, &mut heard);
        }
    }
    if let Some(frame) = decoder.finish() {
        dialect.decode(line(frame), NOW, &mut heard);
    }
    heard
}

fn line(frame: Frame<'_>) -> &[u8] {
    match frame {
        Frame::Line(line) => line,
        Frame::Oversized { length, .. } => panic!("a line of {length} bytes"),
    }
}
