//! Bytes to lines.
//!
//! A frame is one line of an agent's stdout without its line ending (`\n` or `\r\n`; a bare `\r` does not split). A
//! line above the limit is skipped to its end, so that memory stays bounded whatever is printed.

use memchr::memchr;

/// How much is asked for at a time. A fast stream has as much waiting, because its pipe is larger than usual.
const READ_SIZE: usize = 256 * 1024;

/// The capacity above which the buffer is let go when a line is over: one long line is often followed by more.
const KEPT_CAPACITY: usize = 2 * 1024 * 1024;

/// How much of an oversized line is kept for the report.
const OVERSIZED_HEAD: usize = 1024;

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A whole line without its ending.
    Line(&'a [u8]),
    /// A line above the limit.
    Oversized {
        /// Its beginning.
        head: &'a [u8],
        /// Its length in bytes.
        length: u64,
    },
}

impl<'a> Frame<'a> {
    /// The frame of a whole line without its newline.
    pub(crate) fn of(line: &'a [u8], limit: usize) -> Self {
        if line.len() > limit {
            return Frame::Oversized {
                head: &line[..OVERSIZED_HEAD.min(line.len())],
                length: line.len() as u64,
            };
        }
        Frame::Line(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

/// Cuts a byte stream into frames.
#[derive(Debug)]
pub struct FrameDecoder {
    buffer: Vec<u8>,
    /// Where the first unfinished line begins.
    start: usize,
    /// Up to where no newline was found.
    scanned: usize,
    limit: usize,
    /// The head and the length so far of an oversized line that is being skipped.
    skipping: Option<(Vec<u8>, u64)>,
    /// The head of the oversized line that was reported last; frames borrow from it.
    skipped: Vec<u8>,
}

impl FrameDecoder {
    /// A decoder for lines of up to `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::with_capacity(READ_SIZE),
            start: 0,
            scanned: 0,
            limit,
            skipping: None,
            skipped: Vec::new(),
        }
    }

    /// The buffer to read into, at its end; has room for a full read.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.scanned -= self.start;
            self.start = 0;
        }
        if self.buffer.capacity() > KEPT_CAPACITY && self.buffer.len() <= READ_SIZE {
            self.buffer.shrink_to(2 * READ_SIZE);
        }
        self.buffer.reserve(READ_SIZE);
        &mut self.buffer
    }

    /// The next whole line in the buffer; `None` until more is read.
    pub fn next_frame(&mut self) -> Option<Frame<'_>> {
        let Some(offset) = memchr(b'\n', &self.buffer[self.scanned..]) else {
            self.scanned = self.buffer.len();
            self.skip_if_oversized();
            return None;
        };
        let (start, end) = (self.start, self.scanned + offset);
        self.start = end + 1;
        self.scanned = self.start;
        Some(self.frame(start, end))
    }

    /// What is left when the stream has ended: a last line without a newline.
    pub fn finish(&mut self) -> Option<Frame<'_>> {
        let (start, end) = (self.start, self.buffer.len());
        if start == end && self.skipping.is_none() {
            return None;
        }
        self.start = end;
        self.scanned = end;
        Some(self.frame(start, end))
    }

    fn frame(&mut self, start: usize, end: usize) -> Frame<'_> {
        if let Some((mut head, length)) = self.skipping.take() {
            extend_head(&mut head, &self.buffer[start..end]);
            self.skipped = head;
            return Frame::Oversized { head: &self.skipped, length: length + (end - start) as u64 };
        }
        Frame::of(&self.buffer[start..end], self.limit)
    }

    fn skip_if_oversized(&mut self) {
        let unfinished = &self.buffer[self.start..];
        if let Some((head, length)) = &mut self.skipping {
            extend_head(head, unfinished);
            *length += unfinished.len() as u64;
        } else if unfinished.len() > self.limit {
            let head = unfinished[..OVERSIZED_HEAD.min(unfinished.len())].to_vec();
            self.skipping = Some((head, unfinished.len() as u64));
        } else {
            return;
        }
        self.buffer.clear();
        self.start = 0;
        self.scanned = 0;
    }
}

/// Where the limit is below the length of a head, a head comes in pieces.
fn extend_head(head: &mut Vec<u8>, piece: &[u8]) {
    let missing = OVERSIZED_HEAD.saturating_sub(head.len());
    head.extend_from_slice(&piece[..missing.min(piece.len())]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A line, or the head and the length of one that is oversized.
    type Owned = Result<Vec<u8>, (Vec<u8>, u64)>;

    /// The frames of `input` when it arrives in pieces of the given sizes.
    fn frames(input: &[u8], pieces: impl IntoIterator<Item = usize>, limit: usize) -> Vec<Owned> {
        let mut decoder = FrameDecoder::new(limit);
        let mut frames = Vec::new();
        let owned = |frame: Frame<'_>| match frame {
            Frame::Line(line) => Ok(line.to_vec()),
            Frame::Oversized { head, length } => Err((head.to_vec(), length)),
        };
        let mut rest = input;
        let mut pieces = pieces.into_iter();
        while !rest.is_empty() {
            let (piece, tail) = rest.split_at(pieces.next().unwrap_or(usize::MAX).clamp(1, rest.len()));
            decoder.buffer().extend_from_slice(piece);
            while let Some(frame) = decoder.next_frame() {
                frames.push(owned(frame));
            }
            rest = tail;
        }
        frames.extend(decoder.finish().map(owned));
        frames
    }

    #[expect(clippy::unnecessary_wraps, reason = "the shape of a frame here")]
    fn line(text: &str) -> Owned {
        Ok(text.into())
    }

    #[test]
    fn lines_end_with_lf_or_crlf_and_a_bare_cr_does_not_split() {
        let input = "a\r\nb\rc\n\nd\u{2028}e\n".as_bytes();
        assert_eq!(frames(input, [], 100), [line("a"), line("b\rc"), line(""), line("d\u{2028}e")]);
    }

    #[test]
    fn the_last_line_needs_no_newline() {
        assert_eq!(frames(b"a\nb", [], 100), [line("a"), line("b")]);
    }

    #[test]
    fn an_oversized_line_is_skipped_and_measured() {
        let input = [&b"a\n"[..], &[b'x'; 5000], b"\nb\n"].concat();
        for piece in [1, 7, 999, 6000] {
            assert_eq!(
                frames(&input, std::iter::repeat(piece), 100),
                [line("a"), Err((vec![b'x'; OVERSIZED_HEAD], 5000)), line("b")],
                "in pieces of {piece}"
            );
        }
    }

    #[test]
    fn the_memory_of_a_very_long_line_is_let_go_in_the_middle_of_the_next_one() {
        let mut decoder = FrameDecoder::new(16 * KEPT_CAPACITY);
        let long = vec![b'x'; 2 * KEPT_CAPACITY];
        for piece in long.chunks(READ_SIZE).chain([&b"\nthe next"[..]]) {
            decoder.buffer().extend_from_slice(piece);
            let frame = decoder.next_frame();
            assert!(frame.is_none() || frame == Some(Frame::Line(&long)));
        }
        decoder.buffer().extend_from_slice(b" one\n");
        assert!(decoder.buffer.capacity() <= 2 * READ_SIZE);
        assert_eq!(decoder.next_frame(), Some(Frame::Line(b"the next one")));
    }

    #[test]
    fn memory_is_bounded_by_the_limit() {
        let mut decoder = FrameDecoder::new(256 * 1024);
        let read = vec![b'x'; READ_SIZE];
        for _ in 0..1000 {
            decoder.buffer().extend_from_slice(&read);
            assert!(decoder.next_frame().is_none());
        }
        assert!(decoder.buffer.capacity() < 1024 * 1024);
        assert_eq!(
            decoder.finish(),
            Some(Frame::Oversized { head: &[b'x'; 1024], length: 1000 * READ_SIZE as u64 })
        );
    }

    proptest! {
        #[test]
        fn the_cuts_between_reads_change_nothing(
            input in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..300),
            pieces in proptest::collection::vec(1usize..20, 0..300),
            limit in 1usize..64,
        ) {
            let whole = frames(&input, [], limit);
            prop_assert_eq!(frames(&input, pieces, limit), whole);
        }
    }
}
