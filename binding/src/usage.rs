//! What turns used, across the border.

use std::path::Path;

use locus_exec::Error;
use locus_exec::usage::Ledger;
use napi_derive::napi;

use crate::convert::to_napi;
use crate::history::NativeHistoryOptions;

/// What the turns of a project used.
#[napi]
pub struct NativeLedger {
    ledger: Ledger,
}

#[napi]
impl NativeLedger {
    /// Touches nothing.
    #[napi(constructor)]
    pub fn new(options: NativeHistoryOptions) -> Self {
        let history = options.history_dir.as_deref().map(Path::new);
        Self { ledger: Ledger::of_project(Path::new(&options.project_path), history) }
    }

    /// The turns that ended at `since` (milliseconds since the epoch) or later, as JSON.
    #[napi]
    pub async fn read(&self, since: f64) -> napi::Result<String> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
        let since = since as u64;
        let ledger = self.ledger.clone();
        let reading = tokio::task::spawn_blocking(move || {
            serde_json::to_string(&ledger.read(since)?)
                .map_err(|error| Error::Internal(error.to_string().into()))
        });
        reading.await.map_err(|panic| to_napi(Error::Internal(panic.to_string().into())))?.map_err(to_napi)
    }
}
