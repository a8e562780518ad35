//! Codex.

mod app_server;
mod exec;
mod failure;
mod items;
mod launch;
mod policy;
mod tool;
mod usage;
mod wire;

pub(super) use launch::Codex;
