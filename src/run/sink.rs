//! Between a dialect and the dispatcher.

use super::dispatcher::Dispatcher;
use super::turn::Output;
use crate::agent::{Agent, Dialect, Signal, Sink};
use crate::stream::{Chunk, Frame};

/// Takes what a dialect understood of one frame.
pub(super) struct RunSink<'a> {
    pub(super) dispatcher: &'a mut Dispatcher,
    pub(super) agent: &'a dyn Agent,
    pub(super) output: Option<&'a mut Output>,
    /// Whether nobody reads any more: what is said is then only written down.
    pub(super) drop_chunks: bool,
    pub(super) heard: Heard,
}

/// What the run must act on.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) signals: Vec<Signal>,
    /// Whether the agent told what it used.
    pub(super) used: bool,
}

impl RunSink<'_> {
    /// Has the dialect decode a frame, and counts it.
    pub(super) fn frame(&mut self, frame: &Frame<'_>, now: u64, dialect: &mut dyn Dialect) {
        let is_blank = matches!(frame, Frame::Line(line) if line.trim_ascii().is_empty());
        if let (Some(output), false) = (&mut self.output, is_blank) {
            output.lines += 1;
        }
        decode(frame, now, dialect, self);
    }

    /// What was heard, when nothing more is.
    pub(super) fn heard(self) -> Heard {
        self.heard
    }
}

/// Has a dialect decode a frame.
pub(super) fn decode(frame: &Frame<'_>, now: u64, dialect: &mut dyn Dialect, sink: &mut dyn Sink) {
    match frame {
        Frame::Line(line) => dialect.decode(line, now, sink),
        Frame::Oversized { head, length } => {
            let reason = format!("a line of {length} bytes is above the limit");
            let line = String::from_utf8_lossy(head);
            sink.chunk(Chunk::Unparsed { line, reason: reason.into() });
        }
    }
}

impl Sink for RunSink<'_> {
    fn chunk(&mut self, chunk: Chunk<'_>) {
        if let Some(output) = &mut self.output {
            output.note(&chunk, self.agent);
        }
        self.heard.used |= matches!(chunk, Chunk::Usage(_));
        if self.drop_chunks {
            self.dispatcher.unseen(chunk);
        } else {
            self.dispatcher.chunk(chunk);
        }
    }

    fn signal(&mut self, signal: Signal) {
        self.heard.signals.push(signal);
    }
}
