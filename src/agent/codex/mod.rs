//! Codex, by its `app-server` (JSON-RPC over stdio, observed on 0.169.0), or else by `exec --json`.
//!
//! The process is held open over the turns of a session. `initialize`, `initialized` and `thread/start` (or
//! `thread/resume`) are sent at once; the prompt follows when codex has named the thread, as `turn/start`. Messages,
//! thoughts and tools are *items* that start, come in deltas, and complete; both protocols have them (`items`, `tool`).
//!
//! Its traps, and what is done about them:
//!
//! - A text comes as deltas and whole when its item completes: what was streamed is taken off the whole.
//! - When a stream breaks, codex begins the message again under another id: the status `abandoned` tells that the text
//!   of the message under way is void. `error` is not the end of a turn, only `turn/completed` is.
//! - Token counts are totals of a thread, repeated on an interrupt, and first of all when a thread is resumed:
//!   differences are reported. What comes out of the cache or goes into it is counted as input, too: it is taken off.
//! - Subagents have threads of their own, whose notifications come in between and whose turns end, too, even after ours:
//!   they are told apart by the thread, and marked with the tool use that started them.
//! - Codex may begin a turn by itself; a prompt then steers it and no other begins. A turn is ours by its id.
//! - A turn can be interrupted when it has begun, which is later than it was accepted. An interrupted command is never
//!   completed.
//! - A question about a change of files does not say which; its item did. Questions are numbered from 0 in every
//!   process. `decline` goes on with the turn, `cancel` would end it. No reason can be given, nor another input.
//! - Tools of MCP servers are asked about as forms (`mcpServer/elicitation/request`); other forms are declined, and every
//!   other request is answered with an error, or codex would wait for ever.
//! - Commands come wrapped in a shell, which is taken off.
//! - The final error may be `other` where the attempts before it had a word for what is wrong.
//! - A codex without `app-server` takes the word for a prompt, finds no terminal, and exits with 1: `exec` is tried.
//! - `exec` waits for the end of stdin, has no deltas, asks nothing, and counts usage over the thread, too.

mod app_server;
mod exec;
mod failure;
mod items;
mod launch;
mod models;
mod notices;
mod policy;
mod questions;
mod requests;
mod tool;
mod turn;
mod usage;
mod wire;

pub(super) use launch::Codex;
