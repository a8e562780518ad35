//! What `opencode run --format json` prints, as far as it is understood.

use crate::agent::json::CheckedJson;
use crate::agent::lenient::{Text, objects};

objects! {
    /// A line.
    Line<'de> {
        kind: Text<'de> = "type",
        session_id: Text<'de> = "sessionID",
        part: Part<'de> = "part",
        error: Failure<'de> = "error",
    }

    /// A piece of a message: a text, a thought, the use of a tool, or the end of a request to the model.
    Part<'de> {
        id: Text<'de> = "id",
        message_id: Text<'de> = "messageID",
        text: Text<'de> = "text",
        tool: Text<'de> = "tool",
        call_id: Text<'de> = "callID",
        state: ToolState<'de> = "state",
        reason: Text<'de> = "reason",
        tokens: Tokens = "tokens",
        cost: f64 = "cost",
    }

    /// A tool that has run or was refused.
    ToolState<'de> {
        status: Text<'de> = "status",
        input: CheckedJson<'de> = "input",
        output: CheckedJson<'de> = "output",
        error: Text<'de> = "error",
        metadata: ToolMetadata = "metadata",
        time: Time = "time",
    }

    /// What a tool says of itself.
    ToolMetadata {
        exit: i64 = "exit",
    }

    /// In milliseconds since the epoch.
    Time {
        start: u64 = "start",
        end: u64 = "end",
        /// When its result was taken out of the conversation.
        compacted: u64 = "compacted",
    }

    /// The tokens of a request, each in one place only.
    #[derive(Clone, Copy)]
    Tokens {
        input: u64 = "input",
        output: u64 = "output",
        reasoning: u64 = "reasoning",
        cache: CacheTokens = "cache",
    }

    /// Those of the cache.
    #[derive(Clone, Copy)]
    CacheTokens {
        read: u64 = "read",
        write: u64 = "write",
    }

    /// Why something failed.
    Failure<'de> {
        name: Text<'de> = "name",
        data: FailureData<'de> = "data",
    }

    /// What is known of it.
    FailureData<'de> {
        message: Text<'de> = "message",
        status: u16 = "statusCode",
        headers: Headers<'de> = "responseHeaders",
        provider: Text<'de> = "providerID",
    }

    /// Headers of the API's answer.
    Headers<'de> {
        retry_after: Text<'de> = "retry-after",
        retry_after_ms: Text<'de> = "retry-after-ms",
    }

    /// A step of a plan.
    Todos<'de> {
        todos: CheckedJson<'de> = "todos",
    }

    /// One of them.
    Todo<'de> {
        content: Text<'de> = "content",
        status: Text<'de> = "status",
    }
}
