//! How agents that speak ACP are started.

use std::ffi::OsString;

use super::dialect::Acp;
use crate::agent::{Agent, AgentOptions, Dialect};
use crate::error::{Error, Result};
use crate::process::CommandSpec;

/// Kinds of tools that only look.
const READ_ONLY_KINDS: &[&str] = &["read", "search", "fetch", "think", "todo_list"];

/// An agent that speaks ACP.
#[derive(Debug)]
pub(in crate::agent) struct AcpAgent {
    name: &'static str,
    /// How it is started; nothing where the user says that.
    command: &'static [&'static str],
    install_hint: &'static str,
    /// The same agent in an older version.
    older: Option<&'static AcpAgent>,
}

/// Any agent, by the command that the user gives.
pub(in crate::agent) static ACP: AcpAgent = AcpAgent {
    name: "acp",
    command: &[],
    install_hint: "install the agent that the option `agentCommand` (--agent-command) names, or correct its command",
    older: None,
};

static PRESETS: &[AcpAgent] = &[
    AcpAgent {
        name: "gemini",
        command: &["gemini", "--acp"],
        install_hint: "install Gemini CLI with `npm install -g @google/gemini-cli`, or name its executable with the \
                       option `executable`",
        older: Some(&AcpAgent {
            name: "gemini",
            command: &["gemini", "--experimental-acp"],
            install_hint: "install Gemini CLI with `npm install -g @google/gemini-cli`",
            older: None,
        }),
    },
    AcpAgent {
        name: "opencode",
        command: &["opencode", "acp"],
        install_hint: "install opencode with `npm install -g opencode-ai`, or name its executable with the option \
                       `executable`",
        older: None,
    },
    AcpAgent {
        name: "goose",
        command: &["goose", "acp"],
        install_hint: "install goose (https://block.github.io/goose), or name its executable with the option \
                       `executable`",
        older: None,
    },
    AcpAgent {
        name: "qwen",
        command: &["qwen", "--acp"],
        install_hint: "install Qwen Code with `npm install -g @qwen-code/qwen-code`, or name its executable with the \
                       option `executable`",
        older: Some(&AcpAgent {
            name: "qwen",
            command: &["qwen", "--experimental-acp"],
            install_hint: "install Qwen Code with `npm install -g @qwen-code/qwen-code`",
            older: None,
        }),
    },
];

/// The agent that is known by this name.
pub(in crate::agent) fn preset(name: &str) -> Option<&'static AcpAgent> {
    PRESETS.iter().find(|agent| agent.name == name)
}

impl AcpAgent {
    /// Its program and arguments.
    fn argv(&self, options: &AgentOptions) -> Result<Vec<OsString>> {
        match (&options.agent_command, &options.executable) {
            (Some(_), _) if !self.command.is_empty() => Err(invalid(format!(
                "the agent '{}' has a command of its own; the option `agentCommand` (--agent-command) is for the agent 'acp'",
                self.name
            ))),
            (Some(command), _) => match shlex::split(command) {
                Some(argv) if !argv.is_empty() => Ok(argv.into_iter().map(Into::into).collect()),
                Some(_) => Err(invalid("the option `agentCommand` (--agent-command) is empty".to_owned())),
                None => Err(invalid(format!(
                    "the option `agentCommand` (--agent-command) has a quote that does not end: {command}"
                ))),
            },
            (None, Some(executable)) if self.command.is_empty() => Ok(vec![executable.clone()]),
            (None, None) if self.command.is_empty() => Err(invalid(format!(
                "the agent '{}' is any that speaks ACP: say which with the option `agentCommand` (--agent-command)",
                self.name
            ))),
            (None, _) => Ok(self.command.iter().map(OsString::from).collect()),
        }
    }
}

fn invalid(message: String) -> Error {
    Error::InvalidInput(message.into())
}

impl Agent for AcpAgent {
    fn name(&self) -> &'static str {
        self.name
    }

    fn install_hint(&self) -> &'static str {
        self.install_hint
    }

    fn command(&self, options: &AgentOptions) -> Result<CommandSpec> {
        let mut argv = self.argv(options)?.into_iter();
        let program = argv.next().unwrap_or_default();
        Ok(CommandSpec {
            program: options.executable.clone().unwrap_or(program),
            args: argv.chain(options.extra_args.iter().cloned()).collect(),
            env: options.env.clone(),
            cwd: options.cwd.clone(),
        }
        .wrapped(&options.wrapper))
    }

    fn fallback(&self) -> Option<&'static dyn Agent> {
        self.older.map(|older| older as &dyn Agent)
    }

    fn is_read_only(&self, tool: &str) -> bool {
        READ_ONLY_KINDS.contains(&tool)
    }

    fn dialect(&self, options: &AgentOptions) -> Result<Box<dyn Dialect>> {
        Ok(Box::new(Acp::new(self.name, options)))
    }
}
