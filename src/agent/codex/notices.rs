//! What codex says beside its turns, again and again: limits and warnings.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::json;

use super::wire::{Params, RateLimitWindow, RateLimits};
use crate::agent::Sink;
use crate::agent::json::CheckedJson;
use crate::agent::lenient::{Text, object};
use crate::agent::line::status;
use crate::stream::json_of;

/// How many different warnings are remembered, so that none is told twice.
const MAX_WARNINGS: usize = 100;

/// What was said, so that only what is new is told.
#[derive(Debug, Default)]
pub(super) struct Notices {
    rate_limits: String,
    /// When a limit that was reached is reset, in milliseconds since the epoch.
    limit_resets: Option<u64>,
    warnings: HashSet<String>,
}

impl Notices {
    /// When a limit that was reached is reset, in milliseconds since the epoch.
    pub(super) fn limit_resets(&self) -> Option<u64> {
        self.limit_resets
    }

    /// The limits of the account. Told after every request; with a key of one's own there are none.
    pub(super) fn rate_limits(&mut self, limits: Option<CheckedJson<'_>>, sink: &mut dyn Sink) {
        let Some(limits) = limits else { return };
        let is_known = |(key, value): &(Cow<'_, str>, CheckedJson<'_>)| {
            !matches!(&**key, "limitId" | "limitName" | "planType") && value.as_str() != "null"
        };
        if limits.members().is_some_and(|mut members| members.any(|member| is_known(&member)))
            && self.rate_limits != limits.as_str()
        {
            limits.as_str().clone_into(&mut self.rate_limits);
            let known: RateLimits = object(limits).unwrap_or_default();
            let reached =
                [known.primary, known.secondary].into_iter().flatten().filter(RateLimitWindow::is_used_up);
            self.limit_resets =
                reached.filter_map(|window| window.resets_at).max().map(|at| at.saturating_mul(1000));
            status("rate_limit", Some(limits.json()), sink);
        }
    }

    pub(super) fn warning(&mut self, params: &Params<'_>, sink: &mut dyn Sink) {
        let message = [&params.message, &params.summary, &params.details];
        let message: Vec<&str> = message.into_iter().flatten().map(Text::as_str).collect();
        let message = message.join(": ");
        if self.warnings.len() < MAX_WARNINGS && self.warnings.insert(message.clone()) {
            status("warning", Some(json_of(&json!({ "message": message }))), sink);
        }
    }
}
