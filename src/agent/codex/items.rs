//! The items of a turn on their way to chunks: messages, thoughts, tools. Both protocols have them.

use std::borrow::Cow;
use std::collections::HashMap;

use super::tool::{kind_of, name_of, outcome_of, parameters_of, todo_list};
use super::wire::Item;
use crate::agent::Sink;
use crate::agent::json::CheckedJson;
use crate::agent::lenient::{Maybe, Text, text};
use crate::agent::line::status;
use crate::agent::todo_list::TodoList;
use crate::stream::{Chunk, Json, json_of};

/// Kinds of items that say nothing that is not known already.
const QUIET_KINDS: &[&str] = &["user_message", "hook_prompt", "function_call_output", "sub_agent_activity"];

/// More than this at once is no agent that works; what is beyond is only told when it is complete.
const MAX_OPEN: usize = 10_000;

/// What is known of the items under way.
#[derive(Debug, Default)]
pub(super) struct Items {
    open: HashMap<String, Tool>,
    /// How many bytes of a message or a thought came as deltas, by the item's id.
    streamed: HashMap<String, Streamed>,
    todo_list: TodoList,
    /// What the agent said last.
    answer: String,
}

/// A tool that is used.
#[derive(Debug)]
struct Tool {
    name: String,
    /// When its parameters were complete.
    started: Option<u64>,
    parameters: Option<Box<serde_json::value::RawValue>>,
}

#[derive(Debug)]
struct Streamed {
    bytes: usize,
    is_message: bool,
}

impl Items {
    /// A turn begins: what is still open of the one before will not come to an end.
    pub(super) fn turn_begins(&mut self) {
        let mut todo_list = std::mem::take(&mut self.todo_list);
        todo_list.turn_begins();
        *self = Self { todo_list, ..Self::default() };
    }

    /// What the agent said last in this turn.
    pub(super) fn take_answer(&mut self) -> String {
        std::mem::take(&mut self.answer)
    }

    /// The parameters of a tool that is used.
    pub(super) fn parameters(&self, id: &str) -> Option<&serde_json::value::RawValue> {
        self.open.get(id)?.parameters.as_deref()
    }

    /// The id of the tool of this name that has been used last and goes on.
    pub(super) fn open_use_of(&self, name: &str) -> Option<String> {
        let named = self.open.iter().filter(|(_, tool)| tool.name == name);
        named.max_by_key(|(_, tool)| tool.started).map(|(id, _)| id.clone())
    }

    /// A piece of a message.
    pub(super) fn text(&mut self, id: &str, piece: &str, parent: Option<Cow<'_, str>>, sink: &mut dyn Sink) {
        self.streamed(id, piece.len(), true);
        sink.chunk(Chunk::TextDelta { content: piece.into(), parent_tool_use_id: parent });
    }

    /// A piece of a thought.
    pub(super) fn thinking(
        &mut self,
        id: &str,
        piece: &str,
        parent: Option<Cow<'_, str>>,
        sink: &mut dyn Sink,
    ) {
        self.streamed(id, piece.len(), false);
        sink.chunk(Chunk::Thinking { content: Some(piece.into()), parent_tool_use_id: parent });
    }

    fn streamed(&mut self, id: &str, bytes: usize, is_message: bool) {
        if let Some(streamed) = self.streamed.get_mut(id) {
            streamed.bytes += bytes;
        } else if self.streamed.len() < MAX_OPEN {
            self.streamed.insert(id.to_owned(), Streamed { bytes, is_message });
        }
    }

    /// The stream broke and begins again: whether something was said that is void now.
    pub(super) fn abandon(&mut self) -> bool {
        let said = self.streamed.values().any(|streamed| streamed.is_message);
        self.streamed.clear();
        said
    }

    /// An item began.
    pub(super) fn started(
        &mut self,
        item: &Item<'_>,
        parent: Option<Cow<'_, str>>,
        now: u64,
        sink: &mut dyn Sink,
    ) {
        match kind_of(item).as_str() {
            "reasoning" => sink.chunk(Chunk::Thinking { content: None, parent_tool_use_id: parent }),
            "context_compaction" => status("compacting", None, sink),
            "todo_list" => self.todo_list_of(item, sink),
            _ => self.tool_started(item, parent, now, sink),
        }
    }

    fn tool_started(&mut self, item: &Item<'_>, parent: Option<Cow<'_, str>>, now: u64, sink: &mut dyn Sink) {
        let (Some(id), Some(name)) = (&item.id, name_of(item)) else { return };
        if self.open.len() >= MAX_OPEN || self.open.contains_key(id.as_str()) {
            return;
        }
        sink.chunk(Chunk::ToolUse {
            tool: (&name).into(),
            id: id.as_str().into(),
            parameters: None,
            parent_tool_use_id: parent.clone(),
        });
        let parameters = parameters_of(item);
        if let Some(parameters) = &parameters {
            tell_parameters(&name, id.as_str(), parameters.clone(), parent, sink);
        }
        let started = parameters.is_some().then_some(now);
        let parameters = parameters.map(Cow::into_owned);
        self.open.insert(id.as_str().to_owned(), Tool { name, started, parameters });
    }

    /// An item is complete; one that was not told of before is told whole.
    pub(super) fn completed(
        &mut self,
        item: &Item<'_>,
        parent: Option<Cow<'_, str>>,
        now: u64,
        sink: &mut dyn Sink,
    ) {
        let kind = kind_of(item);
        match kind.as_str() {
            "agent_message" => self.message_completed(item, parent, sink),
            "reasoning" => self.reasoning_completed(item, parent, sink),
            "context_compaction" => status("compacted", None, sink),
            "todo_list" => self.todo_list_of(item, sink),
            "error" => {
                let message = item.message.as_ref().or(item.text.as_ref());
                status("warning", Some(json_of(&serde_json::json!({ "message": text(message) }))), sink);
            }
            kind if QUIET_KINDS.contains(&kind) => {}
            _ if name_of(item).is_some() => self.tool_completed(item, parent, now, sink),
            kind => status(kind, None, sink),
        }
    }

    fn message_completed(&mut self, item: &Item<'_>, parent: Option<Cow<'_, str>>, sink: &mut dyn Sink) {
        let whole = text(item.text.as_ref());
        let rest = self.rest_of(item, whole);
        if parent.is_none() {
            whole.clone_into(&mut self.answer);
        }
        if !rest.is_empty() {
            sink.chunk(Chunk::TextDelta { content: rest.into(), parent_tool_use_id: parent });
        }
    }

    fn reasoning_completed(&mut self, item: &Item<'_>, parent: Option<Cow<'_, str>>, sink: &mut dyn Sink) {
        let streamed = item.id.as_ref().and_then(|id| self.streamed.remove(id.as_str()));
        if streamed.is_some() {
            return;
        }
        let of = |pieces: &Option<Vec<Maybe<String>>>| {
            let pieces: Vec<&str> = pieces.iter().flatten().filter_map(|piece| piece.0.as_deref()).collect();
            Some(pieces.join("\n\n")).filter(|text| !text.is_empty())
        };
        let bare = || item.text.as_ref().map(|text| text.as_str().to_owned()).filter(|text| !text.is_empty());
        if let Some(thought) = of(&item.summary).or_else(|| of(&item.content)).or_else(bare) {
            sink.chunk(Chunk::Thinking { content: Some(thought.into()), parent_tool_use_id: parent });
        }
    }

    /// What of a whole text has not been streamed.
    fn rest_of<'a>(&mut self, item: &Item<'_>, whole: &'a str) -> &'a str {
        let streamed = item.id.as_ref().and_then(|id| self.streamed.remove(id.as_str()));
        whole.get(streamed.map_or(0, |streamed| streamed.bytes)..).unwrap_or_default()
    }

    fn tool_completed(
        &mut self,
        item: &Item<'_>,
        parent: Option<Cow<'_, str>>,
        now: u64,
        sink: &mut dyn Sink,
    ) {
        let Some(id) = item.id.as_ref().map(Text::as_str) else { return };
        if !self.open.contains_key(id) {
            self.tool_started(item, parent.clone(), now, sink);
        }
        let Some(Tool { name, started, .. }) = self.open.remove(id) else { return };
        if started.is_none() {
            let parameters = parameters_of(item).unwrap_or_else(|| json_of(&serde_json::json!({})));
            tell_parameters(&name, id, parameters, parent.clone(), sink);
        }
        let outcome = outcome_of(item);
        sink.chunk(Chunk::ToolResult {
            tool: name.into(),
            id: id.into(),
            success: outcome.success,
            error: outcome.error,
            // Codex's own count leaves out what a command took that it let run.
            duration: started.map_or(0, |started| now.saturating_sub(started)),
            data: outcome.data,
            parent_tool_use_id: parent,
        });
    }

    fn todo_list_of(&mut self, item: &Item<'_>, sink: &mut dyn Sink) {
        if let Some(steps) = item.items {
            self.todo_list(steps, sink);
        }
    }

    /// The plan of the turn.
    pub(super) fn todo_list(&mut self, steps: CheckedJson<'_>, sink: &mut dyn Sink) {
        self.todo_list.tell(todo_list(steps), sink);
    }
}

fn tell_parameters(
    tool: &str,
    id: &str,
    parameters: Json<'_>,
    parent: Option<Cow<'_, str>>,
    sink: &mut dyn Sink,
) {
    sink.chunk(Chunk::ToolParameters {
        tool: tool.into(),
        id: id.into(),
        parameters,
        parent_tool_use_id: parent,
    });
}
