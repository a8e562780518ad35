//! The plan of a turn, told as the use of a tool each time that it has changed.

use super::Sink;
use crate::stream::{Chunk, Json};

const TOOL: &str = "todo_list";

/// What was told of plans.
#[derive(Debug, Default)]
pub(super) struct TodoList {
    /// The list that was told last.
    last: String,
    told: u64,
}

impl TodoList {
    /// A turn begins: even the same list is told again.
    pub(super) fn turn_begins(&mut self) {
        self.last.clear();
    }

    /// Tells the plan, unless that was just told: `{ items: [{ text, status }] }`, a status being `pending`,
    /// `in_progress` or `completed`.
    pub(super) fn tell(&mut self, plan: Json<'_>, sink: &mut dyn Sink) {
        if self.last == plan.get() {
            return;
        }
        plan.get().clone_into(&mut self.last);
        self.told += 1;
        let id = format!("todo-list-{}", self.told);
        sink.chunk(Chunk::ToolUse {
            tool: TOOL.into(),
            id: (&id).into(),
            parameters: None,
            parent_tool_use_id: None,
        });
        sink.chunk(Chunk::ToolParameters {
            tool: TOOL.into(),
            id: (&id).into(),
            parameters: plan,
            parent_tool_use_id: None,
        });
        sink.chunk(Chunk::ToolResult {
            tool: TOOL.into(),
            id: (&id).into(),
            success: true,
            error: None,
            duration: 0,
            data: None,
            parent_tool_use_id: None,
        });
    }
}
