//! How opencode is started.

use std::ffi::OsString;

use super::permissions::{Permissions, VARIABLE};
use super::run::Run;
use crate::agent::{Agent, AgentOptions, Dialect};
use crate::error::Result;
use crate::process::CommandSpec;

/// Tools that only look.
const READ_ONLY_TOOLS: &[&str] =
    &["codesearch", "glob", "grep", "list", "lsp", "read", "skill", "todo_list", "webfetch", "websearch"];

/// opencode, a process for every turn.
#[derive(Debug)]
pub(in crate::agent) struct Opencode;

impl Agent for Opencode {
    fn name(&self) -> &'static str {
        "opencode"
    }

    fn command(&self, options: &AgentOptions) -> Result<CommandSpec> {
        let permissions = Permissions::of(options)?;
        // An empty title is made of the prompt.
        let mut args: Vec<OsString> =
            ["run", "--format=json", "--thinking", "--title="].map(Into::into).into();
        if permissions.says_yes {
            args.push("--auto".into());
        }
        if let Some(agent) = permissions.agent {
            args.push(format!("--agent={agent}").into());
        }
        if let Some(model) = &options.model {
            args.push(format!("--model={model}").into());
        }
        if let Some(session) = &options.resume {
            args.push(format!("--session={session}").into());
        }
        args.extend(options.extra_args.iter().cloned());
        let mut env = options.env.clone();
        env.push(("PWD".into(), Some(options.cwd.clone().into())));
        env.extend(permissions.rules().map(|rules| (VARIABLE.into(), Some(rules.into()))));
        Ok(CommandSpec {
            program: options.executable.clone().unwrap_or_else(|| "opencode".into()),
            args,
            env,
            cwd: options.cwd.clone(),
        }
        .wrapped(&options.wrapper))
    }

    fn is_held_open(&self) -> bool {
        false
    }

    fn is_read_only(&self, tool: &str) -> bool {
        READ_ONLY_TOOLS.contains(&tool)
    }

    fn dialect(&self, options: &AgentOptions) -> Result<Box<dyn Dialect>> {
        Ok(Box::new(Run::new(options)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::PermissionPolicy;

    fn command(options: &AgentOptions) -> CommandSpec {
        Opencode.command(options).unwrap()
    }

    fn arguments(options: &AgentOptions) -> String {
        let args = command(options).args;
        args.iter().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn options_become_arguments() {
        assert_eq!(arguments(&AgentOptions::default()), "run --format=json --thinking --title=");
        let options = AgentOptions {
            model: Some("p/m".into()),
            resume: Some("ses_1".into()),
            permission_mode: Some("plan".into()),
            permissions: PermissionPolicy { allow_all: true, ..PermissionPolicy::default() },
            extra_args: vec!["--variant=high".into()],
            ..AgentOptions::default()
        };
        assert_eq!(
            arguments(&options),
            "run --format=json --thinking --title= --auto --agent=plan --model=p/m --session=ses_1 --variant=high"
        );
    }

    #[test]
    fn the_rules_and_the_folder_are_stronger_than_the_environment_that_is_asked_for() {
        let theirs = |name: &str| (OsString::from(name), Some(OsString::from("theirs")));
        let options = AgentOptions {
            cwd: "/project".into(),
            env: vec![theirs("PWD"), theirs(VARIABLE)],
            ..AgentOptions::default()
        };
        let env = command(&options).env;
        let last = |name: &str| env.iter().rfind(|(known, _)| known == name).unwrap().1.clone().unwrap();
        assert_eq!(last("PWD"), "/project");
        assert!(last(VARIABLE).to_string_lossy().contains("ask"));
    }
}
