//! Something to be written, as it was observed; what is costly is done by the thread that writes.

use crate::history::record::Record;

#[derive(Debug)]
pub(super) enum Note {
    Record {
        timestamp: u64,
        record: Record,
    },
    /// A piece of what the main agent said; no more of it follows the `last` before something else does.
    Text {
        timestamp: u64,
        run_id: String,
        content: String,
        last: bool,
    },
    ToolUse {
        timestamp: u64,
        run_id: String,
        id: String,
        tool: String,
        /// JSON, as the agent wrote it.
        parameters: String,
        parent: Option<String>,
    },
}

impl Note {
    pub(super) fn timestamp(&self) -> u64 {
        match self {
            Self::Record { timestamp, .. }
            | Self::Text { timestamp, .. }
            | Self::ToolUse { timestamp, .. } => *timestamp,
        }
    }

    /// About how much memory it takes, in bytes: its long texts.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Text { content, .. } => content.len(),
                Self::ToolUse { parameters, .. } => parameters.len(),
                Self::Record { record, .. } => match record {
                    Record::Prompt { content, .. } => content.len(),
                    Record::Turn(turn) => turn.content.as_ref().map_or(0, String::len),
                    Record::State(state) => {
                        state.context.as_ref().map_or(0, |context| context.to_string().len())
                    }
                    // What else is long was cut before.
                    _ => 0,
                },
            }
    }
}
