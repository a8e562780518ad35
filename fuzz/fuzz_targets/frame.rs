//! Frames are those of a naive reference, wherever the reads are cut, and what the decoder holds is bounded.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use locus_exec::stream::{Frame, FrameDecoder};

/// The size of a read, and how much of an oversized line is kept: the decoder's, as documented.
const READ_SIZE: usize = 64 * 1024;
const HEAD: usize = 1024;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    limit: u16,
    pieces: Vec<u16>,
    /// How often each byte is repeated, so that lines grow long.
    repeat: u8,
    bytes: &'a [u8],
}

#[derive(Debug, PartialEq)]
enum Owned {
    Line(Vec<u8>),
    Oversized(Vec<u8>, u64),
}

fn owned(frame: Frame<'_>) -> Owned {
    match frame {
        Frame::Line(line) => Owned::Line(line.to_vec()),
        Frame::Oversized { head, length } => Owned::Oversized(head.to_vec(), length),
    }
}

fn expected(input: &[u8], limit: usize) -> Vec<Owned> {
    let mut lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let frame = |line: &[u8]| match line {
        _ if line.len() > limit => Owned::Oversized(line[..HEAD.min(line.len())].to_vec(), line.len() as u64),
        [line @ .., b'\r'] | line => Owned::Line(line.to_vec()),
    };
    lines.into_iter().map(frame).collect()
}

fuzz_target!(|input: Input<'_>| {
    let limit = usize::from(input.limit);
    let repeat = usize::from(input.repeat % 64) + 1;
    let bytes: Vec<u8> = input.bytes.iter().flat_map(|byte| std::iter::repeat_n(*byte, repeat)).collect();

    let mut decoder = FrameDecoder::new(limit);
    let mut frames = Vec::new();
    let mut pieces = input.pieces.iter().map(|piece| usize::from(*piece)).cycle();
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let length = pieces.next().unwrap_or(usize::MAX).clamp(1, rest.len().min(READ_SIZE));
        let (piece, tail) = rest.split_at(length);
        let buffer = decoder.buffer();
        assert!(buffer.len() <= limit, "an unfinished line of {} bytes is kept", buffer.len());
        assert!(buffer.capacity() - buffer.len() >= READ_SIZE, "there is room for a read");
        assert!(buffer.capacity() <= 2 * (limit + 2 * READ_SIZE), "{} bytes are held", buffer.capacity());
        buffer.extend_from_slice(piece);
        while let Some(frame) = decoder.next_frame() {
            frames.push(owned(frame));
        }
        rest = tail;
    }
    frames.extend(decoder.finish().map(owned));
    assert_eq!(decoder.finish(), None, "a stream ends once");
    assert_eq!(frames, expected(&bytes, limit));
});
