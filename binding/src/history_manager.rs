//! The stored sessions for programs that want them at once: the same store, on the thread of the caller. What is done here
//! takes as long as the disk takes; nothing waits for a network or an agent.

use std::path::Path;

use locus_exec::Error;
use locus_exec::history::{ListFilter, PrunePolicy, Redactor, Snapshot, SnapshotForm, Store};
use napi_derive::napi;

use crate::convert::{to_napi, variables};
use crate::history::{NativeHistoryOptions, json, parsed};

/// The stored sessions of a project, synchronously.
#[napi]
pub struct NativeHistoryManager {
    store: Store,
}

#[napi]
impl NativeHistoryManager {
    /// Touches nothing.
    #[napi(constructor)]
    pub fn new(options: NativeHistoryOptions) -> Self {
        let folder = options.history_dir.as_deref().map(Path::new);
        let redactor = Redactor::from_env(variables());
        Self { store: Store::of_project(Path::new(&options.project_path), folder, redactor) }
    }

    /// The sessions at a glance, newest first, as JSON; `filter` is JSON.
    #[napi]
    pub fn list(&self, filter: String) -> napi::Result<String> {
        let list = || json(&self.store.list(&parsed::<ListFilter>("filter", &filter)?)?);
        list().map_err(to_napi)
    }

    /// A whole session as one object, as JSON; null where there is none.
    #[napi]
    pub fn load(&self, id: String) -> napi::Result<Option<String>> {
        let load = || self.store.snapshot(&id)?.map(|snapshot| json(&snapshot)).transpose();
        load().map_err(to_napi)
    }

    /// Writes down what the stored session has not; `session` is JSON. As JSON Lines, or as the JSON of Locus 0.14.x.
    #[napi]
    pub fn save(&self, session: String, as_json: bool) -> napi::Result<()> {
        let form = if as_json { SnapshotForm::Json } else { SnapshotForm::Records };
        let save = || self.store.save_snapshot(&parsed::<Snapshot>("session", &session)?, form);
        save().map_err(to_napi)
    }

    /// The ids that begin with `prefix`, newest first; one that is exactly that comes alone.
    #[napi]
    pub fn find(&self, prefix: String) -> napi::Result<Vec<String>> {
        self.store.find(&prefix).map_err(to_napi)
    }

    /// Removes a session; whether there was one.
    #[napi]
    pub fn remove(&self, id: String) -> napi::Result<bool> {
        self.store.remove(&id).map_err(to_napi)
    }

    /// Removes all sessions that are not open; how many.
    #[napi]
    pub fn clear(&self) -> napi::Result<u32> {
        let clear = || -> Result<_, Error> { Ok(u32::try_from(self.store.clear()?).unwrap_or(u32::MAX)) };
        clear().map_err(to_napi)
    }

    /// Removes and compresses what the policy (JSON) says; what was done, as JSON.
    #[napi]
    pub fn prune(&self, policy: String) -> napi::Result<String> {
        let prune = || json(&self.store.prune(&parsed::<PrunePolicy>("policy", &policy)?)?);
        prune().map_err(to_napi)
    }
}
