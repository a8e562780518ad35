//! The hot path alone, from bytes to batches, over lines of one shape: what a profiler looks at and what
//! `bench/instructions.mjs` counts the instructions of.
//!
//! ```text
//! hot_path                  prints the names of the shapes
//! hot_path <shape> <lines>  reads that many lines, prints what came of them
//! ```

#![expect(clippy::print_stdout, reason = "what it prints is its result")]

use std::env;

use locus_exec::Result;
use locus_exec::agent::{AgentOptions, Signal, Sink, agent_named};
use locus_exec::event::{Event, Payload};
use locus_exec::stream::{Chunk, Frame, FrameDecoder, Packer};

#[path = "../benches/shapes/mod.rs"]
mod shapes;

const LINE_LIMIT: usize = 16 * 1024 * 1024;
const READ_BYTES: usize = 64 * 1024;
const NOW: u64 = 1_700_000_000_000;

/// Packs what a dialect says, as the dispatcher of a run does.
#[derive(Default)]
struct Packing {
    packer: Packer,
    seq: u64,
}

impl Sink for Packing {
    fn chunk(&mut self, chunk: Chunk<'_>) {
        self.seq += 1;
        self.packer.push(&Event { seq: self.seq, timestamp: NOW, payload: Payload::Chunk(chunk) });
    }

    fn signal(&mut self, _signal: Signal) {}
}

fn main() -> Result<()> {
    let mut args = env::args().skip(1);
    let (name, lines) = (args.next(), args.next().and_then(|count| count.parse().ok()));
    let shape = shapes::SHAPES.iter().find(|shape| Some(shape.name) == name.as_deref());
    let (Some(shape), Some(lines)) = (shape, lines) else {
        for shape in shapes::SHAPES {
            println!("{}", shape.name);
        }
        return Ok(());
    };
    let (events, units) = read(&shape.line(), lines)?;
    println!("{events} events, {units} UTF-16 units");
    Ok(())
}

/// Reads a stream that repeats `line`, in pieces as they come out of a pipe; gives the number of events and of UTF-16
/// units.
fn read(line: &[u8], lines: usize) -> Result<(u64, usize)> {
    let mut decoder = FrameDecoder::new(LINE_LIMIT);
    let mut dialect = agent_named("claude")?.dialect(&AgentOptions::default())?;
    let mut packing = Packing::default();
    let mut units = 0;
    for piece in line.repeat(lines).chunks(READ_BYTES) {
        decoder.buffer().extend_from_slice(piece);
        while let Some(frame) = decoder.next_frame() {
            if let Frame::Line(line) = frame {
                dialect.decode(line, NOW, &mut packing);
            }
        }
        units += packing.packer.take().map(|batch| batch.arena.len()).sum::<usize>();
    }
    Ok((packing.seq, units))
}
