//! How full the window of the model is, where the agent tells it.

use serde::Serialize;

use super::Sink;
use super::line::status;
use crate::stream::json_of;

/// What the last request of the main agent put into the model's window, in tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct ContextUse {
    pub(super) tokens: u64,
    /// How many there is room for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) window: Option<u64>,
}

impl ContextUse {
    /// Tells it, if anything is known that is not what was told last.
    pub(super) fn tell(self, told: &mut Self, sink: &mut dyn Sink) {
        if self.tokens > 0 && self != *told {
            *told = self;
            status("context", Some(json_of(&self)), sink);
        }
    }
}
