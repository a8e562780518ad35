//! Tools in the words of this engine: what codex calls items, with a name, parameters and an outcome each.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::policy::mcp_name;
use super::wire::{ChangeKind, Content, FileChange, Item, McpResult, Step};
use crate::agent::json::CheckedJson;
use crate::agent::lenient::{Text, facts, object, text};
use crate::stream::{Json, ToolData};

/// How the use of a tool ended.
pub(super) struct Outcome<'a> {
    pub(super) success: bool,
    pub(super) error: Option<Cow<'a, str>>,
    pub(super) data: Option<ToolData<'a>>,
}

/// The kind of an item as `exec` spells it; `app-server` has `commandExecution` for `command_execution`.
pub(super) fn kind_of(item: &Item<'_>) -> String {
    snake_case(text(item.kind.as_ref()))
}

/// The tool that an item is the use of; `None` for what is no tool.
pub(super) fn name_of(item: &Item<'_>) -> Option<String> {
    let kind = kind_of(item);
    let tool = || text(item.tool.as_ref());
    match kind.as_str() {
        "command_execution" | "file_change" | "web_search" | "image_generation" | "sleep" => Some(kind),
        "image_view" => Some("view_image".into()),
        "mcp_tool_call" => Some(mcp_name(text(item.server.as_ref()), tool())),
        "collab_agent_tool_call" | "collab_tool_call" => Some(snake_case(tool())),
        "dynamic_tool_call" => Some(tool().to_owned()),
        _ => None,
    }
}

/// What a tool is given; `None` where codex tells it only in the end.
pub(super) fn parameters_of<'a>(item: &Item<'a>) -> Option<Json<'a>> {
    match kind_of(item).as_str() {
        "command_execution" => Some(command(item.command.as_ref(), item.cwd.as_ref(), None)),
        "file_change" => Some(changes(item.changes, None)),
        "web_search" => {
            let query = item.query.as_ref().map(Text::as_str).filter(|query| !query.is_empty())?;
            Some(facts([("query", query.into()), ("action", item.action.map(CheckedJson::value).into())]))
        }
        "mcp_tool_call" | "dynamic_tool_call" => Some(arguments(item.arguments)),
        "collab_agent_tool_call" | "collab_tool_call" => {
            let model = text(item.model.as_ref());
            Some(facts([("prompt", text(item.prompt.as_ref()).into()), ("model", model.into())]))
        }
        _ => Some(facts([("path", text(item.path.as_ref()).into())])),
    }
}

/// What a command is asked to be, with the shell around it taken off.
pub(super) fn command(
    command: Option<&Text<'_>>,
    cwd: Option<&Text<'_>>,
    reason: Option<&str>,
) -> Json<'static> {
    facts([
        ("command", script(text(command)).into()),
        ("cwd", text(cwd).into()),
        ("reason", reason.unwrap_or_default().into()),
    ])
}

/// Which files are changed and how.
pub(super) fn changes(changes: Option<CheckedJson<'_>>, reason: Option<&str>) -> Json<'static> {
    let files: Vec<Value> = files(changes).map(File::shown).collect();
    facts([("changes", files.into()), ("reason", reason.unwrap_or_default().into())])
}

/// The parameters of a tool of a server.
pub(super) fn arguments(arguments: Option<CheckedJson<'_>>) -> Json<'_> {
    let object = arguments.filter(|arguments| arguments.as_str().starts_with('{'));
    object.map_or_else(|| facts([]), CheckedJson::json)
}

/// The steps of a plan, whatever codex calls them.
pub(super) fn todo_list(steps: CheckedJson<'_>) -> Json<'static> {
    let steps = steps.items().into_iter().flatten().filter_map(object::<Step<'_>>).map(|step| {
        let done = if step.completed == Some(true) { "completed" } else { "pending" };
        let status =
            step.status.as_ref().map_or_else(|| done.to_owned(), |status| snake_case(status.as_str()));
        json!({ "text": text(step.text.as_ref()), "status": status })
    });
    facts([("items", steps.collect())])
}

/// How the use of a tool ended, as its item tells.
pub(super) fn outcome_of<'a>(item: &'a Item<'a>) -> Outcome<'a> {
    let status = text(item.status.as_ref());
    let told = item.error.as_ref().and_then(|error| error.message.as_deref());
    let failed = told.is_some()
        || matches!(status, "failed" | "declined")
        || item.success == Some(false)
        || item.exit_code.is_some_and(|code| code != 0);
    let data = data_of(item);
    let error = failed.then(|| match (told, item.exit_code, &data) {
        (Some(told), ..) => Cow::Borrowed(told),
        _ if status == "declined" => "declined".into(),
        (None, Some(code), Some(ToolData::Text(output))) => {
            format!("exit code {code}\n{output}").trim_end().to_owned().into()
        }
        (None, Some(code), _) => format!("exit code {code}").into(),
        (None, None, _) if item.changes.is_some() => "the change could not be made".into(),
        (None, None, _) => "failed".into(),
    });
    Outcome { success: !failed, error, data }
}

fn data_of<'a>(item: &'a Item<'a>) -> Option<ToolData<'a>> {
    if let Some(output) = &item.aggregated_output {
        return Some(ToolData::Text(Cow::Borrowed(output.as_str())));
    }
    if let Some(result) = item.result {
        let texts = object::<McpResult<'_>>(result).and_then(|result| texts(result.content?));
        return Some(
            texts.map_or_else(|| ToolData::Json(result.json()), |texts| ToolData::Text(texts.into())),
        );
    }
    item.changes?;
    let lines: Vec<String> = files(item.changes).map(File::line).collect();
    Some(ToolData::Text(lines.join("\n").into()))
}

/// The text of what a server returned, or of a prompt, if that is text and nothing else.
pub(super) fn texts(content: CheckedJson<'_>) -> Option<String> {
    let texts: Option<Vec<String>> = content
        .items()?
        .map(|piece| {
            let piece = object::<Content<'_>>(piece)?;
            (text(piece.kind.as_ref()) == "text").then(|| text(piece.text.as_ref()).to_owned())
        })
        .collect();
    texts.map(|texts| texts.join("\n"))
}

/// A file that is changed, read.
struct File {
    path: String,
    kind: String,
    move_path: Option<String>,
    diff: String,
}

fn files(changes: Option<CheckedJson<'_>>) -> impl Iterator<Item = File> {
    changes.and_then(CheckedJson::items).into_iter().flatten().filter_map(|change| {
        let change = object::<FileChange<'_>>(change)?;
        // `exec` has the bare word.
        let kind = change.kind.and_then(object::<ChangeKind<'_>>);
        let word = change.kind.and_then(|kind| serde_json::from_str(kind.as_str()).ok());
        let (kind, move_path) = match kind {
            Some(kind) => (text(kind.kind.as_ref()).to_owned(), kind.move_path),
            None => (word.unwrap_or_default(), None),
        };
        Some(File {
            path: text(change.path.as_ref()).to_owned(),
            kind,
            move_path: move_path.map(|path| path.0.into_owned()),
            diff: text(change.diff.as_ref()).to_owned(),
        })
    })
}

impl File {
    fn shown(self) -> Value {
        let mut shown = json!({ "path": self.path, "kind": self.kind });
        if let Some(path) = self.move_path {
            shown["movePath"] = path.into();
        }
        if !self.diff.is_empty() {
            shown["diff"] = self.diff.into();
        }
        shown
    }

    fn line(self) -> String {
        match self.move_path {
            Some(to) => format!("{} {} → {to}", self.kind, self.path),
            None => format!("{} {}", self.kind, self.path),
        }
    }
}

/// What a shell is to run, where a command is that and nothing else.
fn script(command: &str) -> String {
    match shlex::split(command).as_deref() {
        Some([shell, flag, script]) if shell.ends_with("sh") && matches!(flag.as_str(), "-c" | "-lc") => {
            script.clone()
        }
        _ => command.to_owned(),
    }
}

/// `spawnAgent` as `spawn_agent`.
fn snake_case(word: &str) -> String {
    let mut snake = String::with_capacity(word.len() + 4);
    for char in word.chars() {
        if char.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(char.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_around_a_command_is_taken_off() {
        for (command, expected) in [
            ("/bin/bash -lc 'echo hi'", "echo hi"),
            (r#"/usr/bin/zsh -c "echo \"it's\"""#, r#"echo "it's""#),
            ("bash -lc ls", "ls"),
            ("ls -l", "ls -l"),
            ("bash -lc 'unfinished", "bash -lc 'unfinished"),
            ("bash -lc 'a' b", "bash -lc 'a' b"),
        ] {
            assert_eq!(script(command), expected);
        }
    }

    #[test]
    fn words_are_spelled_as_exec_does() {
        for (word, expected) in [("mcpToolCall", "mcp_tool_call"), ("web_search", "web_search"), ("", "")] {
            assert_eq!(snake_case(word), expected);
        }
    }

    fn outcome(json: &str) -> (bool, Option<String>, Value) {
        let item = object(CheckedJson::parse(json).unwrap()).unwrap();
        let outcome = outcome_of(&item);
        (outcome.success, outcome.error.map(Cow::into_owned), serde_json::to_value(outcome.data).unwrap())
    }

    #[test]
    fn an_outcome_says_what_went_wrong() {
        assert_eq!(
            outcome(
                r#"{"type":"command_execution","status":"failed","exit_code":3,"aggregated_output":"out\n"}"#
            ),
            (false, Some("exit code 3\nout".into()), json!("out\n"))
        );
        assert_eq!(
            outcome(r#"{"type":"commandExecution","status":"declined"}"#),
            (false, Some("declined".into()), Value::Null)
        );
        assert_eq!(
            outcome(
                r#"{"type":"fileChange","status":"failed","changes":[{"path":"a","kind":{"type":"add"}}]}"#
            ),
            (false, Some("the change could not be made".into()), json!("add a"))
        );
        assert_eq!(
            outcome(r#"{"type":"mcpToolCall","status":"failed","error":{"message":"no"},"result":null}"#),
            (false, Some("no".into()), Value::Null)
        );
        assert_eq!(
            outcome(r#"{"type":"mcpToolCall","status":"completed","result":{"content":[{"type":"image"}]}}"#),
            (true, None, json!({ "content": [{ "type": "image" }] }))
        );
    }

    #[test]
    fn a_file_that_moves_is_told_with_both_its_names() {
        let json = r#"[{"path":"a","kind":{"type":"update","move_path":"b"},"diff":"@@"},{"path":"c","kind":"add"},5]"#;
        let changes = changes(Some(CheckedJson::parse(json).unwrap()), None);
        assert_eq!(
            serde_json::from_str::<Value>(changes.get()).unwrap(),
            json!({ "changes": [
                { "path": "a", "kind": "update", "movePath": "b", "diff": "@@" },
                { "path": "c", "kind": "add" },
            ] })
        );
    }

    #[test]
    fn steps_are_the_same_in_both_protocols() {
        let list = |json| todo_list(CheckedJson::parse(json).unwrap()).get().to_owned();
        let expected =
            r#"{"items":[{"status":"completed","text":"look"},{"status":"pending","text":"leap"}]}"#;
        assert_eq!(list(r#"[{"text":"look","completed":true},{"text":"leap","completed":false}]"#), expected);
        assert_eq!(
            list(r#"[{"step":"look","status":"completed"},{"step":"leap","status":"pending"}]"#),
            expected
        );
    }
}
