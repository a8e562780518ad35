//! How agents that speak ACP are started.

use std::ffi::OsString;

use super::dialect::AcpDialect;
use crate::agent::{Agent, AgentOptions, Dialect};
use crate::error::{Error, Result};
use crate::process::CommandSpec;

/// Kinds of tools that only look.
const READ_ONLY_KINDS: &[&str] = &["read", "search", "fetch", "think", "todo_list"];

/// Any agent that speaks ACP: the one that the registry names as the executable, or else the command that the user gives.
#[derive(Debug)]
pub(in crate::agent) struct Acp;

/// The words of a command, as a shell would split them.
fn words_of(command: &str) -> Result<Vec<OsString>> {
    let invalid = |what: &str| {
        Error::InvalidInput(format!("the option `agentCommand` (--agent-command) {what}: {command}").into())
    };
    match shlex::split(command) {
        Some(words) if !words.is_empty() => Ok(words.into_iter().map(Into::into).collect()),
        Some(_) => Err(invalid("is empty")),
        None => Err(invalid("has a quote that does not end")),
    }
}

impl Agent for Acp {
    fn name(&self) -> &'static str {
        "acp"
    }

    fn command(&self, options: &AgentOptions) -> Result<CommandSpec> {
        let words = match &options.agent_command {
            Some(command) => words_of(command)?,
            None => options.executable.iter().cloned().collect(),
        };
        let mut words = words.into_iter();
        let program = words.next().ok_or_else(|| {
            Error::InvalidInput(
                "the agent 'acp' is any that speaks ACP: say which with the option `agentCommand` (--agent-command)"
                    .into(),
            )
        })?;
        Ok(CommandSpec {
            program: options.executable.clone().unwrap_or(program),
            args: words.chain(options.extra_args.iter().cloned()).collect(),
            env: options.env.clone(),
            cwd: options.cwd.clone(),
        }
        .wrapped(&options.wrapper))
    }

    // Whether the one that is meant does, it says itself.
    fn takes_images(&self) -> bool {
        true
    }

    fn is_read_only(&self, tool: &str) -> bool {
        READ_ONLY_KINDS.contains(&tool)
    }

    fn dialect(&self, options: &AgentOptions) -> Result<Box<dyn Dialect>> {
        Ok(Box::new(AcpDialect::new(options)))
    }
}
