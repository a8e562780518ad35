//! The disk, as the actor knows it: what is written down, and how long that is waited for.
//!
//! Nothing here touches a disk itself. Work is handed to other threads, and its answer is waited for no longer than
//! [`DiskTimes`] allow, while the inbox is listened to: who wants the session to stop is not kept
//! by a disk that hangs. Work that has not been answered is not begun a second time; the next one who needs it waits for
//! it again. What could not be waited for is told as not saved, which it is until the disk answers.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout};

use super::Executor;
use crate::error::{Error, Result};
use crate::history::{NewSession, Recorder, State, unanswered};
use crate::process::check_directory;
use crate::run::DiskTimes;
use crate::run::session::RecordOptions;
use crate::usage::PriceTable;

/// After this time those who look on are shown what has happened so far.
const NOTICEABLE: Duration = Duration::from_millis(50);

/// How long a disk that did not answer is waited for once more.
const LAST_CHANCE: Duration = Duration::from_millis(300);

/// Work of the disk that has not been answered yet.
#[derive(Debug)]
pub(super) struct DiskTask<T>(Option<oneshot::Receiver<Result<T>>>);

impl<T> Default for DiskTask<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Send + 'static> DiskTask<T> {
    /// Begins the work, if it was not begun before.
    pub(super) fn or_begin(self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Self {
        Self(Some(self.0.unwrap_or_else(|| begin(work))))
    }

    /// Whether it was begun and not waited for to its end.
    pub(super) fn is_under_way(&self) -> bool {
        self.0.is_some()
    }

    pub(super) async fn answer(&mut self) -> Result<T> {
        let Some(work) = &mut self.0 else { return Err(Error::Internal("no work was begun".into())) };
        let answer = work.await;
        self.0 = None;
        answer.map_err(|_| Error::Internal("what touches the disk has panicked".into()))?
    }
}

/// Has work done by a thread of its own: one of tokio's could be missing, which is a panic there or waits for ever.
fn begin<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> oneshot::Receiver<Result<T>> {
    let (done, answer) = oneshot::channel();
    let job = Arc::new(Mutex::new(Some((work, done))));
    let act = move || {
        let job = job.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((work, done)) = job {
            // Nobody may be left who waits for it.
            let _ = done.send(work());
        }
    };
    if thread::Builder::new().name("locus-disk".into()).spawn(act.clone()).is_err() {
        // The system has no more threads: better here than not at all.
        act();
    }
    answer
}

impl Executor {
    /// Waits for the disk, for as long as it has: less when the session is asked to stop.
    pub(super) async fn wait_for<T>(
        &mut self,
        work: impl Future<Output = T>,
        patience: Duration,
        hurry: Duration,
    ) -> Option<T> {
        let mut work = pin!(work);
        let began = Instant::now();
        let mut deadline = began + patience;
        let (mut hurried, mut published) = (false, false);
        loop {
            if !hurried && self.cancel_waits() {
                hurried = true;
                deadline = deadline.min(Instant::now() + hurry);
            }
            tokio::select! {
                biased;
                done = &mut work => return Some(done),
                () = sleep_until(deadline) => return None,
                () = sleep_until(began + NOTICEABLE), if !published => {
                    self.dispatcher.publish();
                    published = true;
                }
                message = self.inbox.recv(), if !hurried => if let Some(message) = message {
                    self.waiting.push_back(message);
                } else {
                    // Nobody is left who could wait for anything.
                    hurried = true;
                    deadline = deadline.min(Instant::now() + hurry);
                },
            }
        }
    }

    /// Waits for work that a turn cannot begin without; not at all when it is not to begin any more.
    async fn need<T: Send + 'static>(
        &mut self,
        task: &mut DiskTask<T>,
        late: impl FnOnce(Duration) -> Error,
    ) -> Result<T> {
        let patience = self.options.disk.patience;
        match self.wait_for(task.answer(), patience, Duration::ZERO).await {
            Some(answer) => answer,
            None if self.cancel_waits() => Err(Error::Cancelled),
            None => Err(late(patience)),
        }
    }

    /// Opens what the session is written down in, if it is not open.
    pub(super) async fn open_record(&mut self) -> Result<()> {
        let Some(RecordOptions { store, session_id, stored }) = self.options.record.clone() else {
            return Ok(());
        };
        if self.dispatcher.recorder().is_some_and(|recorder| !recorder.gave_up()) {
            return Ok(());
        }
        let cwd = self.options.agent.cwd.clone();
        let session = NewSession {
            id: session_id,
            project_path: cwd.to_string_lossy().into_owned(),
            provider: self.agent.name().to_owned(),
            model: self.options.agent.model.clone(),
            title: None,
        };
        let again = self.dispatcher.recorder().is_some();
        let folder = store.folder().path().to_owned();
        let mut opening = std::mem::take(&mut self.opening).or_begin(move || {
            // By default the history is in it.
            check_directory(&cwd)?;
            if !stored && !again {
                return Recorder::create(&store, session);
            }
            match Recorder::open(&store, &session.id) {
                // Nothing of it had been written, or somebody removed it.
                Err(Error::SessionNotFound { .. }) if again => Recorder::create(&store, session),
                opened => opened,
            }
        });
        let opened = self.need(&mut opening, |waited| unanswered("open a session in", folder, waited)).await;
        self.opening = opening;
        let mut recorder = opened?;
        if self.turns > 0 {
            // It was not there to hear with whom the session began, or what was told to one that gave up.
            let agent_session_id = self.agent_session_id.clone();
            recorder.state(State { agent_session_id, ..self.current_agent() });
        }
        self.unwritten.drain(..).for_each(|state| recorder.state(state));
        self.dispatcher.record(recorder);
        Ok(())
    }

    /// Waits until the prompt is safe.
    pub(super) async fn prompt_saved(&mut self) -> Result<()> {
        let patience = self.options.disk.patience;
        let saving = self.dispatcher.saved();
        match self.wait_for(saving, patience, Duration::ZERO).await {
            Some(saved) => saved,
            None if self.cancel_waits() => Err(Error::Cancelled),
            None => Err(self.not_answered(patience)),
        }
    }

    /// How long the end of a turn may take to be written down.
    pub(super) fn patience_at_end(&self) -> Duration {
        let DiskTimes { patience, hurry } = self.options.disk;
        if self.cancelled.is_empty() { patience } else { patience.min(hurry) }
    }

    /// Waits until the end of a turn is written down.
    pub(super) async fn end_saved(&mut self, patience: Duration) -> Result<()> {
        let began = Instant::now();
        let saving = self.dispatcher.saved();
        let saved = self.wait_for(saving, patience, self.options.disk.hurry).await;
        self.disk_hangs = saved.is_none();
        saved.unwrap_or_else(|| Err(self.not_answered(began.elapsed())))
    }

    /// Ends what the session is written down in. A disk that hangs gets a last chance; that it does was told.
    pub(super) async fn close_record(&mut self) -> Result<()> {
        let Some(recorder) = self.dispatcher.take_recorder() else { return Ok(()) };
        let patience = if self.disk_hangs { LAST_CHANCE } else { self.options.disk.hurry };
        let late = if self.disk_hangs { Ok(()) } else { Err(recorder.unanswered(patience)) };
        let closed = self.wait_for(recorder.close(), patience, patience).await;
        closed.unwrap_or(late)
    }

    /// Makes everything so far durable, and tells `done`. A session that is not stored yet is begun by its first prompt.
    pub(super) async fn save(&mut self, done: oneshot::Sender<Result<()>>) {
        let stored = self.options.record.as_ref().is_some_and(|record| record.stored);
        if stored
            && !self.unwritten.is_empty()
            && let Err(error) = self.open_record().await
        {
            // The caller may have given up waiting.
            let _ = done.send(Err(error));
            return;
        }
        let patience = self.options.disk.patience;
        let (saving, late) = (self.dispatcher.saved(), self.not_answered(patience));
        // Nothing that happens here depends on it.
        tokio::spawn(async move {
            let _ = done.send(timeout(patience, saving).await.unwrap_or(Err(late)));
        });
    }

    fn not_answered(&mut self, waited: Duration) -> Error {
        let recorder = self.dispatcher.recorder();
        recorder.map_or(Error::Internal("nothing is written down".into()), |it| it.unanswered(waited))
    }

    /// Reads what models cost in this project, if that was not done.
    pub(super) async fn read_prices(&mut self) -> Result<()> {
        if self.priced {
            return Ok(());
        }
        let cwd = self.options.agent.cwd.clone();
        let mut reading = std::mem::take(&mut self.pricing).or_begin(move || PriceTable::of_project(&cwd));
        let cwd = self.options.agent.cwd.clone();
        let prices = self.need(&mut reading, |waited| unanswered("read the prices of", cwd, waited)).await;
        self.pricing = reading;
        self.dispatcher.price_by(prices?, self.options.agent.model.clone());
        self.priced = true;
        Ok(())
    }

    /// Until when the disk may go on being slower than the agent, where it is; nothing is read from the agent meanwhile.
    pub(super) fn slow_until(&mut self) -> Option<Instant> {
        if !self.dispatcher.is_behind() {
            self.behind_since = None;
            return None;
        }
        let since = *self.behind_since.get_or_insert_with(Instant::now);
        let times = self.options.disk;
        let cancelled = self.turn.as_ref().is_some_and(|turn| turn.cancellation.is_some());
        Some(since + if cancelled { times.hurry } else { times.patience })
    }

    /// Goes on without what cannot be written: what waits for the disk must not grow without bound.
    pub(super) fn give_up_recording(&mut self) {
        let waited = self.behind_since.take().map_or(Duration::ZERO, |since| since.elapsed());
        if let Some(recorder) = self.dispatcher.recorder() {
            recorder.give_up(waited);
        }
    }
}
