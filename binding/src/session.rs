//! A session across the border.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use locus_exec::Error;
use locus_exec::agent::Decision;
use locus_exec::history::State;
use locus_exec::run::Session;
use locus_exec::stream::EventQueue;
use napi::bindgen_prelude::{Buffer, Function, Uint32ArraySlice, within_runtime_if_available};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, JsString, Status};
use napi_derive::napi;
use serde_json::Value;

use crate::batch::hand_over;
use crate::convert::{NativeSessionOptions, NativeTurnOptions, agent_of, to_napi};

/// Calls JavaScript when sessions have events: one for all sessions of a thread, because a function that a session held
/// itself would keep that session's own JavaScript object, and so the session, for ever.
#[napi]
pub struct NativeWaker {
    wake: Arc<Wake>,
}

type Wake = ThreadsafeFunction<u32, (), u32, Status, false, true>;

#[napi]
impl NativeWaker {
    /// `wake` is called with the number of a session that has events again after its `drain` found none.
    #[napi(constructor)]
    pub fn new(wake: Function<'_, u32, ()>) -> napi::Result<Self> {
        let wake =
            wake.build_threadsafe_function::<u32>().callee_handled::<false>().weak::<true>().build()?;
        Ok(Self { wake: Arc::new(wake) })
    }
}

/// A conversation with one agent.
#[napi]
pub struct NativeSession {
    session: Session,
    queue: Arc<EventQueue>,
    /// The lines of the batch that was drained last.
    lines: Mutex<Vec<u8>>,
}

#[napi]
impl NativeSession {
    /// Begins a session, which `waker` calls by `number`.
    #[napi(constructor)]
    pub fn new(options: NativeSessionOptions, waker: &NativeWaker, number: u32) -> napi::Result<Self> {
        let agent = agent_of(&options)?;
        let wake = Arc::clone(&waker.wake);
        let queue = Arc::new(EventQueue::new(move || {
            // Refused only when the thread is ending, and nobody is left to be woken.
            wake.call(number, ThreadsafeFunctionCallMode::NonBlocking);
        }));
        let options = options.try_into()?;
        let session = within_runtime_if_available(|| Session::start(agent, options, Arc::clone(&queue)));
        Ok(Self { session, queue, lines: Mutex::default() })
    }

    /// Takes the next batch: returns its text and fills `words` with how many words follow, the low and high half of
    /// the first event's `seq`, and the words. `null` when there is none; then `wake` will be called.
    #[napi]
    pub fn drain<'env>(
        &self,
        env: &'env Env,
        words: Uint32ArraySlice<'_>,
    ) -> napi::Result<Option<JsString<'env>>> {
        let Some(mut batch) = self.queue.take() else { return Ok(None) };
        *self.lines() = std::mem::take(&mut batch.lines);
        hand_over(env, batch, words).map(Some)
    }

    /// The lines that events of the batch drained last became, where lines were asked for.
    #[napi]
    pub fn take_lines(&self) -> Buffer {
        std::mem::take(&mut *self.lines()).into()
    }

    fn lines(&self) -> MutexGuard<'_, Vec<u8>> {
        // Held for a swap only.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a turn; resolves when its last event can be drained. Rejects when it cannot begin.
    #[napi]
    pub async fn run_turn(&self, options: NativeTurnOptions) -> napi::Result<()> {
        self.session.run_turn(options.try_into().map_err(to_napi)?).await.map_err(to_napi)
    }

    /// Stops the turn under way; resolves when it is over.
    #[napi]
    pub async fn cancel(&self) {
        self.session.cancel().await;
    }

    /// What was said in the turn under way, or in the last one; of a very long answer its newest part.
    #[napi]
    pub fn answer(&self) -> String {
        self.session.answer()
    }

    /// Allows what a question asks, with another input (as JSON) if one is given; whether there is such a question.
    #[napi]
    pub async fn allow(&self, id: String, updated_input: Option<String>) -> napi::Result<bool> {
        self.session.respond(id, Decision::Allow { updated_input }).await.map_err(to_napi)
    }

    /// Denies what a question asks; whether there is such a question.
    #[napi]
    pub async fn deny(&self, id: String, message: String) -> napi::Result<bool> {
        self.session.respond(id, Decision::Deny { message }).await.map_err(to_napi)
    }

    /// Goes on with another agent or other options from the next turn on. Rejects in the middle of a turn.
    #[napi]
    pub async fn configure(&self, options: NativeSessionOptions) -> napi::Result<()> {
        let agent = agent_of(&options)?;
        self.session.configure(agent, options.try_into()?).await.map_err(to_napi)
    }

    /// Writes down what is kept with the conversation, a JSON object.
    #[napi]
    pub fn note_context(&self, context: String) -> napi::Result<()> {
        let state = State { context: Some(parsed(&context)?), ..State::default() };
        self.session.note(state).map_err(to_napi)
    }

    /// Writes down what is always allowed in the conversation, a JSON array.
    #[napi]
    pub fn note_rules(&self, rules: String) -> napi::Result<()> {
        let state = State { rules: Some(parsed(&rules)?), ..State::default() };
        self.session.note(state).map_err(to_napi)
    }

    /// Resolves when everything so far is written down; rejects with the reason if it cannot be.
    #[napi]
    pub async fn save(&self) -> napi::Result<()> {
        self.session.save().await.map_err(to_napi)
    }

    /// Ends the session; resolves when its process is gone.
    #[napi]
    pub async fn end(&self) {
        self.session.end().await;
    }
}

fn parsed(json: &str) -> napi::Result<Value> {
    serde_json::from_str(json)
        .map_err(|error| to_napi(Error::Internal(format!("what is to be noted is no JSON: {error}").into())))
}
