//! What codex asks of the host.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::{Value, json};

use super::items::Items;
use super::policy::mcp_name;
use super::tool::{arguments, changes, command};
use super::wire::Params;
use crate::agent::json::CheckedJson;
use crate::agent::lenient::{Text, text};
use crate::agent::line::line_of;
use crate::agent::{Decision, PermissionRequest, Signal, Sink};
use crate::stream::json_of;

/// The questions that wait for an answer, by the ids under which the host knows them.
#[derive(Debug, Default)]
pub(super) struct Questions(HashMap<String, Question>);

#[derive(Debug)]
struct Question {
    /// The id of codex's request, as JSON.
    id: Value,
    kind: QuestionKind,
}

#[derive(Debug)]
enum QuestionKind {
    /// About a command or a change of files.
    Approval,
    /// About a tool of a server.
    Elicitation,
    /// About these permissions.
    Permissions(Value),
}

impl Questions {
    /// Codex asks something: it is passed on as a question for permission, or answered at once.
    pub(super) fn ask(
        &mut self,
        method: &str,
        id: CheckedJson<'_>,
        params: &Params<'_>,
        items: &Items,
        sink: &mut dyn Sink,
    ) {
        let item = text(params.item_id.as_ref());
        let reason = params.reason.as_ref().map(Text::as_str);
        let item_id = Some(item.to_owned()).filter(|item| !item.is_empty());
        let (tool, parameters, tool_use_id, kind) = match method {
            "item/commandExecution/requestApproval" => {
                let asked = command(params.command.as_ref(), params.cwd.as_ref(), reason);
                ("command_execution".to_owned(), asked, item_id, QuestionKind::Approval)
            }
            "item/fileChange/requestApproval" => {
                // The question does not say what is to be changed; its item did.
                let known = items.parameters(item).map(|known| Cow::Owned(known.to_owned()));
                let asked = known.unwrap_or_else(|| changes(None, reason));
                ("file_change".to_owned(), asked, item_id, QuestionKind::Approval)
            }
            "item/permissions/requestApproval" => {
                let asked = params.permissions.map_or_else(|| json!({}), CheckedJson::value);
                let shown = json_of(&json!({ "permissions": asked, "reason": reason }));
                ("request_permissions".to_owned(), shown, item_id, QuestionKind::Permissions(asked))
            }
            "mcpServer/elicitation/request" => {
                let meta = params.meta.as_ref().filter(|meta| text(meta.kind.as_ref()) == "mcp_tool_call");
                let Some(meta) = meta else {
                    // A form that nobody is there to fill in.
                    let reply = json!({ "id": id.value(), "result": elicited("decline") });
                    return sink.signal(Signal::Reply(line_of(&reply)));
                };
                let tool = mcp_name(text(params.server_name.as_ref()), text(meta.tool_name.as_ref()));
                let tool_use = items.open_use_of(&tool);
                (tool, arguments(meta.tool_params), tool_use, QuestionKind::Elicitation)
            }
            method => {
                // Unanswered, it would wait for ever.
                let message = format!("'{method}' is not supported by this host");
                let reply = json!({ "id": id.value(), "error": { "code": -32601, "message": message } });
                return sink.signal(Signal::Reply(line_of(&reply)));
            }
        };
        let id = id.value();
        // Codex counts its questions from 0 in every process.
        let key = format!("{}/{id}", text(params.turn_id.as_ref()));
        self.0.insert(key.clone(), Question { id, kind });
        sink.signal(Signal::Permission(PermissionRequest {
            id: key,
            tool,
            parameters: parameters.into_owned(),
            tool_use_id,
            suggestions: params.proposed_execpolicy_amendment.map(|rule| rule.json().into_owned()),
        }));
    }

    /// The line that answers a question; empty where it is none any more.
    pub(super) fn answer(&mut self, request: &PermissionRequest, decision: &Decision) -> Vec<u8> {
        let Some(Question { id, kind }) = self.0.remove(&request.id) else { return Vec::new() };
        // Codex runs what it asked about and nothing else: a yes to another input is a no to this one.
        let yes = matches!(decision, Decision::Allow { updated_input: None });
        let result = match kind {
            QuestionKind::Approval => json!({ "decision": if yes { "accept" } else { "decline" } }),
            QuestionKind::Elicitation => elicited(if yes { "accept" } else { "decline" }),
            QuestionKind::Permissions(asked) => {
                json!({ "permissions": if yes { asked } else { json!({}) }, "scope": "turn" })
            }
        };
        line_of(&json!({ "id": id, "result": result }))
    }

    /// A question needs no answer any more; those that were answered are not among the questions.
    pub(super) fn resolved(&mut self, params: &Params<'_>, sink: &mut dyn Sink) {
        let id = params.request_id.map(CheckedJson::value);
        let resolved = self.0.iter().find(|(_, question)| Some(&question.id) == id.as_ref());
        if let Some(key) = resolved.map(|(key, _)| key.clone()) {
            self.0.remove(&key);
            sink.signal(Signal::PermissionWithdrawn(key));
        }
    }
}

/// The answer to what a server of tools wants to know.
fn elicited(action: &str) -> Value {
    json!({ "action": action, "content": null, "_meta": null })
}
