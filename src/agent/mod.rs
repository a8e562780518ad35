//! Agents: the only place that knows what a particular agent speaks.
//!
//! An [`Agent`] says as plain data how it is started and makes a [`Dialect`] for each process. A dialect is a state
//! machine without I/O: it turns lines into chunks and signals, and intentions (a prompt, an interrupt, an answer)
//! into bytes for the agent's stdin.

mod acp;
#[expect(clippy::module_inception, reason = "a file is named after its main type")]
mod agent;
mod claude;
mod codex;
mod demo;
mod json;
mod lenient;
mod line;
mod permission;
mod todo_list;

pub use agent::{Agent, AgentOptions, Dialect, Signal, Sink, TurnEnd, agent_named};
pub use demo::{DemoScript, run_demo};
pub use permission::{Decision, PermissionPolicy, PermissionRequest};
