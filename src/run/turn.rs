//! What is known of the turn under way.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::budget::Budget;
use super::cancel::Cancellation;
use super::retry::{Progress, RetryContext, RetryPolicy, Way};
use super::watchdog::{Timeouts, Vitals};
use crate::agent::{Agent, Image, PermissionRequest};
use crate::error::{ErrorKind, ErrorReport};
use crate::event::{Fact, Payload};
use crate::stream::{Chunk, TurnResult, Usage};

/// How many turns are under way in this process.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// More turns than this at once are many: then waking the consumer for each piece of each costs more than a person notices
/// of a short delay.
const FEW: usize = 4;

/// How long the events of a turn are gathered while many turns share one consumer.
const SHARED_WINDOW: Duration = Duration::from_millis(16);

/// For how long the events of a turn may be gathered, considering how many there are at the moment.
pub(super) fn window_for_all() -> Duration {
    if UNDER_WAY.load(Ordering::Relaxed) > FEW { SHARED_WINDOW } else { Duration::ZERO }
}

/// Counts as a turn under way until it is dropped.
#[derive(Debug)]
pub(super) struct UnderWay(());

impl UnderWay {
    pub(super) fn begin() -> Self {
        UNDER_WAY.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A turn under way.
#[derive(Debug)]
pub(super) struct Turn {
    /// Held, not looked at.
    pub(super) _under_way: UnderWay,
    pub(super) run_id: String,
    pub(super) started: Instant,
    /// When the agent was given the prompt; again, if the turn was begun anew.
    pub(super) attempted: Instant,
    pub(super) last_output: Instant,
    pub(super) timeouts: Timeouts,
    pub(super) budget: Budget,
    /// Whether the host was told that a limit in dollars cannot be kept.
    pub(super) told_blind: bool,
    /// Told when the turn is over and all its events are in the queue.
    pub(super) done: oneshot::Sender<()>,
    /// Whether the agent said that it works on this turn; before that an interrupt would be lost.
    pub(super) interruptible: bool,
    pub(super) cancellation: Option<Cancellation>,
    /// Questions that wait for an answer from the host.
    pub(super) questions: Vec<PermissionRequest>,
    /// What the attempt under way has come to.
    pub(super) output: Output,
    pub(super) prompt: String,
    /// The images that go with it.
    pub(super) images: Arc<[Image]>,
    /// The prompt for an agent that does not know the conversation.
    pub(super) retold: Option<String>,
    /// Whether the conversation may be retold if the agent turns out not to know it; in an attempt that is done once.
    pub(super) may_begin_anew: bool,
    /// The agent's own id of the conversation as it was before the turn.
    pub(super) resumed_from: Option<String>,
    pub(super) attempts: Attempts,
    /// Set between two attempts.
    pub(super) pause: Option<Pause>,
}

/// The attempts at a turn, the one under way or waited for included.
#[derive(Debug)]
pub(super) struct Attempts {
    pub(super) policy: RetryPolicy,
    /// Which is under way, or waited for: 1, 2, 3, …
    pub(super) number: u32,
    pub(super) progress: Progress,
    /// What they failed of.
    pub(super) context: RetryContext,
    /// Whether an earlier one said anything.
    pub(super) said: bool,
    /// Whether one changed anything.
    pub(super) changed: bool,
    /// Whether no other one was made because of that.
    pub(super) needs_consent: bool,
    /// Model requests of those that are over.
    pub(super) model_turns: u64,
}

impl Attempts {
    /// The first one, after those that the caller tells of.
    pub(super) fn first(policy: RetryPolicy, context: RetryContext) -> Self {
        Self {
            policy,
            number: 1,
            progress: Progress::default(),
            context,
            said: false,
            changed: false,
            needs_consent: false,
            model_turns: 0,
        }
    }
}

/// Between two attempts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pause {
    pub(super) until: Instant,
    pub(super) way: Way,
}

impl Turn {
    /// The prompt to begin anew with, if that may be done.
    pub(super) fn take_retold(&mut self) -> Option<String> {
        self.retold.clone().filter(|_| std::mem::take(&mut self.may_begin_anew))
    }

    /// When the turn has taken too long, and what that is called. `stalled` tells that nothing is read because the
    /// consumer does not consume.
    pub(super) fn watchdog(&self, stalled: bool) -> Option<(Instant, ErrorKind)> {
        if self.cancellation.is_some() {
            return None;
        }
        self.timeouts.next(&Vitals {
            started: self.started,
            attempted: self.attempted,
            ready: self.output.ready,
            last_output: self.last_output,
            excused: stalled || !self.questions.is_empty(),
            paused: self.pause.is_some(),
        })
    }
}

/// A turn that is over.
#[derive(Debug)]
pub(super) struct Ended {
    /// Told when all its events are in the queue.
    pub(super) done: oneshot::Sender<()>,
    pub(super) run_id: String,
    pub(super) error: Option<ErrorReport>,
    pub(super) content: String,
    pub(super) stop_reason: Cow<'static, str>,
    pub(super) usage: Usage,
    pub(super) duration_ms: u64,
    /// How many there were.
    pub(super) attempts: u32,
    pub(super) turns: u64,
    pub(super) tools_used: Vec<String>,
    pub(super) agent_session_id: Option<String>,
}

impl Ended {
    /// What is told of its end, in order.
    pub(super) fn payloads(&self) -> impl Iterator<Item = Payload<'_>> {
        let success = self.error.is_none();
        let result = TurnResult {
            content: (&self.content).into(),
            success,
            stop_reason: (&*self.stop_reason).into(),
            usage: self.usage.clone(),
            duration_ms: self.duration_ms,
            turns: self.turns,
            agent_session_id: self.agent_session_id.as_ref().map(Into::into),
        };
        let completed = Fact::TurnCompleted {
            run_id: &self.run_id,
            success,
            code: self.error.as_ref().map(|error| error.code),
            duration_ms: self.duration_ms,
            tools_used: &self.tools_used,
            usage: self.usage.clone(),
        };
        let error = self.error.clone().map(|error| Payload::Chunk(Chunk::Error(error)));
        error.into_iter().chain([Payload::Chunk(Chunk::Result(result)), Payload::Fact(completed)])
    }
}

/// What the agent's output amounted to, for the verdict when it ends without a result.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// Whether the agent said that it is ready.
    pub(super) ready: bool,
    /// Lines read.
    pub(super) lines: u64,
    /// Lines that its protocol does not know.
    pub(super) unparsed: u64,
    /// The first of those.
    pub(super) sample: String,
    /// Whether the model said or did anything.
    pub(super) said: bool,
    /// Whether a tool was used that changes things.
    pub(super) changed: bool,
    /// The tool that was used last.
    pub(super) last_tool: Option<String>,
}

impl Output {
    /// Takes note of what the agent said.
    pub(super) fn note(&mut self, chunk: &Chunk<'_>, agent: &dyn Agent) {
        match chunk {
            Chunk::TextDelta { .. } | Chunk::Thinking { .. } => self.said = true,
            Chunk::ToolParameters { tool, .. } | Chunk::ToolUse { tool, parameters: Some(_), .. } => {
                self.said = true;
                self.changed |= !agent.is_read_only(tool);
                self.last_tool = Some(tool.to_string());
            }
            Chunk::Unparsed { line, .. } => {
                self.unparsed += 1;
                if self.sample.is_empty() {
                    self.sample = line.chars().take(200).collect();
                }
            }
            _ => {}
        }
    }

    /// What an agent's end without a result is called: garbage is named before the way it ended.
    pub(super) fn verdict(&self, code: Option<i32>) -> ErrorKind {
        if self.lines > 0 && self.unparsed == self.lines {
            return ErrorKind::Protocol;
        }
        match code {
            None => ErrorKind::KilledBySignal,
            Some(_) if !self.ready => ErrorKind::ExitedBeforeInit,
            Some(0) => ErrorKind::NoResult,
            Some(_) => ErrorKind::ProcessCrashed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_endings_are_told_apart() {
        let said = |ready, lines, unparsed| Output { ready, lines, unparsed, ..Output::default() };
        assert_eq!(said(false, 0, 0).verdict(Some(1)), ErrorKind::ExitedBeforeInit);
        assert_eq!(said(true, 3, 0).verdict(Some(0)), ErrorKind::NoResult);
        assert_eq!(said(true, 3, 1).verdict(Some(7)), ErrorKind::ProcessCrashed);
        assert_eq!(said(true, 3, 1).verdict(None), ErrorKind::KilledBySignal);
        assert_eq!(said(false, 3, 3).verdict(Some(0)), ErrorKind::Protocol);
    }
}
