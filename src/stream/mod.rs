//! The stream between an agent and its consumers: bytes become frames ([`FrameDecoder`]), frames become chunks
//! ([`Chunk`], by a dialect of [`crate::agent`]), and chunks, stamped as events, are packed into batches
//! ([`Packer`]) that wait in a bounded [`EventQueue`].

mod batch;
mod chunk;
mod frame;
mod json_lines;
mod queue;
mod repair;

pub use crate::usage::Usage;
pub(crate) use batch::utf16_len;
pub use batch::{Arena, Batch, LINES_MARK, Packer, TIME_MARK};
pub use chunk::{Chunk, Json, ToolData, TurnResult, json_of};
pub use frame::{Frame, FrameDecoder};
pub use queue::EventQueue;
pub(crate) use repair::has_controls;
pub use repair::repair;
