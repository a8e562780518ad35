//! Who may do what, in codex's words: when it asks, what its sandbox allows, which tools it does not have.
//!
//! Codex asks about commands and changes of files, or it does not, by its *approval policy*; what runs without a
//! question, or after a yes, runs in its *sandbox*. Its tools have no rules with patterns.

use serde_json::{Map, Value, json};

use crate::agent::AgentOptions;
use crate::error::{Error, Result};

/// Tools that a user may deny by name; those of MCP servers besides, as `mcp__<server>__<tool>`.
const TOOLS: &[&str] = &["command_execution", "file_change", "web_search", "spawn_agent"];

/// How a thread may act.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Policy {
    /// When codex asks: `untrusted` about everything but reading, `on-request` where the sandbox is in the way, `never`.
    pub(super) approval: &'static str,
    /// What commands can do: `read-only`, `workspace-write`, `danger-full-access`.
    pub(super) sandbox: &'static str,
    /// Settings that take denied tools away.
    pub(super) config: Map<String, Value>,
}

impl Policy {
    /// What the options come to. An [`Error::InvalidInput`] tells what codex cannot be held to.
    pub(super) fn of(options: &AgentOptions) -> Result<Self> {
        let permissions = &options.permissions;
        let (mut approval, sandbox) = match options.permission_mode.as_deref() {
            None | Some("default" | "untrusted") if permissions.allow_all => {
                ("untrusted", "danger-full-access")
            }
            None | Some("default" | "untrusted") => ("untrusted", "workspace-write"),
            Some("on-request" | "workspace-write" | "acceptEdits") => ("on-request", "workspace-write"),
            Some("never") => ("never", "workspace-write"),
            Some("read-only") => ("on-request", "read-only"),
            Some("plan") => ("never", "read-only"),
            Some("danger-full-access" | "bypassPermissions") => ("never", "danger-full-access"),
            Some(mode) => {
                return Err(Error::InvalidInput(
                    format!(
                        "codex has no permission mode '{mode}'; it has untrusted (default), on-request, never, \
                         read-only, workspace-write and danger-full-access"
                    )
                    .into(),
                ));
            }
        };
        let mut config = Map::new();
        for tool in &permissions.denied {
            match tool.as_str() {
                // Without this, commands that only read would not be asked about.
                "command_execution" => config.insert("features.shell_tool".into(), false.into()),
                "web_search" => config.insert("web_search".into(), "disabled".into()),
                "spawn_agent" => config.insert("features.multi_agent".into(), false.into()),
                "file_change" => None,
                tool => {
                    let (server, tool) = mcp_tool(tool).ok_or_else(|| cannot_deny(tool))?;
                    let key = format!("mcp_servers.{server}.disabled_tools");
                    let disabled = config.entry(key).or_insert_with(|| json!([]));
                    if let Value::Array(tools) = disabled {
                        tools.push(tool.into());
                    }
                    None
                }
            };
        }
        if !permissions.denied.is_empty() {
            // What is denied has to be asked about, or it would be done.
            approval = "untrusted";
        }
        Ok(Self { approval, sandbox, config })
    }
}

/// The name under which the tool of a server is known here, as to the model.
pub(super) fn mcp_name(server: &str, tool: &str) -> String {
    format!("mcp__{server}__{tool}")
}

/// The server and the tool of such a name.
fn mcp_tool(name: &str) -> Option<(&str, &str)> {
    let (server, tool) = name.strip_prefix("mcp__")?.split_once("__")?;
    let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    (!server.is_empty() && !tool.is_empty() && server.chars().all(is_plain)).then_some((server, tool))
}

fn cannot_deny(tool: &str) -> Error {
    let known = TOOLS.join(", ");
    Error::InvalidInput(
        format!(
            "codex has no tool '{tool}' to deny; it has {known} and mcp__<server>__<tool>, without patterns"
        )
        .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::PermissionPolicy;
    use crate::error::ErrorKind;

    fn options(mode: Option<&str>, allow_all: bool, denied: &[&str]) -> AgentOptions {
        AgentOptions {
            permission_mode: mode.map(ToOwned::to_owned),
            permissions: PermissionPolicy {
                allow_all,
                denied: denied.iter().map(|tool| (*tool).to_owned()).collect(),
                ..PermissionPolicy::default()
            },
            ..AgentOptions::default()
        }
    }

    fn words(mode: Option<&str>, allow_all: bool, denied: &[&str]) -> (&'static str, &'static str) {
        let policy = Policy::of(&options(mode, allow_all, denied)).unwrap();
        (policy.approval, policy.sandbox)
    }

    #[test]
    fn without_a_word_everything_but_reading_is_asked_about_and_kept_to_the_project() {
        assert_eq!(words(None, false, &[]), ("untrusted", "workspace-write"));
        assert_eq!(words(Some("default"), false, &[]), ("untrusted", "workspace-write"));
    }

    #[test]
    fn who_allows_everything_is_still_asked_and_has_no_sandbox() {
        assert_eq!(words(None, true, &[]), ("untrusted", "danger-full-access"));
        assert_eq!(words(Some("on-request"), true, &[]), ("on-request", "workspace-write"));
    }

    #[test]
    fn modes_are_codex_s_own_and_those_of_claude_that_mean_the_same() {
        for (mode, expected) in [
            ("untrusted", ("untrusted", "workspace-write")),
            ("acceptEdits", ("on-request", "workspace-write")),
            ("never", ("never", "workspace-write")),
            ("plan", ("never", "read-only")),
            ("read-only", ("on-request", "read-only")),
            ("bypassPermissions", ("never", "danger-full-access")),
        ] {
            assert_eq!(words(Some(mode), false, &[]), expected, "{mode}");
        }
        let error = Policy::of(&options(Some("auto"), false, &[])).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }

    #[test]
    fn what_is_denied_is_taken_away_or_asked_about_whatever_the_mode() {
        assert_eq!(words(Some("bypassPermissions"), true, &["file_change"]).0, "untrusted");
        let denied = ["command_execution", "web_search", "spawn_agent", "mcp__db__drop", "mcp__db__drop_all"];
        let policy = Policy::of(&options(None, true, &denied)).unwrap();
        assert_eq!(
            Value::Object(policy.config),
            json!({
                "features.shell_tool": false,
                "web_search": "disabled",
                "features.multi_agent": false,
                "mcp_servers.db.disabled_tools": ["drop", "drop_all"],
            })
        );
    }

    #[test]
    fn what_cannot_be_denied_is_refused_and_not_ignored() {
        for tool in ["Bash", "Write", "command_execution(git *)", "mcp__db", "mcp__a.b__c", "mcp____c"] {
            let error = Policy::of(&options(None, false, &[tool])).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{tool}");
        }
    }
}
