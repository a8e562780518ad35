//! How codex is started.

use super::app_server::AppServer;
use crate::agent::{Agent, AgentOptions, Dialect};
use crate::error::Result;
use crate::process::CommandSpec;

/// Tools that only look.
const READ_ONLY_TOOLS: &[&str] = &["web_search", "view_image", "todo_list", "sleep"];

/// Codex, held open as `codex app-server`.
#[derive(Debug)]
pub(in crate::agent) struct Codex;

impl Agent for Codex {
    fn name(&self) -> &'static str {
        "codex"
    }

    fn install_hint(&self) -> &'static str {
        "install codex with `npm install -g @openai/codex`, or name its executable with the option `executable`"
    }

    fn command(&self, options: &AgentOptions) -> CommandSpec {
        let args = ["app-server".into()].into_iter().chain(options.extra_args.iter().cloned());
        CommandSpec {
            program: options.executable.clone().unwrap_or_else(|| "codex".into()),
            args: args.collect(),
            env: options.env.clone(),
            cwd: options.cwd.clone(),
        }
        .wrapped(&options.wrapper)
    }

    fn is_read_only(&self, tool: &str) -> bool {
        READ_ONLY_TOOLS.contains(&tool)
    }

    fn dialect(&self, options: &AgentOptions) -> Result<Box<dyn Dialect>> {
        Ok(Box::new(AppServer::new(options)?))
    }
}
