//! What permissions mean to Gemini CLI where nobody can be asked.
//!
//! Its approval mode says what needs a yes; without somebody to ask, that is not done, and the model is not even offered it.
//! Single tools can be allowed by arguments, but not denied: only its settings and policies, which are files, can do that. So
//! what is denied is an error, rather than a promise that nobody keeps.

use crate::agent::AgentOptions;
use crate::error::{Error, Result};

/// What Gemini CLI is started with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Policy {
    /// Its approval mode, which is stronger than the one of its settings.
    pub(super) mode: &'static str,
    /// Names of tools, or rules such as `run_shell_command(git)`.
    pub(super) allowed: Vec<String>,
}

impl Policy {
    /// The policy of these options. An [`Error::InvalidInput`] tells what cannot be kept.
    pub(super) fn of(options: &AgentOptions) -> Result<Self> {
        let permissions = &options.permissions;
        if let Some(tool) = permissions.denied.first() {
            let advice =
                "deny it in the settings of Gemini CLI (`tools.exclude`), or use a version that speaks ACP";
            return Err(Error::InvalidInput(
                format!("gemini cannot be denied '{tool}' by stream-json; {advice}").into(),
            ));
        }
        // It takes a list apart at its commas, and a rule that is cut in two would be another one.
        if let Some(rule) = permissions.allowed.iter().find(|rule| rule.contains(',')) {
            return Err(Error::InvalidInput(
                format!("gemini cannot be given the rule '{rule}': rules have no commas").into(),
            ));
        }
        let mode = options.permission_mode.as_deref().map(mode).transpose()?;
        // Where everything is allowed nothing needs a yes. What a mode forbids by itself stays forbidden.
        let mode = match mode {
            Some("plan") => "plan",
            _ if permissions.allow_all => "yolo",
            mode => mode.unwrap_or("default"),
        };
        Ok(Self { mode, allowed: permissions.allowed.clone() })
    }
}

/// The approval mode that a word means, its own or that of another agent.
fn mode(word: &str) -> Result<&'static str> {
    match word {
        "default" => Ok("default"),
        // It has another name by ACP.
        "auto_edit" | "autoEdit" | "acceptEdits" => Ok("auto_edit"),
        "yolo" | "bypassPermissions" => Ok("yolo"),
        "plan" => Ok("plan"),
        _ => Err(Error::InvalidInput(
            format!("gemini has no permission mode '{word}'; it has default, auto_edit, plan, yolo").into(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::PermissionPolicy;

    fn options(mode: Option<&str>, allow_all: bool) -> AgentOptions {
        AgentOptions {
            permission_mode: mode.map(ToOwned::to_owned),
            permissions: PermissionPolicy { allow_all, ..PermissionPolicy::default() },
            ..AgentOptions::default()
        }
    }

    #[test]
    fn a_yes_to_everything_is_no_more_than_that() {
        for (mode, allow_all, expected) in [
            (None, false, "default"),
            (None, true, "yolo"),
            (Some("default"), true, "yolo"),
            (Some("acceptEdits"), false, "auto_edit"),
            (Some("auto_edit"), true, "yolo"),
            (Some("yolo"), false, "yolo"),
            (Some("plan"), false, "plan"),
            (Some("plan"), true, "plan"),
        ] {
            let policy = Policy::of(&options(mode, allow_all)).unwrap();
            assert_eq!(policy.mode, expected, "{mode:?} {allow_all}");
        }
    }

    #[test]
    fn what_cannot_be_kept_is_an_error() {
        let message = |options: &AgentOptions| Policy::of(options).unwrap_err().to_string();
        assert!(message(&options(Some("never"), false)).starts_with("gemini has no permission mode 'never'"));
        let mut denied = options(None, false);
        denied.permissions.denied = vec!["write_file".into()];
        assert!(message(&denied).starts_with("gemini cannot be denied 'write_file' by stream-json"));
        let mut torn = options(None, false);
        torn.permissions.allowed = vec!["run_shell_command(echo a,run_shell_command)".into()];
        assert!(message(&torn).contains("rules have no commas"));
    }
}
