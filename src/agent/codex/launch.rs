//! How codex is started.

use std::ffi::OsString;
use std::sync::Arc;

use super::app_server::AppServer;
use super::exec::CodexExec;
use super::models;
use crate::agent::{Agent, AgentOptions, Dialect, ModelQuery};
use crate::error::Result;
use crate::process::CommandSpec;

/// Tools that only look.
pub(super) const READ_ONLY_TOOLS: &[&str] = &["web_search", "view_image", "todo_list", "sleep"];

/// Codex, held open as `codex app-server`.
#[derive(Debug)]
pub(in crate::agent) struct Codex;

impl Agent for Codex {
    fn name(&self) -> &'static str {
        "codex"
    }

    fn command(&self, options: &AgentOptions) -> Result<CommandSpec> {
        let args = ["app-server".into()].into_iter().chain(options.extra_args.iter().cloned());
        Ok(codex(options, args.collect()))
    }

    // What does not know `app-server` takes it for a prompt, and has no terminal to ask about it.
    fn fallback(&self) -> Option<Arc<dyn Agent>> {
        Some(Arc::new(CodexExec))
    }

    fn takes_images(&self) -> bool {
        true
    }

    fn is_read_only(&self, tool: &str) -> bool {
        READ_ONLY_TOOLS.contains(&tool)
    }

    fn model_query(&self) -> Option<ModelQuery> {
        Some(models::query())
    }

    fn dialect(&self, options: &AgentOptions) -> Result<Box<dyn Dialect>> {
        Ok(Box::new(AppServer::new(options)?))
    }
}

/// Codex with these arguments.
pub(super) fn codex(options: &AgentOptions, args: Vec<OsString>) -> CommandSpec {
    CommandSpec {
        program: options.executable.clone().unwrap_or_else(|| "codex".into()),
        args,
        env: options.env.clone(),
        cwd: options.cwd.clone(),
    }
    .wrapped(&options.wrapper)
}
