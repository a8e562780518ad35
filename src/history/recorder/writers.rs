//! The threads that write for all recordings of this process.
//!
//! At most [`AT_ONCE`] write at the same time: more would only wait for the same disk. A thread that has been at one
//! piece of work for [`HANGS`] is no longer counted, and another one takes its place, so that work whose disk does not
//! answer keeps no other from a disk that does. One more thread, the clock, never touches a disk: it hands over the
//! work that was to wait for a while, and adds threads where those that are there hang.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::backlog::CHECKPOINT;

/// How many threads write at the same time.
const AT_ONCE: usize = 8;

/// After this time a thread is taken to hang.
const HANGS: Duration = Duration::from_secs(1);

/// How long a thread waits for work before it ends. The last one stays.
const IDLE: Duration = Duration::from_secs(10);

/// What is to be handed over within this time is handed over together.
const TOGETHER: Duration = Duration::from_millis(20);

/// Something that is to be written again and again, by one thread at a time: who hands it over sees to that.
pub(super) trait Work: Send + Sync + 'static {
    /// Writes what there is; whether it is to be written again.
    fn write(&self) -> bool;

    /// The time is over that it was to wait: whether it is to be written now.
    fn is_due(&self) -> bool;
}

static WRITERS: Writers = Writers::new(AT_ONCE, HANGS);

/// Makes sure that there is somebody to write.
pub(super) fn start() -> io::Result<()> {
    WRITERS.start()
}

/// Has work written as soon as a thread can.
pub(super) fn write(work: Arc<dyn Work>) {
    WRITERS.write(work);
}

/// Asks work in a [`CHECKPOINT`] whether it is due.
pub(super) fn write_later(work: Arc<dyn Work>) {
    WRITERS.write_later(work);
}

struct Writers {
    at_once: usize,
    hangs: Duration,
    state: Mutex<State>,
    /// Wakes a thread that waits for work.
    came: Condvar,
    /// Wakes the clock before its time.
    clock: Condvar,
}

struct State {
    queue: VecDeque<Arc<dyn Work>>,
    /// In order: all wait equally long.
    later: VecDeque<(Instant, Arc<dyn Work>)>,
    threads: usize,
    /// Those that wait for work.
    idle: usize,
    /// Since when the others are at their piece of work, by its number.
    busy: BTreeMap<u64, Instant>,
    pieces: u64,
    has_clock: bool,
    /// When the clock wakes by itself.
    wakes: Option<Instant>,
}

impl Writers {
    const fn new(at_once: usize, hangs: Duration) -> Self {
        let state = State {
            queue: VecDeque::new(),
            later: VecDeque::new(),
            threads: 0,
            idle: 0,
            busy: BTreeMap::new(),
            pieces: 0,
            has_clock: false,
            wakes: None,
        };
        Self { at_once, hangs, state: Mutex::new(state), came: Condvar::new(), clock: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&'static self) -> io::Result<()> {
        let mut state = self.lock();
        if !state.has_clock {
            thread::Builder::new().name("history-clock".into()).spawn(|| self.keep_time())?;
            state.has_clock = true;
        }
        if state.threads == 0 {
            self.add_thread(&mut state)?;
        }
        Ok(())
    }

    fn write(&'static self, work: Arc<dyn Work>) {
        let mut state = self.lock();
        state.queue.push_back(work);
        if state.queue.len() <= state.idle {
            self.came.notify_one();
        } else if !self.help(&mut state) {
            // Only the clock sees when one of them hangs.
            self.wake_clock_by(&state, Instant::now() + self.hangs);
        }
    }

    fn write_later(&'static self, work: Arc<dyn Work>) {
        let at = Instant::now() + CHECKPOINT;
        let mut state = self.lock();
        state.later.push_back((at, work));
        self.wake_clock_by(&state, at);
    }

    fn wake_clock_by(&self, state: &State, at: Instant) {
        if state.wakes.is_none_or(|wakes| wakes > at) {
            self.clock.notify_one();
        }
    }

    /// Adds a thread if there may be one more; whether there is.
    fn help(&'static self, state: &mut State) -> bool {
        let now = Instant::now();
        let hanging = state.busy.values().filter(|since| now.duration_since(**since) >= self.hangs).count();
        // Where the system has no more threads those that are there do the work, and the clock tries again.
        state.threads.saturating_sub(hanging) < self.at_once && self.add_thread(state).is_ok()
    }

    fn add_thread(&'static self, state: &mut State) -> io::Result<()> {
        thread::Builder::new().name("locus-history".into()).spawn(|| self.work())?;
        state.threads += 1;
        Ok(())
    }

    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some(work) = state.queue.pop_front() {
                state.pieces += 1;
                let piece = state.pieces;
                state.busy.insert(piece, Instant::now());
                drop(state);
                // A panic is told by the work itself to those who wait for it.
                let again = catch_unwind(AssertUnwindSafe(|| work.write())).unwrap_or(false);
                state = self.lock();
                state.busy.remove(&piece);
                if again {
                    state.queue.push_back(work);
                    continue;
                }
                // What it drops at last may take its time.
                drop(state);
                drop(work);
                state = self.lock();
                continue;
            }
            state.idle += 1;
            let waited = self.came.wait_timeout(state, IDLE);
            let (woken, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if timeout.timed_out() && state.queue.is_empty() && state.threads > 1 {
                state.threads -= 1;
                return;
            }
        }
    }

    fn keep_time(&'static self) {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let due = state.later.partition_point(|(at, _)| *at <= now + TOGETHER);
            if due > 0 {
                let due: Vec<_> = state.later.drain(..due).collect();
                drop(state);
                for (_, work) in due {
                    if work.is_due() {
                        self.write(work);
                    }
                }
                state = self.lock();
                continue;
            }
            while state.queue.len() > state.idle && self.help(&mut state) {}
            let next_hangs = (state.queue.len() > state.idle).then(|| {
                let all = state.busy.values().map(|since| *since + self.hangs);
                all.filter(|at| *at > now).min().unwrap_or(now + self.hangs)
            });
            let next_due = state.later.front().map(|(at, _)| *at);
            state.wakes = next_due.into_iter().chain(next_hangs).min();
            state = match state.wakes {
                Some(at) => {
                    let waited = self.clock.wait_timeout(state, at.saturating_duration_since(now));
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.clock.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    fn writers(at_once: usize) -> &'static Writers {
        let writers = Box::leak(Box::new(Writers::new(at_once, Duration::from_millis(50))));
        writers.start().unwrap();
        writers
    }

    /// Hangs until it is let go.
    struct Hanging {
        begun: Mutex<Sender<()>>,
        go: Mutex<Receiver<()>>,
    }

    impl Work for Hanging {
        fn write(&self) -> bool {
            self.begun.lock().unwrap().send(()).unwrap();
            let _ = self.go.lock().unwrap().recv();
            false
        }

        fn is_due(&self) -> bool {
            true
        }
    }

    /// Has something to write `left` times, and says each time that it was written.
    struct Quick {
        left: AtomicUsize,
        written: Mutex<Sender<usize>>,
    }

    impl Quick {
        fn new(times: usize) -> (Arc<Self>, Receiver<usize>) {
            let (written, heard) = channel();
            (Arc::new(Self { left: AtomicUsize::new(times), written: Mutex::new(written) }), heard)
        }
    }

    impl Work for Quick {
        fn write(&self) -> bool {
            let left = self.left.fetch_sub(1, Ordering::Relaxed) - 1;
            self.written.lock().unwrap().send(left).unwrap();
            left > 0
        }

        fn is_due(&self) -> bool {
            self.left.load(Ordering::Relaxed) > 0
        }
    }

    #[test]
    fn work_that_hangs_keeps_no_other_from_being_written() {
        let writers = writers(2);
        let mut hanging = Vec::new();
        for _ in 0..10 {
            let ((begun, has_begun), (go, goes)) = (channel(), channel());
            writers.write(Arc::new(Hanging { begun: Mutex::new(begun), go: Mutex::new(goes) }));
            hanging.push((has_begun, go));
        }
        let (quick, written) = Quick::new(3);
        writers.write(quick);
        assert_eq!(written.recv_timeout(PATIENCE), Ok(2));
        assert_eq!(written.recv_timeout(PATIENCE), Ok(1), "it is written for as long as there is something");
        assert_eq!(written.recv_timeout(PATIENCE), Ok(0));
        for (has_begun, go) in &hanging {
            has_begun.recv_timeout(PATIENCE).expect("those behind it hang, too");
            go.send(()).unwrap();
        }
    }

    #[test]
    fn no_more_threads_than_allowed_write_at_once() {
        static AT_ONCE: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        struct Counted(Arc<Barrier>, Mutex<Sender<()>>);
        impl Work for Counted {
            fn write(&self) -> bool {
                MOST.fetch_max(AT_ONCE.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                self.0.wait();
                AT_ONCE.fetch_sub(1, Ordering::SeqCst);
                self.1.lock().unwrap().send(()).unwrap();
                false
            }

            fn is_due(&self) -> bool {
                false
            }
        }
        // Nothing is taken to hang in this test.
        let writers: &'static Writers = Box::leak(Box::new(Writers::new(3, PATIENCE)));
        writers.start().unwrap();
        let (barrier, (written, heard)) = (Arc::new(Barrier::new(3)), channel());
        for _ in 0..30 {
            writers.write(Arc::new(Counted(Arc::clone(&barrier), Mutex::new(written.clone()))));
        }
        for _ in 0..30 {
            heard.recv_timeout(PATIENCE).expect("three are at work, so that each passes");
        }
        assert_eq!(MOST.load(Ordering::SeqCst), 3);
        assert_eq!(writers.lock().threads, 3);
    }

    #[test]
    fn what_may_wait_is_asked_a_checkpoint_later() {
        let writers = writers(1);
        let (quick, written) = Quick::new(1);
        let began = Instant::now();
        writers.write_later(quick);
        assert_eq!(written.recv_timeout(PATIENCE), Ok(0));
        assert!(began.elapsed() + TOGETHER >= CHECKPOINT);
    }

    #[test]
    fn a_panic_takes_no_thread_away() {
        struct Panics;
        impl Work for Panics {
            fn write(&self) -> bool {
                panic!("as the test wants it")
            }

            fn is_due(&self) -> bool {
                false
            }
        }
        // Nothing is taken to hang in this test.
        let writers: &'static Writers = Box::leak(Box::new(Writers::new(1, PATIENCE)));
        writers.start().unwrap();
        writers.write(Arc::new(Panics));
        let (quick, written) = Quick::new(1);
        writers.write(quick);
        assert_eq!(written.recv_timeout(PATIENCE), Ok(0));
        assert_eq!(writers.lock().threads, 1, "it is the same thread");
    }
}
