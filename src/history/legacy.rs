//! Sessions that others wrote, as our lines: the plan's `{ id, messages, createdAt, updatedAt, metadata }` (which is
//! Locus 0.14.x's too) and Locus 0.26.x's `{ id, created, updated, metadata, messages }` with times in words.

use serde::Deserialize;
use serde_json::Value;

use super::id::SessionId;
use super::record::{Header, Record, SCHEMA, State, Turn};
use super::transcript::Format;
use crate::usage::Usage;

/// The session in `text` as lines of our format, under `id` (or under its own, or a new one). `None` if it is none.
pub(super) fn convert(text: &str, id: Option<&SessionId>) -> Option<(Format, Vec<u8>)> {
    let session: Value = serde_json::from_str(text).ok()?;
    let messages = session.get("messages")?.as_array()?;
    let format = if session.get("created").is_some_and(Value::is_string) {
        Format::Locus026
    } else if session.get("createdAt").is_some() {
        Format::PlanJson
    } else {
        return None;
    };
    let metadata = &session["metadata"];
    let own_id = session["id"].as_str().unwrap_or_default();
    let id = id.cloned().or_else(|| SessionId::parse(own_id).ok()).unwrap_or_else(SessionId::new);
    let created_at = time(&session["createdAt"]).or_else(|| time(&session["created"])).unwrap_or(0);
    let updated_at = time(&session["updatedAt"]).or_else(|| time(&session["updated"])).unwrap_or(created_at);
    let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (provider, model) =
        (string(&metadata["provider"]), metadata["model"].as_str().map(ToOwned::to_owned));
    let mut lines = Vec::new();
    let header = Header {
        schema: SCHEMA,
        id: id.to_string(),
        created_at,
        project_path: session["projectPath"].as_str().map_or_else(|| string(&metadata["cwd"]), Into::into),
        provider: provider.clone(),
        model: model.clone(),
        imported_from: Some(own_id.to_owned()).filter(|id| !id.is_empty()),
        ..Header::default()
    };
    Record::Session(header).write(created_at, &mut lines);
    let mut turn = 0;
    let mut last = created_at;
    for (index, message) in messages.iter().enumerate() {
        let content = string(&message["content"]);
        let timestamp = match time(&message["timestamp"]) {
            Some(time) => time,
            None if index + 1 == messages.len() => updated_at,
            None => last,
        };
        last = timestamp;
        if message["role"] == "user" {
            turn += 1;
            let (provider, model) = (provider.clone(), model.clone());
            let images = Vec::new();
            Record::Prompt { run_id: run_id(turn), content, provider, model, images }
                .write(timestamp, &mut lines);
        } else {
            // An answer without a question, or a second one, is a run of its own.
            let answers = index.checked_sub(1).is_some_and(|before| messages[before]["role"] == "user");
            turn += u64::from(!answers);
            answer(&run_id(turn), message, content, timestamp, &mut lines);
        }
    }
    let context = &metadata["contextTracker"];
    if context.is_object() {
        let state = State { context: Some(context.clone()), ..State::default() };
        Record::State(state).write(updated_at, &mut lines);
    }
    Some((format, lines))
}

fn run_id(turn: u64) -> String {
    format!("converted-{turn}")
}

fn answer(run: &str, message: &Value, content: String, timestamp: u64, lines: &mut Vec<u8>) {
    let run_id = run.to_owned();
    let used = &message["metadata"]["toolsUsed"];
    let mut tools_used: Vec<String> =
        used.as_array().into_iter().flatten().filter_map(Value::as_str).map(Into::into).collect();
    for (index, tool) in message["tools"].as_array().into_iter().flatten().enumerate() {
        let name = tool["tool"].as_str().unwrap_or_default().to_owned();
        let id = format!("{run}-tool-{}", index + 1);
        if !tools_used.contains(&name) {
            tools_used.push(name.clone());
        }
        let parameters = tool["params"].clone();
        Record::ToolUse {
            run_id: run_id.clone(),
            id: id.clone(),
            tool: name.clone(),
            parameters,
            parent_tool_use_id: None,
        }
        .write(timestamp, lines);
        Record::ToolResult {
            run_id: run_id.clone(),
            id,
            tool: name,
            success: true,
            error: None,
            duration_ms: time(&tool["duration"]),
            parent_tool_use_id: None,
        }
        .write(timestamp, lines);
    }
    if !content.is_empty() {
        Record::Text { run_id: run_id.clone(), content }.write(timestamp, lines);
    }
    let metadata = &message["metadata"];
    if metadata["interrupted"] == true {
        return;
    }
    let duration_ms = time(&metadata["duration"]).unwrap_or(0);
    let error_code = metadata["errorCode"].as_str().map(Into::into);
    let usage = Usage::deserialize(&metadata["usage"]).ok();
    let success = error_code.is_none();
    let turn = Turn { run_id, success, error_code, duration_ms, tools_used, usage, ..Turn::default() };
    Record::Turn(turn).write(timestamp, lines);
}

/// Milliseconds: a number, or a moment as JavaScript's `toISOString` writes it.
fn time(value: &Value) -> Option<u64> {
    match value {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is not negative, and `as` saturates"
        )]
        Value::Number(number) => number.as_f64().filter(|ms| *ms >= 0.0).map(|ms| ms as u64),
        Value::String(text) => {
            let moment = humantime::parse_rfc3339(text).ok()?;
            let since = moment.duration_since(std::time::UNIX_EPOCH).ok()?;
            u64::try_from(since.as_millis()).ok()
        }
        _ => None,
    }
}
