//! The tools of a turn and what it says, on their way to chunks.

use std::borrow::Cow;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::wire::{Content, Meta, Output, PlanEntry, Update};
use crate::agent::Sink;
use crate::agent::json::CheckedJson;
use crate::agent::lenient::{Text, facts, object, text};
use crate::agent::line::status;
use crate::agent::todo_list::TodoList;
use crate::stream::{Chunk, Json, ToolData, json_of};

/// More than this in one turn is no agent that works; what is beyond is not told.
const MAX_TOOLS: usize = 10_000;

/// What is known of a turn under way.
#[derive(Debug, Default)]
pub(super) struct Turn {
    tools: Vec<Tool>,
    todo_list: TodoList,
    /// What the agent said last, and under which id.
    answer: String,
    message: Option<String>,
    /// Whether what it says next is another message, whatever its id.
    is_over: bool,
}

/// A tool that is used.
#[derive(Debug, Default)]
struct Tool {
    id: String,
    name: String,
    parent: Option<String>,
    /// When its parameters were told.
    started: Option<u64>,
    /// What it is given, as far as that is known.
    input: Option<Box<RawValue>>,
    title: String,
    paths: Vec<String>,
    /// The changes that it makes.
    changes: Vec<Value>,
    /// What it returned last.
    output: String,
    is_denied: bool,
    has_ended: bool,
}

impl Turn {
    /// A turn begins: what is still open of the one before will not come to an end.
    pub(super) fn begins(&mut self) {
        let mut todo_list = std::mem::take(&mut self.todo_list);
        todo_list.turn_begins();
        *self = Self { todo_list, ..Self::default() };
    }

    /// What the agent said last in this turn.
    pub(super) fn take_answer(&mut self) -> String {
        std::mem::take(&mut self.answer)
    }

    /// A piece of a message or of a thought.
    pub(super) fn said(&mut self, update: &Update<'_>, is_thought: bool, sink: &mut dyn Sink) {
        let Some(content) = update.content.and_then(object::<Content<'_>>) else { return };
        let piece = match words_of(&content) {
            Some(piece) if piece.is_empty() => return,
            Some(piece) => piece,
            None => {
                let kind = text(content.kind.as_ref());
                let detail = facts([("mimeType", text(content.mime_type.as_ref()).into())]);
                return status(if kind.is_empty() { "content" } else { kind }, Some(detail), sink);
            }
        };
        let parent = parent_of(update.meta.as_ref()).map(Cow::Borrowed);
        if is_thought {
            return sink.chunk(Chunk::Thinking { content: Some(piece), parent_tool_use_id: parent });
        }
        if parent.is_none() {
            let id = update.message.as_ref().map(Text::as_str);
            if std::mem::take(&mut self.is_over) || id != self.message.as_deref() {
                self.answer.clear();
                self.message = id.map(str::to_owned);
            }
            self.answer.push_str(&piece);
        }
        sink.chunk(Chunk::TextDelta { content: piece, parent_tool_use_id: parent });
    }

    /// The model has answered to its end.
    pub(super) fn message_is_over(&mut self) {
        self.is_over = true;
    }

    /// The plan, whole.
    pub(super) fn plan(&mut self, entries: Option<CheckedJson<'_>>, sink: &mut dyn Sink) {
        let entries = entries.and_then(CheckedJson::items).into_iter().flatten();
        let steps = entries.filter_map(object::<PlanEntry<'_>>).map(
            |entry| json!({ "text": text(entry.content.as_ref()), "status": text(entry.status.as_ref()) }),
        );
        self.todo_list.tell(facts([("items", steps.collect())]), sink);
    }

    /// Something about the use of a tool.
    pub(super) fn tool(&mut self, update: &Update<'_>, now: u64, sink: &mut dyn Sink) {
        let Some(tool) = self.known(update, sink) else { return };
        tool.note(update);
        let state = text(update.status.as_ref());
        if matches!(state, "in_progress" | "completed" | "failed") {
            tool.tell_parameters(now, sink);
        }
        if matches!(state, "completed" | "failed") {
            tool.tell_result(update, now, sink);
        }
    }

    /// The agent asks about a tool, which is told first: its name, and what it is asked to be given.
    pub(super) fn asked_about(
        &mut self,
        update: &Update<'_>,
        now: u64,
        sink: &mut dyn Sink,
    ) -> (String, Box<RawValue>) {
        let mut unknown = Tool { name: name_of(update), started: Some(now), ..Tool::default() };
        let tool = self.known(update, sink).unwrap_or(&mut unknown);
        let known = tool.input.take();
        tool.note(update);
        let question = (tool.name.clone(), tool.parameters().into_owned());
        if tool.started.is_some() {
            tool.input = known;
        }
        tool.tell_parameters(now, sink);
        question
    }

    /// The host said no to a tool.
    pub(super) fn denied(&mut self, id: &str) {
        if let Some(tool) = self.tools.iter_mut().find(|tool| tool.id == id) {
            tool.is_denied = true;
        }
    }

    /// The turn is over. Of a tool that it was denied an agent may say no more.
    pub(super) fn ends(&mut self, now: u64, sink: &mut dyn Sink) {
        for tool in self.tools.iter_mut().filter(|tool| tool.is_denied && !tool.has_ended) {
            tool.tell_result(&Update::default(), now, sink);
        }
    }

    /// A tool that is used, which is told of when it was not known before. What is said of one that has ended, or of one of
    /// which nothing but its id is known, comes too late.
    fn known(&mut self, update: &Update<'_>, sink: &mut dyn Sink) -> Option<&mut Tool> {
        let id = text(update.id.as_ref());
        if let Some(place) = self.tools.iter().rposition(|tool| tool.id == id) {
            return self.tools.get_mut(place).filter(|tool| !tool.has_ended);
        }
        let is_known_by_something = update.tool_kind.is_some() || update.title.is_some();
        if id.is_empty() || !is_known_by_something || self.tools.len() >= MAX_TOOLS {
            return None;
        }
        let tool = Tool {
            id: id.to_owned(),
            name: name_of(update),
            parent: parent_of(update.meta.as_ref()).map(str::to_owned),
            ..Tool::default()
        };
        self.is_over |= tool.parent.is_none();
        sink.chunk(Chunk::ToolUse {
            tool: (&tool.name).into(),
            id: id.into(),
            parameters: None,
            parent_tool_use_id: tool.parent(),
        });
        self.tools.push(tool);
        self.tools.last_mut()
    }
}

impl Tool {
    fn parent(&self) -> Option<Cow<'_, str>> {
        self.parent.as_deref().map(Cow::Borrowed)
    }

    /// Keeps what is new.
    fn note(&mut self, update: &Update<'_>) {
        let is_empty =
            |json: &CheckedJson<'_>| json.members().is_some_and(|mut members| members.next().is_none());
        if let Some(input) = update.input.filter(|input| !is_empty(input)) {
            self.input = Some(input.json().into_owned());
        }
        if let Some(title) = &update.title {
            title.as_str().clone_into(&mut self.title);
        }
        if let Some(locations) = update.locations.and_then(CheckedJson::items) {
            let paths = locations.filter_map(object::<Content<'_>>).filter_map(|place| place.path);
            self.paths = paths.map(|path| path.0.into_owned()).collect();
        }
        let Some(content) = update.content.and_then(CheckedJson::items) else { return };
        let mut words = Vec::new();
        let mut changes = Vec::new();
        for piece in content.filter_map(object::<Content<'_>>) {
            match text(piece.kind.as_ref()) {
                "diff" => changes.push(change(&piece)),
                _ => words.extend(
                    piece
                        .inner
                        .and_then(object::<Content<'_>>)
                        .as_ref()
                        .and_then(words_of)
                        .map(Cow::into_owned),
                ),
            }
        }
        // What is sent replaces what was sent before.
        self.output = words.join("\n");
        if !changes.is_empty() {
            self.changes = changes;
        }
    }

    /// What it is given; where the agent does not say, what it says of it.
    fn parameters(&self) -> Json<'_> {
        match &self.input {
            Some(input) if input.get().starts_with('{') => Cow::Borrowed(&**input),
            Some(input) => json_of(&json!({ "input": input })),
            None => facts([
                ("title", self.title.as_str().into()),
                ("paths", if self.paths.is_empty() { Value::Null } else { json!(self.paths) }),
                ("changes", if self.changes.is_empty() { Value::Null } else { json!(self.changes) }),
            ]),
        }
    }

    fn tell_parameters(&mut self, now: u64, sink: &mut dyn Sink) {
        if self.started.is_none() {
            sink.chunk(Chunk::ToolParameters {
                tool: (&self.name).into(),
                id: (&self.id).into(),
                parameters: self.parameters(),
                parent_tool_use_id: self.parent(),
            });
            self.started = Some(now);
        }
    }

    fn tell_result(&mut self, update: &Update<'_>, now: u64, sink: &mut dyn Sink) {
        self.has_ended = true;
        // A command that fails is completed, to some.
        let output = update.output.and_then(object::<Output>);
        let exit = output.and_then(|output| output.metadata?.exit).filter(|code| *code != 0);
        let success = text(update.status.as_ref()) == "completed" && exit.is_none();
        let bare: Option<String> =
            update.output.and_then(|output| serde_json::from_str(output.as_str()).ok());
        let words = bare.unwrap_or_else(|| std::mem::take(&mut self.output));
        let error = (!success).then(|| match (words.as_str(), exit) {
            (words, Some(code)) => format!("exit code {code}\n{words}").trim_end().to_owned(),
            ("", None) if self.is_denied => "declined".to_owned(),
            ("", None) => "failed".to_owned(),
            (words, None) => words.to_owned(),
        });
        let data = match words {
            words if !words.is_empty() => Some(ToolData::Text(words.into())),
            _ if success && !self.changes.is_empty() => {
                let files: Vec<&str> =
                    self.changes.iter().filter_map(|change| change["path"].as_str()).collect();
                Some(ToolData::Text(files.join("\n").into()))
            }
            _ => update.output.map(|output| ToolData::Json(output.json())),
        };
        sink.chunk(Chunk::ToolResult {
            tool: (&self.name).into(),
            id: (&self.id).into(),
            success,
            error: error.map(Cow::Owned),
            duration: self.started.map_or(0, |started| now.saturating_sub(started)),
            data,
            parent_tool_use_id: self.parent(),
        });
    }
}

/// What a tool is called: its kind, which every agent knows and which is the same in every message; by its own name where
/// it is of no kind.
fn name_of(update: &Update<'_>) -> String {
    let kind = text(update.tool_kind.as_ref());
    if !matches!(kind, "" | "other") {
        return kind.to_owned();
    }
    let meta = update.meta.as_ref();
    let own =
        update.tool.as_ref().or_else(|| meta?.tool.as_ref().or_else(|| meta?.claude.as_ref()?.tool.as_ref()));
    let title = text(update.title.as_ref());
    let is_word = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.');
    let word = Some(title).filter(|title| !title.is_empty() && title.chars().all(is_word));
    own.map(Text::as_str).or(word).filter(|name| !name.is_empty()).unwrap_or("other").to_owned()
}

fn parent_of<'a>(meta: Option<&'a Meta<'_>>) -> Option<&'a str> {
    let meta = meta?;
    meta.parent.as_ref().or_else(|| meta.claude.as_ref()?.parent.as_ref()).map(Text::as_str)
}

/// The words of a piece of content; `None` for what has none, such as an image.
fn words_of<'a>(content: &'a Content<'_>) -> Option<Cow<'a, str>> {
    match text(content.kind.as_ref()) {
        "text" => Some(text(content.text.as_ref()).into()),
        "resource_link" => Some(text(content.uri.as_ref()).into()),
        "resource" => object::<Content<'_>>(content.resource?)?.text.map(|text| text.0.into_owned().into()),
        _ => None,
    }
}

/// A change of a file as people are shown it: `{ path, kind, oldText?, newText }`.
fn change(diff: &Content<'_>) -> Value {
    let old = diff.old_text.as_ref().map(Text::as_str).filter(|old| !old.is_empty());
    let kind = if old.is_some() { "update" } else { "add" };
    let mut change =
        json!({ "path": text(diff.path.as_ref()), "kind": kind, "newText": text(diff.new_text.as_ref()) });
    if let Some(old) = old {
        change["oldText"] = old.into();
    }
    change
}
