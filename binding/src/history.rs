//! The stored sessions across the border: what has a shape crosses as JSON, what takes time runs on a blocking thread.

use std::path::Path;
use std::sync::Arc;

use locus_exec::Error;
use locus_exec::history::{ListFilter, PrunePolicy, Redactor, Store};
use napi_derive::napi;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::convert::{to_napi, variables};

/// Where the history is.
#[napi(object)]
pub struct NativeHistoryOptions {
    /// The project whose history it is.
    pub project_path: String,
    /// The folder of the files, where it is not `.locus/exec-history`; relative to the project.
    pub history_dir: Option<String>,
}

/// The stored sessions of a project.
#[napi]
pub struct NativeHistory {
    store: Arc<Store>,
}

#[napi]
impl NativeHistory {
    /// Touches nothing.
    #[napi(constructor)]
    pub fn new(options: NativeHistoryOptions) -> Self {
        let folder = options.history_dir.as_deref().map(Path::new);
        let redactor = Redactor::from_env(variables());
        let store = Store::of_project(Path::new(&options.project_path), folder, redactor);
        Self { store: Arc::new(store) }
    }

    /// The sessions at a glance, newest first, as JSON; `filter` is JSON.
    #[napi]
    pub async fn list(&self, filter: String) -> napi::Result<String> {
        self.blocking(move |store| {
            let filter: ListFilter = parsed("filter", &filter)?;
            json(&store.list(&filter)?)
        })
        .await
    }

    /// Messages in which all words occur, as JSON.
    #[napi]
    pub async fn search(&self, query: String, limit: u32) -> napi::Result<String> {
        self.blocking(move |store| json(&store.search(&query, limit as usize)?)).await
    }

    /// The ids that begin with `prefix`, newest first; one that is exactly that comes alone.
    #[napi]
    pub async fn find(&self, prefix: String) -> napi::Result<Vec<String>> {
        self.blocking(move |store| store.find(&prefix)).await
    }

    /// A whole session as JSON.
    #[napi]
    pub async fn read(&self, id: String) -> napi::Result<String> {
        self.blocking(move |store| json(&store.read(&id)?)).await
    }

    /// Gives a session a title; an empty one takes it away.
    #[napi]
    pub async fn rename(&self, id: String, title: String) -> napi::Result<()> {
        self.blocking(move |store| store.rename(&id, &title)).await
    }

    /// Saves what is known of the session's artifacts and tasks, a JSON object.
    #[napi]
    pub async fn set_context(&self, id: String, context: String) -> napi::Result<()> {
        self.blocking(move |store| store.set_context(&id, &context)).await
    }

    /// Copies a session, or its first turns, into a new one; its id.
    #[napi]
    pub async fn fork(&self, id: String, turns: Option<u32>) -> napi::Result<String> {
        self.blocking(move |store| store.fork(&id, turns.map(u64::from))).await
    }

    /// Takes in a session from a text in any format that is known; its id.
    #[napi]
    pub async fn import_text(&self, text: String) -> napi::Result<String> {
        self.blocking(move |store| store.import(&text)).await
    }

    /// The text of a session's file.
    #[napi]
    pub async fn export_jsonl(&self, id: String) -> napi::Result<String> {
        self.blocking(move |store| store.export(&id)).await
    }

    /// Removes a session; whether there was one.
    #[napi]
    pub async fn remove(&self, id: String) -> napi::Result<bool> {
        self.blocking(move |store| store.remove(&id)).await
    }

    /// Removes all sessions that are not open; how many.
    #[napi]
    pub async fn clear(&self) -> napi::Result<u32> {
        self.blocking(|store| Ok(u32::try_from(store.clear()?).unwrap_or(u32::MAX))).await
    }

    /// Removes and compresses what the policy (JSON) says; what was done, as JSON.
    #[napi]
    pub async fn prune(&self, policy: String) -> napi::Result<String> {
        self.blocking(move |store| {
            let policy: PrunePolicy = parsed("policy", &policy)?;
            json(&store.prune(&policy)?)
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> locus_exec::Result<T> + Send + 'static,
    ) -> napi::Result<T> {
        let store = Arc::clone(&self.store);
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        done.map_err(|panic| to_napi(Error::Internal(panic.to_string().into())))?.map_err(to_napi)
    }
}

pub(crate) fn parsed<T: DeserializeOwned>(what: &str, json: &str) -> locus_exec::Result<T> {
    serde_json::from_str(json)
        .map_err(|error| Error::InvalidInput(format!("the {what} cannot be used: {error}").into()))
}

pub(crate) fn json(value: &impl Serialize) -> locus_exec::Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Internal(error.to_string().into()))
}
