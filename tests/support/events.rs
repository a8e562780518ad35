//! The events as a consumer sees them: drained from the queue, unpacked, checked to have no gap.

use std::collections::VecDeque;
use std::sync::Arc;

use locus_exec::event::EventKind;
use locus_exec::stream::{Arena, Batch, EventQueue, TIME_MARK};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::patiently;

/// An event.
#[derive(Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) seq: u64,
    pub(crate) kind: EventKind,
    fields: Vec<String>,
}

impl Event {
    /// What a piece of text or of a thought says.
    pub(crate) fn text(&self) -> &str {
        let texts = [EventKind::TextDelta, EventKind::ThinkingDelta];
        assert!(texts.contains(&self.kind), "{self:?} has no text");
        self.fields.first().map_or("", String::as_str)
    }

    /// What any other event says.
    pub(crate) fn data(&self) -> Value {
        serde_json::from_str(&self.fields[0]).expect("an event is JSON or text")
    }

    /// One line for people, without what differs from run to run.
    pub(crate) fn line(&self) -> String {
        let name = self.kind.name();
        match self.kind {
            EventKind::TextDelta | EventKind::ThinkingDelta => {
                format!("{} {name} {:?}", self.seq, self.fields)
            }
            _ => {
                let mut data = self.data();
                for key in ["duration", "durationMs", "projectPath"] {
                    if let Some(value) = data.get_mut(key) {
                        *value = Value::from("…");
                    }
                }
                format!("{} {name} {data}", self.seq)
            }
        }
    }
}

/// What comes out of a session's queue.
pub(crate) struct Events {
    queue: Arc<EventQueue>,
    woken: UnboundedReceiver<()>,
    unpacked: VecDeque<Event>,
    seq: u64,
}

impl Events {
    /// A queue and its consumer.
    pub(super) fn new() -> (Arc<EventQueue>, Self) {
        let (wake, woken) = unbounded_channel();
        let queue = Arc::new(EventQueue::new(move || {
            // A consumer that is gone needs no waking.
            let _ = wake.send(());
        }));
        (Arc::clone(&queue), Self { queue, woken, unpacked: VecDeque::new(), seq: 0 })
    }

    /// The next event.
    pub(crate) async fn next(&mut self) -> Event {
        while self.unpacked.is_empty() {
            match self.queue.take() {
                Some(batch) => self.unpacked.extend(unpack(&batch)),
                None => patiently("an event", self.woken.recv()).await.expect("the queue lives"),
            }
        }
        let event = self.unpacked.pop_front().expect("there is one");
        self.seq += 1;
        assert_eq!(event.seq, self.seq, "the sequence has no gap");
        event
    }

    /// The events up to the next one of this kind, with it.
    pub(crate) async fn until(&mut self, kind: EventKind) -> Turn {
        let mut events = Vec::new();
        loop {
            let event = self.next().await;
            let last = event.kind == kind;
            assert!(
                last || event.kind != EventKind::SessionEnded,
                "the session ended without {}; it said {events:?}",
                kind.name()
            );
            events.push(event);
            if last {
                return Turn { events };
            }
        }
    }

    /// Whether there is nothing to be taken.
    pub(crate) fn is_empty(&mut self) -> bool {
        while let Some(batch) = self.queue.take() {
            self.unpacked.extend(unpack(&batch));
        }
        self.unpacked.is_empty()
    }
}

/// The events of a turn, or of a part of it.
#[derive(Debug)]
pub(crate) struct Turn {
    pub(crate) events: Vec<Event>,
}

impl Turn {
    /// The data of the event of this kind, of which there is to be one.
    pub(crate) fn the(&self, kind: EventKind) -> Value {
        let mut of_kind = self.events.iter().filter(|event| event.kind == kind);
        match (of_kind.next(), of_kind.next()) {
            (Some(event), None) => event.data(),
            (first, _) => {
                panic!(
                    "{} {} in {:?}",
                    if first.is_some() { "several" } else { "no" },
                    kind.name(),
                    self.events
                )
            }
        }
    }

    /// Whether there is an event of this kind.
    pub(crate) fn has(&self, kind: EventKind) -> bool {
        self.events.iter().any(|event| event.kind == kind)
    }

    /// The kinds of its events, in order.
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.events.iter().map(|event| event.kind.name()).collect()
    }

    /// All text that was said.
    pub(crate) fn text(&self) -> String {
        self.events.iter().filter(|event| event.kind == EventKind::TextDelta).map(Event::text).collect()
    }

    /// The final answer of a turn that succeeded.
    pub(crate) fn answer(&self) -> String {
        let result = self.the(EventKind::ResponseCompleted);
        assert_eq!(result["success"], true, "the turn succeeded: {:?}", self.events);
        assert!(!self.has(EventKind::ErrorOccurred), "a turn that succeeded has no error");
        result["content"].as_str().expect("a text").to_owned()
    }

    /// The report of the error of a turn that failed, which all of its end agrees on.
    pub(crate) fn error(&self) -> Value {
        let error = self.the(EventKind::ErrorOccurred);
        let result = self.the(EventKind::ResponseCompleted);
        let completed = self.the(EventKind::TurnCompleted);
        assert_eq!((&result["success"], &completed["success"]), (&false.into(), &false.into()));
        assert_eq!(completed["code"], error["code"]);
        let stopped = if error["code"] == "CANCELLED" { "cancelled" } else { "error" };
        assert_eq!(result["stopReason"], stopped);
        error
    }

    /// Whether it was run by a process that was already there.
    pub(crate) fn was_warm(&self) -> bool {
        self.the(EventKind::TurnStarted)["warm"].as_bool().expect("a boolean")
    }
}

/// What JavaScript does with a batch.
fn unpack(batch: &Batch) -> Vec<Event> {
    let units: Vec<u16> = match &batch.arena {
        Arena::Latin1(units) => units.iter().copied().map(u16::from).collect(),
        Arena::Utf16(units) => units.clone(),
    };
    let mut events = Vec::new();
    let (mut seq, mut start) = (batch.first_seq, 0);
    let mut words = batch.words.iter().copied();
    while let Some(head) = words.next() {
        let [kind, ..] = head.to_le_bytes();
        let following: Vec<u32> = words.by_ref().take((head >> 8) as usize).collect();
        if kind == TIME_MARK {
            continue;
        }
        let mut fields = Vec::new();
        for end in following {
            let end = end as usize;
            fields.push(String::from_utf16(&units[start..end]).expect("no half of a character"));
            start = end;
        }
        events.push(Event { seq, kind: EventKind::ALL[usize::from(kind)], fields });
        seq += 1;
    }
    assert_eq!((start, seq), (units.len(), batch.first_seq + batch.events), "a batch is what it says");
    events
}
