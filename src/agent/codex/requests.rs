//! The requests of ours that codex has not answered yet.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::wire::{AnyAnswer, Message};
use crate::agent::json::CheckedJson;
use crate::agent::lenient::object;
use crate::agent::line::line_of;

/// What was asked of codex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Initialize,
    Thread,
    Turn,
    Interrupt,
}

impl Asked {
    /// What was asked by who recorded a transcript, as far as the answer shows.
    fn by_answer(message: &Message<'_>, has_thread: bool) -> Option<Self> {
        let answer: AnyAnswer<'_> = message.result.and_then(object).unwrap_or_default();
        match answer {
            _ if message.error.is_some() => Some(if has_thread { Self::Interrupt } else { Self::Thread }),
            AnyAnswer { thread: Some(_), .. } => Some(Self::Thread),
            AnyAnswer { turn: Some(_), .. } => Some(Self::Turn),
            AnyAnswer { user_agent: Some(_), .. } => Some(Self::Initialize),
            AnyAnswer { .. } => {
                message.result.filter(|result| result.as_str() == "{}").map(|_| Self::Interrupt)
            }
        }
    }
}

/// Numbers the requests, and knows by its number what an answer is to.
#[derive(Debug, Default)]
pub(super) struct Requests {
    count: u64,
    open: HashMap<u64, Asked>,
}

impl Requests {
    /// The line of a request.
    pub(super) fn line(&mut self, asked: Asked, method: &str, params: &Value) -> Vec<u8> {
        self.count += 1;
        self.open.insert(self.count, asked);
        line_of(&json!({ "id": self.count, "method": method, "params": params }))
    }

    /// Whether an answer to this is waited for.
    pub(super) fn waits_for(&self, asked: Asked) -> bool {
        self.open.values().any(|open| *open == asked)
    }

    /// What a message answers; `None` for what nobody has asked.
    pub(super) fn answered(
        &mut self,
        id: CheckedJson<'_>,
        message: &Message<'_>,
        has_thread: bool,
    ) -> Option<Asked> {
        let asked = id.as_str().parse().ok().and_then(|id: u64| self.open.remove(&id));
        asked.or_else(|| Asked::by_answer(message, has_thread))
    }
}
