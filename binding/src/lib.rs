//! The border between the engine and Node: converts, calls, returns; nothing is decided here.
//!
//! A [`NativeSession`](session::NativeSession) hands over its events in flat batches: JavaScript calls `drain` with
//! a buffer, gets the batch's text as one string and its words in the buffer, and unpacks them itself. It is woken
//! only when it found nothing. One promise per turn keeps the process alive while the turn runs; the wake function
//! is weak and does not. Errors cross as JSON in the message of a plain error; `ts/errors.ts` makes classes of them.

pub mod agents;
mod batch;
mod convert;
pub mod failure;
mod history;
mod history_manager;
pub mod probe;
mod replay;
mod runtime;
mod sanitizer;
mod session;
mod usage;

use locus_exec::event::EventKind;
use locus_exec::history::SessionId;
use locus_exec::stream::{LINES_MARK, TIME_MARK};
use napi_derive::napi;

/// An id that nobody has, for a session or a turn: a random UUID.
#[napi]
pub fn new_id() -> String {
    SessionId::new().to_string()
}

/// The names of all events, by the number under which they cross the border.
#[napi]
pub fn event_names() -> Vec<&'static str> {
    EventKind::ALL.iter().map(|kind| kind.name()).collect()
}

/// The number of the words that carry a time instead of an event.
#[napi]
pub fn time_mark() -> u8 {
    TIME_MARK
}

/// The number of the words that stand for events which are lines already.
#[napi]
pub fn lines_mark() -> u8 {
    LINES_MARK
}
