//! How Claude Code is started.

use std::ffi::OsString;

use super::ClaudeDialect;
use crate::agent::{Agent, AgentOptions, Dialect};
use crate::error::Result;
use crate::process::{CommandSpec, EnvChange};

/// Variables by which claude would take itself for the child of another claude.
const NESTING_VARIABLES: &[&str] = &["CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT"];

/// Tools that only look.
const READ_ONLY_TOOLS: &[&str] = &[
    "Read",
    "Grep",
    "Glob",
    "LS",
    "NotebookRead",
    "WebFetch",
    "WebSearch",
    "TodoRead",
    "TodoWrite",
    "TaskList",
    "TaskGet",
    "ToolSearch",
    "BashOutput",
    "TaskOutput",
    "ListMcpResources",
    "ReadMcpResource",
];

/// Claude Code.
#[derive(Debug)]
pub(in crate::agent) struct Claude;

impl Agent for Claude {
    fn name(&self) -> &'static str {
        "claude"
    }

    fn command(&self, options: &AgentOptions) -> Result<CommandSpec> {
        let mut args: Vec<OsString> = [
            "--print",
            "--input-format",
            "stream-json",
            "--output-format",
            "stream-json",
            "--verbose",
            "--include-partial-messages",
            "--permission-prompt-tool",
            "stdio",
        ]
        .map(Into::into)
        .into();
        args.extend(common_args(options));
        // Variadic flags: each rule is given with its own flag, so that nothing behind them can be taken for one.
        for (flag, rules) in [
            ("--allowedTools", &options.permissions.allowed),
            ("--disallowedTools", &options.permissions.denied),
        ] {
            args.extend(rules.iter().map(|rule| format!("{flag}={rule}").into()));
        }
        // The first counts all turns of the process, the second each turn; claude looks at them between two model requests.
        args.extend(options.max_cost_usd.map(|dollars| format!("--max-budget-usd={dollars}").into()));
        args.extend(options.max_turns.map(|turns| format!("--max-turns={turns}").into()));
        args.extend(options.extra_args.iter().cloned());
        let unset = NESTING_VARIABLES.iter().map(|name| -> EnvChange { ((*name).into(), None) });
        let command = CommandSpec {
            program: options.executable.clone().unwrap_or_else(|| "claude".into()),
            args,
            env: unset.chain(options.env.iter().cloned()).collect(),
            cwd: options.cwd.clone(),
        };
        Ok(command.wrapped(&options.wrapper))
    }

    fn limits_turns(&self) -> bool {
        true
    }

    fn takes_images(&self) -> bool {
        true
    }

    fn is_read_only(&self, tool: &str) -> bool {
        READ_ONLY_TOOLS.contains(&tool)
    }

    fn dialect(&self, _: &AgentOptions) -> Result<Box<dyn Dialect>> {
        Ok(Box::new(ClaudeDialect::new()))
    }
}

/// The flags that all who speak this protocol share.
pub(in crate::agent) fn common_args(options: &AgentOptions) -> impl Iterator<Item = OsString> {
    [
        ("--model", &options.model),
        ("--permission-mode", &options.permission_mode),
        ("--append-system-prompt", &options.system_prompt),
        ("--resume", &options.resume),
    ]
    .into_iter()
    .filter_map(|(flag, value)| Some(format!("{flag}={}", value.as_ref()?).into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::PermissionPolicy;

    #[test]
    fn options_become_arguments() {
        let options = AgentOptions {
            cwd: "/project".into(),
            model: Some("opus".into()),
            resume: Some("abc".into()),
            wrapper: vec!["sandbox".into(), "--".into()],
            extra_args: vec!["--bare".into()],
            permissions: PermissionPolicy {
                allowed: vec!["Read".into(), "Bash(git *)".into()],
                ..PermissionPolicy::default()
            },
            ..AgentOptions::default()
        };
        let command = Claude.command(&options).unwrap();
        assert_eq!(command.program, "sandbox");
        assert_eq!(command.args[..3], ["--", "claude", "--print"]);
        assert_eq!(
            command.args[command.args.len() - 5..],
            ["--model=opus", "--resume=abc", "--allowedTools=Read", "--allowedTools=Bash(git *)", "--bare"]
        );
        assert!(command.env.contains(&("CLAUDECODE".into(), None)));
    }
}
