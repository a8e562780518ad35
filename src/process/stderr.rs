//! The last of what a process wrote to stderr.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::ChildStderr;
use tokio::task::JoinHandle;

/// How much of stderr is kept.
const TAIL_BYTES: usize = 16 * 1024;

/// How long to wait for the rest of stderr after the process has ended; a grandchild may hold it open.
const DRAIN_AFTER_EXIT: Duration = Duration::from_millis(250);

/// Drains stderr for as long as the process has it open and keeps its tail.
#[derive(Debug)]
pub(super) struct StderrTail {
    bytes: Arc<Mutex<VecDeque<u8>>>,
    drain: JoinHandle<()>,
}

impl StderrTail {
    pub(super) fn drain(mut stderr: ChildStderr) -> Self {
        let bytes = Arc::new(Mutex::new(VecDeque::with_capacity(1024)));
        let tail = Arc::clone(&bytes);
        let drain = tokio::spawn(async move {
            let mut buffer = vec![0; 8 * 1024];
            // A read error on a pipe means that nothing more will come, the same as its end.
            while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
                let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
                tail.extend(&buffer[..count]);
                let excess = tail.len().saturating_sub(TAIL_BYTES);
                tail.drain(..excess);
            }
        });
        Self { bytes, drain }
    }

    /// The tail as text, once the process has ended: waits a moment for what is still in the pipe.
    pub(super) async fn finish(&mut self) -> String {
        let _ = tokio::time::timeout(DRAIN_AFTER_EXIT, &mut self.drain).await;
        let mut tail = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(tail.make_contiguous()).trim().to_owned()
    }
}

impl Drop for StderrTail {
    fn drop(&mut self) {
        self.drain.abort();
    }
}
