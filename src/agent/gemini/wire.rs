//! The lines that `gemini --output-format stream-json` prints, as far as they are understood.

use crate::agent::json::CheckedJson;
use crate::agent::lenient::{Text, objects};

objects! {
    /// Any line: `init`, `message`, `tool_use`, `tool_result`, `error`, `result`.
    Line<'de> {
        kind: Text<'de> = "type",
        session_id: String = "session_id",
        model: String = "model",
        role: Text<'de> = "role",
        content: Text<'de> = "content",
        tool: Text<'de> = "tool_name",
        tool_id: Text<'de> = "tool_id",
        parameters: CheckedJson<'de> = "parameters",
        status: Text<'de> = "status",
        output: Text<'de> = "output",
        error: Failure<'de> = "error",
        message: Text<'de> = "message",
        stats: Stats<'de> = "stats",
    }

    /// Why a tool, or the turn, failed.
    Failure<'de> {
        word: Text<'de> = "type",
        message: Text<'de> = "message",
    }

    /// What the process used, all together or by one model.
    Stats<'de> {
        total: u64 = "total_tokens",
        /// Those of the cache included.
        input: u64 = "input_tokens",
        /// Those of thinking not included.
        output: u64 = "output_tokens",
        cached: u64 = "cached",
        models: CheckedJson<'de> = "models",
    }

    /// A step of a plan.
    Todo<'de> {
        description: Text<'de> = "description",
        status: Text<'de> = "status",
    }

    /// The parameters of the tool that writes a plan.
    Todos<'de> {
        todos: CheckedJson<'de> = "todos",
    }

    /// What the API answers when it refuses.
    Refusal {
        error: RefusalError = "error",
    }

    /// Why it refuses.
    RefusalError {
        code: u16 = "code",
        message: String = "message",
        status: String = "status",
    }
}
