//! Which turn is ours, and how far it has come.

use serde_json::{Map, Value, json};

use super::failure::{agent_error, failure, http_status, kind_of};
use super::items::Items;
use super::wire::{TurnError, TurnState};
use crate::agent::Sink;
use crate::agent::line::status;
use crate::error::{Error, ErrorKind};
use crate::stream::json_of;

/// The turn that the host asked for, beside the one that codex is at, which it may have begun by itself.
#[derive(Debug, Default)]
pub(super) struct Turn {
    ours: Option<String>,
    under_way: Option<String>,
    /// Whether it is to be interrupted as soon as it has begun.
    interrupt: bool,
    /// How often codex tried the request under way again, and what the last try failed of.
    retries: u32,
    retried: Option<ErrorKind>,
}

impl Turn {
    /// The host asks for another one.
    pub(super) fn asked_for(&mut self) {
        *self = Self { under_way: self.under_way.take(), ..Self::default() };
    }

    /// Codex has accepted it, under this id.
    pub(super) fn accepted(&mut self, id: Option<String>) {
        self.ours = id;
    }

    /// Codex has begun one.
    pub(super) fn began(&mut self, turn: &TurnState<'_>) {
        self.under_way.clone_from(&turn.id);
    }

    /// Whether it is ours that codex has begun.
    pub(super) fn has_begun(&self) -> bool {
        self.ours.is_some() && self.ours == self.under_way
    }

    /// Whether codex is at any.
    pub(super) fn is_any_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    /// It is to be interrupted, now or when it has begun.
    pub(super) fn interrupt(&mut self) {
        self.interrupt = true;
    }

    /// The id of the turn that is to be interrupted now; it is said once.
    pub(super) fn take_interrupt(&mut self) -> Option<&str> {
        (self.has_begun() && std::mem::take(&mut self.interrupt)).then_some(self.ours.as_deref()).flatten()
    }

    /// Codex has ended one; whether it is ours.
    pub(super) fn ended(&mut self, turn: &TurnState<'_>) -> bool {
        if self.under_way == turn.id {
            self.under_way = None;
        }
        let is_ours = turn.id.is_none() || turn.id == self.ours;
        if is_ours {
            self.ours = None;
        }
        is_ours
    }

    /// What our turn failed of, if it did. `resets`: when a limit that was reached is reset.
    pub(super) fn failure(&self, turn: &TurnState<'_>, resets: Option<u64>) -> Option<Error> {
        match (&turn.error, turn.status.as_deref()) {
            (_, Some("completed")) => None,
            (_, Some("interrupted")) => {
                Some(agent_error(ErrorKind::AgentError, "codex was interrupted".to_owned()))
            }
            (Some(error), _) => Some(failure(error, self.retried, resets)),
            (None, _) => Some(failure(&TurnError::default(), self.retried, resets)),
        }
    }

    /// How often the model was asked for what it answered last.
    pub(super) fn tries(&self) -> u32 {
        1 + self.retries
    }

    /// A request to the model has failed, and codex makes it again.
    pub(super) fn retries_after(&mut self, error: &TurnError<'_>, items: &mut Items, sink: &mut dyn Sink) {
        self.retries = self.retries.saturating_add(1);
        self.retried = kind_of(error).or(self.retried);
        let told = error.message.as_deref().unwrap_or_default();
        let (attempt, most) = attempts(told).unzip();
        let reason = error.details.as_deref().unwrap_or(told);
        if items.abandon() {
            status("abandoned", Some(json_of(&json!({ "from_block_index": 0, "reason": reason }))), sink);
        }
        let mut detail = Map::new();
        for (key, value) in [
            ("attempt", attempt.map(Value::from)),
            ("maxRetries", most.map(Value::from)),
            ("errorStatus", http_status(error).map(Value::from)),
            ("error", Some(reason.into())),
        ] {
            detail.extend(value.map(|value| (key.to_owned(), value)));
        }
        status("retrying", Some(json_of(&detail)), sink);
    }
}

/// The attempt and the most there will be, out of `Reconnecting... 2/5`: there is no field for them.
fn attempts(message: &str) -> Option<(u64, u64)> {
    let (attempt, most) = message.rsplit_once(' ')?.1.split_once('/')?;
    Some((attempt.parse().ok()?, most.parse().ok()?))
}
