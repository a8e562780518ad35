//! What codex writes, as far as it is understood. Where `app-server` and `exec` spell a key differently both are known.

use crate::agent::json::CheckedJson;
use crate::agent::lenient::{Maybe, Text, objects};

objects! {
    /// A message of `app-server`: an answer, a question or a notification.
    Message<'de> {
        id: CheckedJson<'de> = "id",
        method: Text<'de> = "method",
        params: CheckedJson<'de> = "params",
        result: CheckedJson<'de> = "result",
        error: RpcError = "error",
    }

    /// A line of `exec --json`.
    ExecLine<'de> {
        kind: Text<'de> = "type",
        thread_id: String = "thread_id",
        item: Item<'de> = "item",
        usage: TokenUsage = "usage",
        error: RpcError = "error",
        message: Text<'de> = "message",
    }

    /// Why a request of ours was refused.
    RpcError {
        message: String = "message",
    }

    /// Any answer.
    AnyAnswer<'de> {
        thread: CheckedJson<'de> = "thread",
        turn: CheckedJson<'de> = "turn",
        user_agent: CheckedJson<'de> = "userAgent",
    }

    /// The answer to `thread/start` and `thread/resume`.
    ThreadOpened {
        thread: Thread = "thread",
        model: String = "model",
        approval_policy: String = "approvalPolicy",
    }

    /// A conversation.
    Thread {
        id: String = "id",
        cli_version: String = "cliVersion",
    }

    /// The answer to `turn/start`.
    TurnOpened<'de> {
        turn: TurnState<'de> = "turn",
    }

    /// A turn.
    TurnState<'de> {
        id: String = "id",
        status: String = "status",
        error: TurnError<'de> = "error",
    }

    /// What notifications and questions tell.
    Params<'de> {
        thread_id: Text<'de> = "threadId",
        turn_id: Text<'de> = "turnId",
        turn: TurnState<'de> = "turn",
        item: Item<'de> = "item",
        item_id: Text<'de> = "itemId",
        delta: Text<'de> = "delta",
        summary_index: u64 = "summaryIndex",
        token_usage: ThreadUsage = "tokenUsage",
        rate_limits: CheckedJson<'de> = "rateLimits",
        error: TurnError<'de> = "error",
        will_retry: bool = "willRetry",
        message: Text<'de> = "message",
        summary: Text<'de> = "summary",
        details: Text<'de> = "details",
        status: Text<'de> = "status",
        plan: CheckedJson<'de> = "plan",
        request_id: CheckedJson<'de> = "requestId",
        command: Text<'de> = "command",
        cwd: Text<'de> = "cwd",
        reason: Text<'de> = "reason",
        proposed_execpolicy_amendment: CheckedJson<'de> = "proposedExecpolicyAmendment",
        permissions: CheckedJson<'de> = "permissions",
        server_name: Text<'de> = "serverName",
        meta: ElicitationMeta<'de> = "_meta",
    }

    /// What a server of tools wants to know of the user, where that is a permission.
    ElicitationMeta<'de> {
        kind: Text<'de> = "codex_approval_kind",
        tool_name: Text<'de> = "tool_name",
        tool_params: CheckedJson<'de> = "tool_params",
    }

    /// Something that happens in a turn: a message, a thought, the use of a tool.
    Item<'de> {
        kind: Text<'de> = "type",
        id: Text<'de> = "id",
        status: Text<'de> = "status",
        text: Text<'de> = "text",
        message: Text<'de> = "message",
        summary: Vec<Maybe<String>> = "summary",
        content: Vec<Maybe<String>> = "content",
        command: Text<'de> = "command",
        cwd: Text<'de> = "cwd",
        aggregated_output: Text<'de> = "aggregatedOutput" | "aggregated_output",
        exit_code: i64 = "exitCode" | "exit_code",
        changes: CheckedJson<'de> = "changes",
        server: Text<'de> = "server",
        tool: Text<'de> = "tool",
        arguments: CheckedJson<'de> = "arguments",
        result: CheckedJson<'de> = "result",
        error: RpcError = "error",
        success: bool = "success",
        query: Text<'de> = "query",
        action: CheckedJson<'de> = "action",
        items: CheckedJson<'de> = "items",
        prompt: Text<'de> = "prompt",
        model: Text<'de> = "model",
        path: Text<'de> = "path",
        receivers: Vec<Maybe<String>> = "receiverThreadIds" | "receiver_thread_ids",
    }

    /// A notification of a prompt.
    PromptParams<'de> {
        item: Prompt<'de> = "item",
    }

    /// A prompt, as codex repeats it.
    Prompt<'de> {
        kind: Text<'de> = "type",
        content: CheckedJson<'de> = "content",
    }

    /// A file that is changed.
    FileChange<'de> {
        path: Text<'de> = "path",
        kind: CheckedJson<'de> = "kind",
        diff: Text<'de> = "diff",
    }

    /// How a file is changed, in the words of `app-server`.
    ChangeKind<'de> {
        kind: Text<'de> = "type",
        move_path: Text<'de> = "move_path",
    }

    /// A step of a plan.
    Step<'de> {
        text: Text<'de> = "step" | "text",
        status: Text<'de> = "status",
        completed: bool = "completed",
    }

    /// What a tool of a server returned.
    McpResult<'de> {
        content: CheckedJson<'de> = "content",
    }

    /// A piece of that, or of a prompt.
    Content<'de> {
        kind: Text<'de> = "type",
        text: Text<'de> = "text",
    }

    /// What a thread has used since it began, and what its last request used.
    ThreadUsage {
        total: TokenUsage = "total",
        last: TokenUsage = "last",
        window: u64 = "modelContextWindow",
    }

    /// Tokens. Those of the cache are a part of the input, reasoning is a part of the output.
    #[expect(clippy::struct_field_names, reason = "codex's names")]
    #[derive(Clone, Copy)]
    TokenUsage {
        input_tokens: u64 = "inputTokens" | "input_tokens",
        cached_input_tokens: u64 = "cachedInputTokens" | "cached_input_tokens",
        cache_write_input_tokens: u64 = "cacheWriteInputTokens" | "cache_write_input_tokens",
        output_tokens: u64 = "outputTokens" | "output_tokens",
        reasoning_output_tokens: u64 = "reasoningOutputTokens" | "reasoning_output_tokens",
    }

    /// How much of an account is used up.
    RateLimits {
        primary: RateLimitWindow = "primary",
        secondary: RateLimitWindow = "secondary",
    }

    /// A limit over some time.
    RateLimitWindow {
        used_percent: f64 = "usedPercent",
        /// In seconds since the epoch.
        resets_at: u64 = "resetsAt",
    }

    /// Why a request to the model failed.
    TurnError<'de> {
        message: String = "message",
        info: CheckedJson<'de> = "codexErrorInfo",
        details: String = "additionalDetails",
    }

    /// What is known of a failed HTTP request.
    HttpInfo {
        status: u16 = "httpStatusCode",
    }

    /// A refusal as the model's API words it.
    ApiRefusal {
        error: RpcError = "error",
    }
}

impl RateLimitWindow {
    pub(super) fn is_used_up(&self) -> bool {
        self.used_percent.is_some_and(|percent| percent >= 100.0)
    }
}
