//! The registry of agents across the border.

use std::path::{Path, PathBuf};

use locus_exec::Error;
use locus_exec::agent::registry::{Consents, Listed, ProjectFile, Registry, config_folder};
use napi_derive::napi;
use serde::Serialize;

use crate::convert::to_napi;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Agents {
    agents: Vec<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_file: Option<File>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File {
    path: PathBuf,
    text: String,
    allowed: bool,
    /// The text that was allowed before, where it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_before: Option<String>,
}

/// The agents of a project and its file of agents, where there is one, as JSON.
#[napi]
pub fn agents(project_path: String, trust_project: bool) -> napi::Result<String> {
    let list = || {
        let config = config_folder();
        let registry = Registry::of_project(Path::new(&project_path), config.as_deref(), trust_project)?;
        let file = registry.project_file().map(|ProjectFile { path, text, allowed }| {
            let before = Consents::new(config.as_deref()).allowed(path)?;
            let allowed_before = before.filter(|before| before != text);
            let (path, text) = (path.clone(), text.clone());
            Ok(File { path, text, allowed: *allowed, allowed_before })
        });
        let agents = Agents { agents: registry.list()?, project_file: file.transpose()? };
        serde_json::to_string(&agents).map_err(|error| Error::Internal(error.to_string().into()))
    };
    list().map_err(to_napi)
}

/// Allows the file of agents at `path` with this text, and no other.
#[napi]
pub fn allow_agents(path: String, text: String) -> napi::Result<()> {
    Consents::new(config_folder().as_deref()).allow(Path::new(&path), &text).map_err(to_napi)
}

/// Takes back that the file of agents at `path` is allowed; whether it was, with whatever text.
#[napi]
pub fn revoke_agents(path: String) -> napi::Result<bool> {
    Consents::new(config_folder().as_deref()).revoke(Path::new(&path)).map_err(to_napi)
}
