//! What the run itself tells.

use serde::Serialize;

use crate::stream::{Chunk, json_of};

/// That a conversation was resumed, by which way, and why not by the agent's own.
pub(super) fn resumed(via: &'static str, reason: Option<&str>) -> Chunk<'static> {
    let facts = [("via", via)].into_iter().chain(reason.map(|reason| ("reason", reason)));
    status("resumed", &facts.collect::<Vec<_>>())
}

/// A status of the run itself.
pub(super) fn status(name: &'static str, facts: &[(&str, &str)]) -> Chunk<'static> {
    let detail: serde_json::Map<_, _> =
        facts.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
    status_with(name, &detail)
}

/// The same, with facts of any shape.
pub(super) fn status_with(name: &'static str, detail: &impl Serialize) -> Chunk<'static> {
    Chunk::Status { status: name.into(), detail: Some(json_of(detail)) }
}
