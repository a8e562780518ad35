//! Agents: the only place that knows what a particular agent speaks.
//!
//! An [`Agent`] says as plain data how it is started and makes a [`Dialect`] for each process. A dialect is a state
//! machine without I/O: it turns lines into chunks and signals, and intentions (a prompt, an interrupt, an answer)
//! into bytes for the agent's stdin. Which agents there are, and which of them speaks what, is data: the [`registry`].

mod acp;
#[expect(clippy::module_inception, reason = "a file is named after its main type")]
mod agent;
mod claude;
mod codex;
mod context;
mod demo;
mod gemini;
mod image;
mod json;
mod lenient;
mod line;
mod opencode;
mod permission;
pub mod registry;
mod todo_list;

pub use agent::{Agent, AgentOptions, Dialect, ModelQuery, OfferedModel, Signal, Sink, TurnEnd};
pub use demo::{DemoScript, run_demo};
pub use image::{IMAGE_LIMIT, IMAGES_LIMIT, Image, ImageInfo, ImageSource, MOST_IMAGES, read_images};
pub use permission::{Decision, PermissionPolicy, PermissionRequest};
pub use registry::{agent_named, known_agents};
