//! A transcript across the border.

use locus_exec::agent::{agent_named, known_agents};
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
    /// Plays a copy of `transcript`, the stdout of an agent of this provider, or of the one that understands it best.
    #[napi(constructor)]
    pub fn new(provider: Option<String>, transcript: Uint8ArraySlice<'_>) -> napi::Result<Self> {
        let agents = match provider {
            Some(name) => agent_named(&name).map(|agent| vec![agent]),
            None => known_agents(),
        };
        let replay = agents.and_then(|agents| Replay::new(agents, transcript.to_vec()));
        Ok(Self { replay: replay.map_err(to_napi)? })
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
