//! Questions for permission: answered by rule, or put to the host.

use std::borrow::Cow;

use super::{Executor, Live};
use crate::agent::{Decision, PermissionRequest};
use crate::event::Fact;
use crate::stream::Chunk;

impl Executor {
    pub(super) fn permission(&mut self, request: PermissionRequest, live: &mut Live) {
        match (self.options.agent.permissions.decide(&request), &mut self.turn) {
            (Some((decision, by)), _) => self.answer(&request, &decision, by, live),
            (None, Some(turn)) => {
                self.dispatcher.chunk(Chunk::PermissionRequest {
                    id: (&request.id).into(),
                    tool: (&request.tool).into(),
                    parameters: Cow::Borrowed(&*request.parameters),
                    tool_use_id: request.tool_use_id.as_ref().map(Into::into),
                    suggestions: request.suggestions.as_deref().map(Cow::Borrowed),
                });
                turn.questions.push(request);
            }
            (None, None) => {
                let message = "no turn is running that could be asked".to_owned();
                self.answer(&request, &Decision::Deny { message }, "default", live);
            }
        }
    }

    pub(super) fn take_question(&mut self, id: &str) -> Option<PermissionRequest> {
        let questions = &mut self.turn.as_mut()?.questions;
        let index = questions.iter().position(|question| question.id == id)?;
        Some(questions.remove(index))
    }

    pub(super) fn answer(
        &mut self,
        question: &PermissionRequest,
        decision: &Decision,
        decided_by: &'static str,
        live: &mut Live,
    ) {
        live.process.write(live.dialect.answer(question, decision));
        match decision {
            Decision::Allow { .. } => self.resolved(question, "allow", decided_by, None),
            Decision::Deny { message } => self.resolved(question, "deny", decided_by, Some(message)),
        }
    }

    pub(super) fn resolved(
        &mut self,
        question: &PermissionRequest,
        behavior: &'static str,
        decided_by: &'static str,
        message: Option<&str>,
    ) {
        let (id, tool) = (&question.id, &question.tool);
        self.journal.permission_resolved(tool, behavior, decided_by);
        self.dispatcher.fact(Fact::PermissionResolved { id, tool, behavior, decided_by, message });
    }
}
