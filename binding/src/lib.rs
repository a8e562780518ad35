//! The border between the engine and Node: converts, calls, returns; nothing is decided here.
//!
//! A [`NativeSession`](session::NativeSession) hands over its events in flat batches: JavaScript calls `drain` with
//! a buffer, gets the batch's text as one string and its words in the buffer, and unpacks them itself. It is woken
//! only when it found nothing. One promise per turn keeps the process alive while the turn runs; the wake function
//! is weak and does not. Errors cross as JSON in the message of a plain error; `ts/errors.ts` makes classes of them.

mod batch;
mod convert;
mod history;
mod replay;
mod sanitizer;
mod session;

use locus_exec::error::ErrorKind;
use locus_exec::event::EventKind;
use locus_exec::stream::TIME_MARK;
use napi_derive::napi;

/// An error code and what it implies.
#[napi(object)]
pub struct NativeErrorCode {
    /// The code, for example `CLI_NOT_FOUND`.
    pub code: String,
    /// Whether the same turn may succeed when tried again.
    pub retryable: bool,
}

/// All error codes of the engine.
#[napi]
pub fn error_codes() -> Vec<NativeErrorCode> {
    ErrorKind::ALL
        .iter()
        .map(|kind| NativeErrorCode { code: kind.code().to_owned(), retryable: kind.retryable() })
        .collect()
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
