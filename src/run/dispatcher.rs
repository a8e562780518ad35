//! The one place that stamps events and hands them out.

use std::borrow::Cow;
use std::future::pending;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::answer::{Answer, AnswerWriter};
use super::turn::window_for_all;
use crate::error::Result;
use crate::event::{Event, Fact, Payload};
use crate::history::Recorder;
use crate::stream::{Chunk, EventQueue, Packer};
use crate::usage::{PriceTable, Usage};

/// Stamps events, adds the facts that follow from chunks (thinking began and stopped), closes what a turn leaves
/// open, and publishes to the queue: the first at once, those within the flush window after it together.
#[derive(Debug)]
pub(super) struct Dispatcher {
    queue: Arc<EventQueue>,
    packer: Packer,
    answer: AnswerWriter,
    /// Writes down what happens, where that is asked for.
    recorder: Option<Recorder>,
    run_id: String,
    seq: u64,
    now: u64,
    thinking: bool,
    /// Tools whose input is complete and whose result has not come: (id, name, parent, since).
    open_tools: Vec<OpenTool>,
    tools_used: Vec<String>,
    /// What the turn has used so far, and what of it in attempts that are over.
    usage: Usage,
    spent: Usage,
    /// Puts a price on what the agent puts none on.
    prices: PriceTable,
    /// The model that was asked for, for usage that names none.
    model: Option<String>,
    /// Chosen by the number of turns under way where it is not given.
    window: Option<Duration>,
    /// When the flush window closes that was opened by the last publication.
    window_end: Option<Instant>,
}

#[derive(Debug)]
struct OpenTool {
    id: String,
    name: String,
    parent: Option<String>,
    since: u64,
}

impl Dispatcher {
    pub(super) fn new(
        queue: Arc<EventQueue>,
        packer: Packer,
        answer: Arc<Answer>,
        window: Option<Duration>,
    ) -> Self {
        Self {
            queue,
            packer,
            answer: AnswerWriter::new(answer),
            recorder: None,
            run_id: String::new(),
            seq: 0,
            now: now(),
            thinking: false,
            open_tools: Vec::new(),
            tools_used: Vec::new(),
            usage: Usage::default(),
            spent: Usage::default(),
            prices: PriceTable::default(),
            model: None,
            window,
            window_end: None,
        }
    }

    /// The time of the events that come next, in milliseconds since the epoch; read from the clock once per read.
    pub(super) fn tick(&mut self) -> u64 {
        self.now = now();
        self.now
    }

    /// The same, where it is not the clock that says it.
    pub(super) fn set_time(&mut self, now: u64) {
        self.now = now;
    }

    /// The time of the events that come next, as it was read last.
    pub(super) fn now(&self) -> u64 {
        self.now
    }

    pub(super) fn fact(&mut self, fact: Fact<'_>) {
        self.emit(fact.into());
    }

    pub(super) fn chunk(&mut self, mut chunk: Chunk<'_>) {
        if let Chunk::Usage(usage) = &mut chunk {
            self.complete(usage);
        }
        self.account(&chunk);
        self.emit(chunk.into());
    }

    /// Takes note of a chunk that nobody is told of, because the consumer does not consume.
    pub(super) fn unseen(&mut self, mut chunk: Chunk<'_>) {
        match &mut chunk {
            Chunk::Usage(usage) => {
                self.complete(usage);
                self.account(&chunk);
            }
            // It ends what the consumer saw begin.
            Chunk::ToolResult { id, .. } if self.open_tools.iter().any(|open| open.id == *id) => {
                self.chunk(chunk);
            }
            _ => {
                let payload = chunk.into();
                self.answer.follow(&payload);
                self.write_down(payload);
            }
        }
    }

    /// Has something written down that is told later, or never.
    pub(super) fn write_down(&mut self, payload: Payload<'_>) {
        if let Some(recorder) = &mut self.recorder {
            let event = Event { seq: self.seq, timestamp: self.now, payload };
            recorder.observe(&event, &self.run_id);
        }
    }

    /// Tells what is written down already.
    pub(super) fn tell(&mut self, payload: Payload<'_>) {
        if let Payload::Chunk(chunk) = &payload {
            self.account(chunk);
        }
        self.pack(payload);
    }

    /// Adds the facts that follow from a chunk, and remembers what is to be closed.
    fn account(&mut self, chunk: &Chunk<'_>) {
        match chunk {
            Chunk::Thinking { parent_tool_use_id: None, .. } => self.start_thinking(),
            Chunk::TextDelta { parent_tool_use_id: None, .. } | Chunk::Result(_) | Chunk::Error(_) => {
                self.stop_thinking();
            }
            Chunk::ToolUse { tool, id, parameters, parent_tool_use_id } => {
                self.stop_thinking();
                if parameters.is_some() {
                    self.tool_opened(id, tool, parent_tool_use_id.as_deref());
                }
            }
            Chunk::ToolParameters { tool, id, parent_tool_use_id, .. } => {
                self.tool_opened(id, tool, parent_tool_use_id.as_deref());
            }
            Chunk::ToolResult { id, .. } => self.open_tools.retain(|open| open.id != *id),
            Chunk::Usage(usage) => self.usage.clone_from(usage),
            _ => {}
        }
    }

    /// Begins the account of a new turn.
    pub(super) fn turn_begins(&mut self, run_id: &str) {
        run_id.clone_into(&mut self.run_id);
        self.tools_used.clear();
        self.usage = Usage::default();
        self.spent = Usage::default();
    }

    /// What was used so far belongs to an attempt that is over.
    pub(super) fn attempt_ended(&mut self) {
        self.stop_thinking();
        self.spent.clone_from(&self.usage);
    }

    /// Ends what the turn left open: every tool that started has an end.
    pub(super) fn turn_ending(&mut self) {
        for open in std::mem::take(&mut self.open_tools) {
            let duration = self.now.saturating_sub(open.since);
            self.emit(Payload::Chunk(Chunk::ToolResult {
                tool: open.name.into(),
                id: open.id.into(),
                success: false,
                error: Some("the turn ended before the tool returned".into()),
                duration,
                data: None,
                parent_tool_use_id: open.parent.map(Cow::Owned),
            }));
        }
    }

    /// The names of the tools used in this turn, each once, in the order of their first use.
    pub(super) fn take_tools_used(&mut self) -> Vec<String> {
        std::mem::take(&mut self.tools_used)
    }

    /// What the turn has used so far, as the agent told.
    pub(super) fn usage(&self) -> &Usage {
        &self.usage
    }

    /// What is not priced by the agent is priced by this table from now on, as that of `model` where it names none.
    pub(super) fn price_by(&mut self, prices: PriceTable, model: Option<String>) {
        self.prices = prices;
        self.model = model;
    }

    /// Puts a price on what an agent tells, and adds what earlier attempts of the turn used: an agent knows only this one.
    fn complete(&self, usage: &mut Usage) {
        if let Some(model) = &self.model {
            usage.attribute_to(model);
        }
        self.prices.complete(usage);
        *usage = self.spent.plus(usage);
    }

    fn tool_opened(&mut self, id: &str, name: &str, parent: Option<&str>) {
        if !self.tools_used.iter().any(|used| used == name) {
            self.tools_used.push(name.to_owned());
        }
        self.open_tools.push(OpenTool {
            id: id.to_owned(),
            name: name.to_owned(),
            parent: parent.map(ToOwned::to_owned),
            since: self.now,
        });
    }

    fn start_thinking(&mut self) {
        if !std::mem::replace(&mut self.thinking, true) {
            self.fact(Fact::ThinkingStarted {});
        }
    }

    fn stop_thinking(&mut self) {
        if std::mem::take(&mut self.thinking) {
            self.fact(Fact::ThinkingStopped {});
        }
    }

    fn emit(&mut self, payload: Payload<'_>) {
        self.seq += 1;
        self.answer.follow(&payload);
        let event = Event { seq: self.seq, timestamp: self.now, payload };
        if let Some(recorder) = &mut self.recorder {
            recorder.observe(&event, &self.run_id);
        }
        self.packer.push(&event);
    }

    fn pack(&mut self, payload: Payload<'_>) {
        self.seq += 1;
        self.packer.push(&Event { seq: self.seq, timestamp: self.now, payload });
    }

    /// Has everything written down from now on.
    pub(super) fn record(&mut self, recorder: Recorder) {
        self.recorder = Some(recorder);
    }

    /// Where everything is written down.
    pub(super) fn recorder(&mut self) -> Option<&mut Recorder> {
        self.recorder.as_mut()
    }

    /// Whether everything is written down.
    pub(super) fn is_recording(&self) -> bool {
        self.recorder.is_some()
    }

    /// Tells when everything so far is written down and survives a power cut.
    pub(super) fn saved(&self) -> impl Future<Output = Result<()>> + Send + use<> {
        let saving = self.recorder.as_ref().map(Recorder::sync);
        async {
            match saving {
                Some(saving) => saving.await,
                None => Ok(()),
            }
        }
    }

    /// Whether so much waits to be written down that the agent is to wait, too.
    pub(super) fn is_behind(&self) -> bool {
        self.recorder.as_ref().is_some_and(Recorder::is_behind)
    }

    /// Tells when it does not any more.
    pub(super) fn caught_up(&self) -> impl Future<Output = ()> + Send + use<> {
        let caught_up = self.recorder.as_ref().map(Recorder::caught_up);
        async {
            match caught_up {
                Some(caught_up) => caught_up.await,
                None => pending().await,
            }
        }
    }

    /// Nothing is written down any more.
    pub(super) fn take_recorder(&mut self) -> Option<Recorder> {
        self.recorder.take()
    }

    /// Publishes what has gathered, unless the flush window is still open.
    pub(super) fn flush(&mut self) {
        if self.window_end().is_none_or(|end| end <= Instant::now()) {
            self.publish();
        }
    }

    /// Publishes what has gathered now.
    pub(super) fn publish(&mut self) {
        self.window_end = None;
        self.answer.publish();
        if self.packer.is_empty() {
            return;
        }
        self.queue.push(self.packer.take());
        let window = self.window.unwrap_or_else(window_for_all);
        if !window.is_zero() {
            self.window_end = Some(end_of_window(Instant::now(), window));
        }
    }

    /// When the open flush window closes. Until then there is no need to read from the agent either: what it says waits
    /// in its pipe, and is read at once with all that follows it.
    pub(super) fn window_end(&self) -> Option<Instant> {
        self.window_end
    }

    /// Whether the agent is to wait for the consumer.
    pub(super) fn is_full(&self) -> bool {
        self.queue.is_full()
    }

    /// The queue, to wait for room in it.
    pub(super) fn queue(&self) -> Arc<EventQueue> {
        Arc::clone(&self.queue)
    }
}

/// The windows of all sessions close together, so that many streams wake their one consumer once.
fn end_of_window(now: Instant, window: Duration) -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    let epoch = *EPOCH.get_or_init(Instant::now);
    let into = now.saturating_duration_since(epoch).as_nanos() % window.as_nanos();
    // Less than a window, and so far below what 64 bits hold.
    now + window.saturating_sub(Duration::from_nanos(u64::try_from(into).unwrap_or(0)))
}

fn now() -> u64 {
    // A clock before 1970 is a clock that is not set.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
