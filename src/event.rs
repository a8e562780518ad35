//! The one contract: what a run did, as facts in the past tense with a sequence number and a time.
//!
//! Every [`Event`] is either a [`Chunk`] that an agent said or a [`Fact`] of the run itself. Both share one sequence:
//! `seq` begins at 1 for a session and has no gaps. [`EventKind`] is the same list, under the same names, in
//! TypeScript.

use std::borrow::Cow;

use serde::Serialize;

use crate::agent::ImageInfo;
use crate::stream::{Chunk, TurnResult, Usage};

macro_rules! event_kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)+) => {
        /// What happened. The numeric value crosses the border to JavaScript, which learns the names from
        /// [`EventKind::ALL`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum EventKind {
            $($(#[$doc])* $kind,)+
        }

        impl EventKind {
            /// Every kind, in the order of their numeric values.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// The name under which it is known everywhere outside Rust, for example `tool:started`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }
        }
    };
}

event_kinds! {
    /// The session began to work.
    SessionStarted = "session:started",
    /// A prompt was accepted.
    PromptSubmitted = "prompt:submitted",
    /// A turn began.
    TurnStarted = "turn:started",
    /// A piece of the answer came.
    TextDelta = "text:delta",
    /// The model began to think.
    ThinkingStarted = "thinking:started",
    /// A piece of a thought came, or the sign of one whose content is not shown.
    ThinkingDelta = "thinking:delta",
    /// The model stopped thinking.
    ThinkingStopped = "thinking:stopped",
    /// The model began to ask for a tool; its input is not complete.
    ToolRequested = "tool:requested",
    /// A tool's input was complete and it began to run or to wait for permission.
    ToolStarted = "tool:started",
    /// A tool did what was asked.
    ToolCompleted = "tool:completed",
    /// A tool failed or was refused.
    ToolFailed = "tool:failed",
    /// The agent said what it is doing.
    StatusChanged = "status:changed",
    /// The agent asked whether it may use a tool.
    PermissionRequested = "permission:requested",
    /// That question was answered or withdrawn.
    PermissionResolved = "permission:resolved",
    /// An attempt failed and another one was scheduled.
    RetryScheduled = "retry:scheduled",
    /// The turn's usage so far became known.
    UsageUpdated = "usage:updated",
    /// The turn's result became known.
    ResponseCompleted = "response:completed",
    /// The turn failed.
    ErrorOccurred = "error:occurred",
    /// A line could not be understood.
    LineUnparsed = "line:unparsed",
    /// A turn was over; the last event of a turn.
    TurnCompleted = "turn:completed",
    /// The session was over; the last event of a session.
    SessionEnded = "session:ended",
}

/// Something that happened.
#[derive(Debug)]
pub struct Event<'a> {
    /// Its place in the session's sequence: 1, 2, 3, …
    pub seq: u64,
    /// When, in milliseconds since the epoch.
    pub timestamp: u64,
    /// What.
    pub payload: Payload<'a>,
}

/// What an event is about.
#[derive(Debug)]
pub enum Payload<'a> {
    /// The agent said something.
    Chunk(Chunk<'a>),
    /// The run did something.
    Fact(Fact<'a>),
}

impl Payload<'_> {
    /// Its kind.
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Chunk(chunk) => match chunk {
                Chunk::TextDelta { .. } => EventKind::TextDelta,
                Chunk::Thinking { .. } => EventKind::ThinkingDelta,
                Chunk::ToolUse { parameters: None, .. } => EventKind::ToolRequested,
                Chunk::ToolUse { parameters: Some(_), .. } | Chunk::ToolParameters { .. } => {
                    EventKind::ToolStarted
                }
                Chunk::ToolResult { success: true, .. } => EventKind::ToolCompleted,
                Chunk::ToolResult { success: false, .. } => EventKind::ToolFailed,
                Chunk::Status { .. } => EventKind::StatusChanged,
                Chunk::PermissionRequest { .. } => EventKind::PermissionRequested,
                Chunk::Usage(_) => EventKind::UsageUpdated,
                Chunk::Result(_) => EventKind::ResponseCompleted,
                Chunk::Error(_) => EventKind::ErrorOccurred,
                Chunk::Unparsed { .. } => EventKind::LineUnparsed,
            },
            Self::Fact(fact) => match fact {
                Fact::SessionStarted { .. } => EventKind::SessionStarted,
                Fact::PromptSubmitted { .. } => EventKind::PromptSubmitted,
                Fact::TurnStarted { .. } => EventKind::TurnStarted,
                Fact::ThinkingStarted {} => EventKind::ThinkingStarted,
                Fact::ThinkingStopped {} => EventKind::ThinkingStopped,
                Fact::PermissionResolved { .. } => EventKind::PermissionResolved,
                Fact::RetryScheduled { .. } => EventKind::RetryScheduled,
                Fact::TurnCompleted { .. } => EventKind::TurnCompleted,
                Fact::SessionEnded { .. } => EventKind::SessionEnded,
            },
        }
    }
}

/// What the run itself did; serializes to the `data` of the event.
#[derive(Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum Fact<'a> {
    /// See [`EventKind::SessionStarted`].
    SessionStarted {
        /// The agent's name.
        provider: &'a str,
        /// The model that was asked for; the agent's own choice where absent.
        #[serde(skip_serializing_if = "Option::is_none")]
        model: Option<&'a str>,
        /// The working directory.
        project_path: Cow<'a, str>,
    },
    /// See [`EventKind::PromptSubmitted`].
    PromptSubmitted {
        /// The prompt.
        prompt: &'a str,
        /// The images that belong to it.
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        images: &'a [ImageInfo],
    },
    /// See [`EventKind::TurnStarted`].
    TurnStarted {
        /// The id of the run that carries the turn.
        run_id: &'a str,
        /// Which turn of the session: 1, 2, 3, …
        turn: u64,
        /// Whether the agent's process was already there.
        warm: bool,
    },
    /// See [`EventKind::ThinkingStarted`].
    ThinkingStarted {},
    /// See [`EventKind::ThinkingStopped`].
    ThinkingStopped {},
    /// See [`EventKind::PermissionResolved`].
    PermissionResolved {
        /// The id of the question.
        id: &'a str,
        /// The tool's name.
        tool: &'a str,
        /// `allow`, `deny` or `withdrawn`.
        behavior: &'static str,
        /// Who decided: `policy`, `user`, `default` (nobody was there to ask) or `agent` (it withdrew the question).
        decided_by: &'static str,
        /// The reason that the agent was given with a denial.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<&'a str>,
    },
    /// See [`EventKind::RetryScheduled`].
    RetryScheduled {
        /// Which attempt comes next: 2, 3, …
        attempt: u32,
        /// How many tries the policy allows.
        max_tries: u32,
        /// What the attempt failed of: the stable code.
        code: &'static str,
        /// The whole message.
        message: &'a str,
        /// Milliseconds until the next attempt.
        delay_ms: u64,
        /// When a limit is reset that is waited for, in milliseconds since the epoch.
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<u64>,
        /// `repeat`: with the same prompt, and what was said of the answer so far is void; `continue`: the agent goes on.
        how: &'static str,
    },
    /// See [`EventKind::TurnCompleted`].
    TurnCompleted {
        /// The id of the run that carried the turn.
        run_id: &'a str,
        /// Whether it succeeded.
        success: bool,
        /// The code of its error, where it failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<&'static str>,
        /// Milliseconds from the prompt to the end.
        duration_ms: u64,
        /// The names of the tools that were used, each once, in the order of their first use.
        tools_used: &'a [String],
        /// What the turn used.
        usage: Usage,
    },
    /// See [`EventKind::SessionEnded`].
    SessionEnded {
        /// How many turns it had.
        turns: u64,
    },
}

impl<'a> From<Chunk<'a>> for Payload<'a> {
    fn from(chunk: Chunk<'a>) -> Self {
        Self::Chunk(chunk)
    }
}

impl<'a> From<TurnResult<'a>> for Payload<'a> {
    fn from(result: TurnResult<'a>) -> Self {
        Self::Chunk(Chunk::Result(result))
    }
}

impl<'a> From<Fact<'a>> for Payload<'a> {
    fn from(fact: Fact<'a>) -> Self {
        Self::Fact(fact)
    }
}
