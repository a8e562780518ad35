//! How Gemini CLI is started for a turn.

use std::ffi::OsString;

use super::dialect::GeminiDialect;
use super::policy::Policy;
use crate::agent::{Agent, AgentOptions, Dialect};
use crate::error::Result;
use crate::process::CommandSpec;

/// Tools that only look.
const READ_ONLY_TOOLS: &[&str] = &[
    "read_file",
    "read_many_files",
    "list_directory",
    "glob",
    "grep_search",
    "search_file_content",
    "google_web_search",
    "web_fetch",
    "todo_list",
];

/// Gemini CLI, a process for every turn.
#[derive(Debug)]
pub(in crate::agent) struct Gemini;

impl Agent for Gemini {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn command(&self, options: &AgentOptions) -> Result<CommandSpec> {
        let Policy { mode, allowed } = Policy::of(options)?;
        let mut args: Vec<OsString> = vec!["--output-format=stream-json".into()];
        args.push(format!("--approval-mode={mode}").into());
        args.extend(allowed.iter().map(|rule| format!("--allowed-tools={rule}").into()));
        let values = [("model", &options.model), ("resume", &options.resume)];
        let values = values.into_iter().filter_map(|(flag, value)| Some((flag, value.as_ref()?)));
        args.extend(values.map(|(flag, value)| format!("--{flag}={value}").into()));
        args.extend(options.extra_args.iter().cloned());
        let command = CommandSpec {
            program: options.executable.clone().unwrap_or_else(|| "gemini".into()),
            args,
            env: options.env.clone(),
            cwd: options.cwd.clone(),
        };
        Ok(command.wrapped(&options.wrapper))
    }

    fn is_held_open(&self) -> bool {
        false
    }

    fn images_hint(&self) -> &'static str {
        "spoken to by ACP (`--provider gemini`) it does"
    }

    fn is_read_only(&self, tool: &str) -> bool {
        READ_ONLY_TOOLS.contains(&tool)
    }

    fn dialect(&self, options: &AgentOptions) -> Result<Box<dyn Dialect>> {
        Ok(Box::new(GeminiDialect::new(options)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::PermissionPolicy;

    #[test]
    fn what_is_asked_for_becomes_arguments() {
        let options = AgentOptions {
            model: Some("m".into()),
            resume: Some("c".into()),
            extra_args: vec!["--skip-trust".into()],
            permissions: PermissionPolicy { allowed: vec!["glob".into()], ..PermissionPolicy::default() },
            ..AgentOptions::default()
        };
        let command = Gemini.command(&options).unwrap();
        let args: Vec<_> = command.args.iter().map(|arg| arg.to_string_lossy()).collect();
        assert_eq!(
            args.join(" "),
            "--output-format=stream-json --approval-mode=default --allowed-tools=glob --model=m --resume=c --skip-trust"
        );
    }
}
