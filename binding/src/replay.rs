//! A transcript across the border.

use locus_exec::agent::agent_named;
use locus_exec::run::Replay;
use napi::bindgen_prelude::{Uint8ArraySlice, Uint32ArraySlice};
use napi::{Env, JsString};
use napi_derive::napi;

use crate::batch::hand_over;
use crate::convert::to_napi;

/// What an agent printed once, as the events of a live run.
#[napi]
pub struct NativeReplay {
    replay: Replay,
}

#[napi]
impl NativeReplay {
    /// Plays a copy of `transcript`, the stdout of an agent of this provider.
    #[napi(constructor)]
    pub fn new(provider: String, transcript: Uint8ArraySlice<'_>) -> napi::Result<Self> {
        let agent = agent_named(&provider).map_err(to_napi)?;
        Ok(Self { replay: Replay::new(agent, transcript.to_vec()).map_err(to_napi)? })
    }

    /// Takes the next batch, as `NativeSession.drain` does; `null` when it is over.
    #[napi]
    pub fn drain<'env>(
        &mut self,
        env: &'env Env,
        words: Uint32ArraySlice<'_>,
    ) -> napi::Result<Option<JsString<'env>>> {
        self.replay.next_batch().map(|batch| hand_over(env, batch, words)).transpose()
    }
}
