//! The bounded queue between the run and the one consumer at the border.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::batch::Batch;

/// The run stops reading from the agent while this much waits to be consumed.
const CAPACITY_BYTES: usize = 1024 * 1024;

/// Holds batches until the consumer takes them, and wakes it only when it waits.
///
/// The producer adds without waiting and is asked to pause while [`EventQueue::is_full`]; so the bound may be exceeded
/// by what one read brings. The consumer takes without waiting; when it finds nothing, the next addition calls
/// `wake` once.
pub struct EventQueue {
    state: Mutex<State>,
    room: Notify,
    wake: Box<dyn Fn() + Send + Sync>,
}

#[derive(Debug, Default)]
struct State {
    batches: VecDeque<Batch>,
    bytes: usize,
    consumer_waits: bool,
}

impl EventQueue {
    /// An empty queue whose consumer is woken by `wake`.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        let state = State { consumer_waits: true, ..State::default() };
        Self { state: Mutex::new(state), room: Notify::new(), wake: Box::new(wake) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while the lock was held cannot have left the state half changed: see the few lines that hold it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds batches in order and wakes the consumer if it waits.
    pub(crate) fn push(&self, batches: impl Iterator<Item = Batch>) {
        let mut state = self.state();
        for batch in batches {
            state.bytes += batch.size();
            match state.batches.back_mut() {
                Some(last) => {
                    if let Err(batch) = last.append(batch) {
                        state.batches.push_back(batch);
                    }
                }
                None => state.batches.push_back(batch),
            }
        }
        let wake = !state.batches.is_empty() && std::mem::take(&mut state.consumer_waits);
        drop(state);
        if wake {
            (self.wake)();
        }
    }

    /// Takes the next batch; `None` makes the next addition call `wake`.
    pub fn take(&self) -> Option<Batch> {
        let mut state = self.state();
        let was_full = state.bytes >= CAPACITY_BYTES;
        let batch = state.batches.pop_front();
        match &batch {
            Some(batch) => state.bytes -= batch.size(),
            None => state.consumer_waits = true,
        }
        if was_full && state.bytes < CAPACITY_BYTES {
            self.room.notify_one();
        }
        batch
    }

    /// Whether the producer is to pause.
    pub(crate) fn is_full(&self) -> bool {
        self.state().bytes >= CAPACITY_BYTES
    }

    /// Waits until there may be room. Cancel safe.
    pub(crate) async fn room(&self) {
        self.room.notified().await;
    }
}

impl fmt::Debug for EventQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventQueue").field("state", &self.state()).finish_non_exhaustive()
    }
}
