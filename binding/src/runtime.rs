//! The runtime of the engine.

use napi::bindgen_prelude::create_custom_tokio_runtime;
use tokio::runtime::Builder;

/// One thread reads for all sessions: it reads five times as fast as JavaScript takes, and what waits for a disk or for
/// another thread has threads of its own. With more of them each line that comes alone would wake two: the one that waits for the
/// pipes wakes another one to wait in its place before it reads.
const READING_THREADS: usize = 1;

#[napi_derive::module_init]
fn init() {
    let built = Builder::new_multi_thread().worker_threads(READING_THREADS).enable_all().build();
    // Without it there is the default one of napi, which says why no thread can be started.
    if let Ok(runtime) = built {
        create_custom_tokio_runtime(runtime);
    }
}
