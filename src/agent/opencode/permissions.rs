//! Who may do what, in opencode's words: rules, of which the last that matches counts.
//!
//! They are laid over those of `opencode.json` by a variable. A key that is there already would keep its place there, in
//! front of what the user says more generally: so each rule is given a second time under a key that nobody writes, which
//! comes last. (`bash *` matches what `bash` does: in a pattern, ` *` at the end may be missing.)
//!
//! Nobody can be asked. What opencode would ask about is refused, unless all is allowed; so what changes something, or
//! leaves the project or the machine, is asked about, whatever `opencode.json` says.

use serde::{Serialize, Serializer};

use crate::agent::AgentOptions;
use crate::error::{Error, Result};
use crate::stream::json_of;

/// The variable that brings the rules.
pub(super) const VARIABLE: &str = "OPENCODE_PERMISSION";

/// What is asked about: commands, changes, what is outside of the project or of the machine. The last are the tools of MCP
/// servers, which have both names in theirs.
const ASKED: &[&str] = &["bash", "edit", "external_directory", "webfetch", "websearch", MCP_TOOLS];

/// What else there is, and needs no question: it only looks, or notes something.
const FREE: &[&str] =
    &["doom_loop", "glob", "grep", "list", "lsp", "question", "read", "skill", "task", "todowrite"];

const MCP_TOOLS: &str = "?*_?*";

/// Tools that need the permission to edit, which has no parts.
const EDITORS: &[&str] = &["apply_patch", "multiedit", "patch", "write"];

/// How opencode may act.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Permissions {
    /// Its agent, where that is not its default.
    pub(super) agent: Option<&'static str>,
    /// Whether it says yes to what it would ask about.
    pub(super) says_yes: bool,
    rules: Vec<Rule>,
}

/// What may be done by a permission: patterns, of which the last that matches counts, with what it means.
#[derive(Debug, PartialEq, Eq)]
struct Rule {
    permission: String,
    actions: Vec<(String, &'static str)>,
}

impl Permissions {
    /// What the options come to. An [`Error::InvalidInput`] tells what opencode cannot be held to.
    pub(super) fn of(options: &AgentOptions) -> Result<Self> {
        let policy = &options.permissions;
        let agent = match options.permission_mode.as_deref() {
            None | Some("default" | "build") => None,
            Some("plan") => Some("plan"),
            Some(mode) => {
                let message = format!(
                    "by its JSON stream opencode has no permission mode '{mode}'; it has build (default) and plan"
                );
                return Err(Error::InvalidInput(message.into()));
            }
        };
        let mut permissions = Self { agent, says_yes: policy.allow_all, rules: Vec::new() };
        for permission in ASKED.iter().filter(|_| !policy.allow_all) {
            permissions.put(permission, "*", "ask");
        }
        for allowed in policy.allowed.iter().filter(|_| !policy.allow_all) {
            let (tool, pattern) = parts(allowed);
            if EDITORS.contains(&tool) {
                let message = format!(
                    "opencode cannot be allowed '{tool}' alone: all that changes files is one permission, 'edit'"
                );
                return Err(Error::InvalidInput(message.into()));
            }
            permissions.put(tool, pattern, "allow");
        }
        for denied in &policy.denied {
            let (tool, pattern) = parts(denied);
            let permission = if EDITORS.contains(&tool) { "edit" } else { tool };
            let is_known = ASKED.contains(&permission) || FREE.contains(&permission);
            if !is_known && !is_mcp_tool(permission) {
                return Err(cannot_deny(denied));
            }
            permissions.put(permission, pattern, "deny");
        }
        if agent.is_some() {
            // Should the user have taken this agent away, another one takes its place.
            permissions.put("edit", "*", "deny");
        }
        Ok(permissions)
    }

    /// Adds a rule behind those that there are. One about everything takes the place of those before.
    fn put(&mut self, permission: &str, pattern: &str, action: &'static str) {
        let place = self.rules.iter().position(|rule| rule.permission == permission);
        let place = place.unwrap_or_else(|| {
            self.rules.push(Rule { permission: permission.to_owned(), actions: Vec::new() });
            self.rules.len() - 1
        });
        let actions = &mut self.rules[place].actions;
        if pattern == "*" {
            actions.clear();
        }
        actions.push((pattern.to_owned(), action));
    }

    /// The rules as opencode reads them; `None` where there are none.
    pub(super) fn rules(&self) -> Option<String> {
        // Those about many tools come first.
        let (general, special): (Vec<_>, Vec<_>) =
            self.rules.iter().partition(|rule| rule.permission == MCP_TOOLS);
        let again = general.into_iter().chain(special);
        let again = again.map(|rule| (format!("{} *", rule.permission), InOrder(&rule.actions)));
        let plain = self.rules.iter().map(|rule| (rule.permission.clone(), InOrder(&rule.actions)));
        let all: Vec<_> = plain.chain(again).collect();
        (!all.is_empty()).then(|| json_of(&InOrder(&all)).get().to_owned())
    }
}

/// An object whose order means something.
struct InOrder<'a, K, V>(&'a [(K, V)]);

impl<K: Serialize, V: Serialize> Serialize for InOrder<'_, K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// `bash(git *)` as a tool and a pattern; without one it is about everything.
fn parts(rule: &str) -> (&str, &str) {
    let with_pattern = rule.strip_suffix(')').and_then(|rule| rule.split_once('('));
    with_pattern.unwrap_or((rule, "*"))
}

/// Whether it may be the tool of an MCP server: `<server>_<tool>`.
fn is_mcp_tool(name: &str) -> bool {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    let (server, tool) = name.split_once('_').unwrap_or_default();
    !server.is_empty() && !tool.is_empty() && name.chars().all(is_plain)
}

fn cannot_deny(tool: &str) -> Error {
    let known: Vec<&str> = ASKED.iter().chain(FREE).copied().filter(|known| *known != MCP_TOOLS).collect();
    let known = known.join(", ");
    Error::InvalidInput(
        format!("opencode has no tool '{tool}' to deny; it has {known} and <server>_<tool>").into(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::agent::PermissionPolicy;
    use crate::error::ErrorKind;

    fn options(allow_all: bool, allowed: &[&str], denied: &[&str], mode: Option<&str>) -> AgentOptions {
        let owned = |list: &[&str]| list.iter().map(|tool| (*tool).to_owned()).collect();
        AgentOptions {
            permission_mode: mode.map(Into::into),
            permissions: PermissionPolicy {
                allow_all,
                allowed: owned(allowed),
                denied: owned(denied),
                ..PermissionPolicy::default()
            },
            ..AgentOptions::default()
        }
    }

    fn rules(allow_all: bool, allowed: &[&str], denied: &[&str]) -> Option<String> {
        Permissions::of(&options(allow_all, allowed, denied, None)).unwrap().rules()
    }

    /// What opencode makes of a use, by rules that are laid over those of a user: the last that matches counts.
    fn verdict(user: &str, ours: &str, permission: &str, what: &str) -> String {
        fn ordered(json: &str) -> Vec<(String, String)> {
            let object = crate::agent::json::CheckedJson::parse(json).unwrap();
            object
                .members()
                .unwrap()
                .map(|(key, value)| (key.to_string(), value.as_str().to_owned()))
                .collect()
        }
        fn lay(over: &mut Vec<(String, String)>, ours: &str) {
            for (key, value) in ordered(ours) {
                match over.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, before)) if before.starts_with('{') && value.starts_with('{') => {
                        let mut inner = ordered(before);
                        lay(&mut inner, &value);
                        let inner: Vec<String> =
                            inner.iter().map(|(key, value)| format!("{}:{value}", json!(key))).collect();
                        *before = format!("{{{}}}", inner.join(","));
                    }
                    Some((_, before)) => *before = value,
                    None => over.push((key, value)),
                }
            }
        }
        fn matches(text: &[u8], pattern: &[u8]) -> bool {
            match pattern.split_first() {
                None => text.is_empty(),
                Some((b' ', b"*")) if text.is_empty() => true,
                Some((b'*', rest)) => (0..=text.len()).any(|at| matches(&text[at..], rest)),
                Some((char, rest)) => text
                    .split_first()
                    .is_some_and(|(first, text)| (*char == b'?' || char == first) && matches(text, rest)),
            }
        }
        let mut all = ordered(user);
        lay(&mut all, ours);
        let mut found = "\"allow\"".to_owned();
        for (_, value) in all.iter().filter(|(key, _)| matches(permission.as_bytes(), key.as_bytes())) {
            if value.starts_with('"') {
                found.clone_from(value);
            } else {
                for (_, action) in
                    ordered(value).iter().filter(|(p, _)| matches(what.as_bytes(), p.as_bytes()))
                {
                    found.clone_from(action);
                }
            }
        }
        serde_json::from_str::<Value>(&found).unwrap().as_str().unwrap().to_owned()
    }

    #[test]
    fn what_changes_something_is_asked_about_whatever_the_user_s_file_says() {
        let ours = rules(false, &[], &[]).unwrap();
        for user in [
            "{}",
            r#"{"*":"allow"}"#,
            r#"{"bash":"allow","*":"allow"}"#,
            r#"{"bash":{"*":"allow","git *":"allow"},"edit":"allow","webfetch":"allow","srv_tool":"allow"}"#,
        ] {
            for permission in ["bash", "edit", "external_directory", "webfetch", "websearch", "srv_tool"] {
                assert_eq!(verdict(user, &ours, permission, "git push"), "ask", "{permission} over {user}");
            }
            assert_eq!(verdict(user, &ours, "read", "a.rs"), "allow");
            assert_eq!(verdict(user, &ours, "task", "general"), "allow");
        }
        assert_eq!(verdict(r#"{"read":"deny"}"#, &ours, "read", "a.rs"), "deny");
    }

    #[test]
    fn what_is_allowed_is_allowed_and_what_is_denied_is_denied() {
        let user = r#"{"bash":"allow","*":"allow"}"#;
        let ours =
            rules(false, &["bash(git *)", "srv_tool", "edit"], &["bash(git push*)", "webfetch"]).unwrap();
        for (permission, what, expected) in [
            ("bash", "git status", "allow"),
            ("bash", "git push --force", "deny"),
            ("bash", "rm -r .", "ask"),
            ("srv_tool", "*", "allow"),
            ("srv_other", "*", "ask"),
            ("edit", "a.rs", "allow"),
            ("webfetch", "*", "deny"),
        ] {
            assert_eq!(verdict(user, &ours, permission, what), expected, "{permission} {what}");
        }
        let both = rules(false, &["bash", "bash(git *)"], &["bash"]).unwrap();
        assert_eq!(verdict(user, &both, "bash", "git status"), "deny");
    }

    #[test]
    fn all_that_is_allowed_leaves_what_is_denied_and_what_the_user_s_file_denies() {
        assert_eq!(rules(true, &["bash"], &[]), None);
        let ours = rules(true, &[], &["write"]).unwrap();
        assert_eq!(ours, r#"{"edit":{"*":"deny"},"edit *":{"*":"deny"}}"#);
        assert_eq!(verdict(r#"{"bash":"deny"}"#, &ours, "bash", "ls"), "deny");
        assert!(Permissions::of(&options(true, &[], &[], None)).unwrap().says_yes);
        assert!(!Permissions::of(&options(false, &[], &[], None)).unwrap().says_yes);
    }

    #[test]
    fn a_plan_changes_no_files() {
        let plan = Permissions::of(&options(true, &["edit"], &[], Some("plan"))).unwrap();
        assert_eq!(plan.agent, Some("plan"));
        assert_eq!(verdict("{}", &plan.rules().unwrap(), "edit", "a.rs"), "deny");
    }

    #[test]
    fn what_it_cannot_be_held_to_is_an_error() {
        for (allowed, denied, mode) in [
            (&["write"][..], &[][..], None),
            (&[], &["Bash"], None),
            (&[], &["_"], None),
            (&[], &["Bash(git *)"], None),
            (&[], &[], Some("acceptEdits")),
            (&[], &[], Some("bypassPermissions")),
        ] {
            let error = Permissions::of(&options(false, allowed, denied, mode)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
    }
}
