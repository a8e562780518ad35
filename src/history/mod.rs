//! Conversations that survive: one file of JSON lines for each session, appended to while the agent speaks.
//!
//! The file is the only truth. It is only ever appended to, one `write` for a batch of whole records, under a lock; a
//! prompt that was accepted and a turn that has ended are durable (`fdatasync`) before they are acknowledged. So a
//! process that dies loses at most what it said in its last quarter of a second, and whatever it left unfinished is
//! found and dropped by whoever writes next. Everything else here can be made again from the files:
//!
//! ```text
//! Event ─▶ recorder ─ lines ─▶ conversation ─▶ <id>.jsonl ─▶ source ─ Line ─▶ transcript ─▶ store ─▶ hosts
//!            redact              mark             retention ─▶ .zst            index (SQLite, derived)
//! ```
//!
//! - `id.rs`, `folder.rs`: names and places, and who may see them.
//! - `record.rs`: the lines; `reader.rs`: how they are read.
//! - `conversation.rs`: a file open to be appended to; `mark.rs`: that it is open.
//! - `source.rs`: the forms in which a session is found; `legacy.rs`: those of others.
//! - `recorder.rs`: what an observed event becomes; `recorder/`: what waits, what lines are made of it, who writes them.
//! - `transcript.rs`: what lines amount to; `paragraphs.rs`: how the pieces of an answer are put together.
//! - `snapshot.rs`: a conversation as one plain object, as programs and Locus 0.14.x have it.
//! - `store.rs`: everything that can be done with stored sessions; `retention.rs`: which of them stay; `search.rs`,
//!   `words.rs`: how they are found.
//! - `index.rs`: what makes that quick; `catalog.rs`: how it is kept true to the files.

mod catalog;
mod conversation;
mod folder;
mod id;
mod index;
mod legacy;
mod mark;
mod paragraphs;
mod reader;
mod record;
mod recorder;
mod redact;
mod retention;
mod search;
mod snapshot;
mod source;
mod store;
mod transcript;
mod words;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use conversation::Conversation;
pub(crate) use conversation::append_line as append_private;
pub use folder::Folder;
pub(crate) use folder::{
    create_new as create_private, open_append as open_private_append, open_read as open_private,
};
pub use id::{ID_LIMIT, SessionId};
pub(crate) use paragraphs::Paragraphs;
pub use reader::{Problem, Reading, TooNew, read_lines};
pub use record::{Header, Line, Record, SCHEMA, State, Turn};
pub use recorder::{BACKLOG_LIMIT, CHECKPOINT, NewSession, Recorder};
pub use redact::{REDACTED, Redactor};
pub use retention::{PruneOutcome, PrunePolicy};
pub use search::{MATCH_BEGIN, MATCH_END, SearchHit};
pub use snapshot::{AnswerMetadata, Snapshot, SnapshotForm, SnapshotMessage, SnapshotMetadata};
pub use store::{ListFilter, Listing, Store};
pub use transcript::{Format, MessageMetadata, Role, SessionSummary, StoredMessage, StoredSession};

use crate::error::Error;

/// What an operation on a file says when the operating system refuses it.
pub(crate) fn failure(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::History {
        action,
        path: path.to_owned(),
        advice: advice(&source),
        source: Some(source),
    }
}

/// What a person can do about it.
fn advice(error: &io::Error) -> &'static str {
    use io::ErrorKind::{
        FileTooLarge, NotADirectory, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull,
    };
    match error.kind() {
        StorageFull | QuotaExceeded => "free some space on its disk",
        FileTooLarge => "raise the limit of the size of files (ulimit -f), or begin another session",
        PermissionDenied | ReadOnlyFilesystem => "make it writable for this user",
        NotADirectory => "a file is where a folder should be; move it away",
        _ => "see the reason",
    }
}

/// That the disk of a file has not answered for `waited`.
pub(crate) fn unanswered(action: &'static str, path: PathBuf, waited: Duration) -> Error {
    let waited = format!("its disk has not answered for {:.1} s", waited.as_secs_f64());
    Error::History {
        action,
        path,
        advice: "see whether the disk is still there",
        source: Some(io::Error::new(io::ErrorKind::TimedOut, waited)),
    }
}

/// Milliseconds since the epoch.
fn now() -> u64 {
    // A clock before 1970 is a clock that is not set.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The largest index up to `index` at which a text may be cut.
fn cut_before(text: &str, index: usize) -> usize {
    (0..=index.min(text.len())).rev().find(|index| text.is_char_boundary(*index)).unwrap_or(0)
}
