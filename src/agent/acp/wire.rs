//! What agents write by the Agent Client Protocol, version 1, as far as it is understood. The shapes are those of the
//! protocol's published schema; what stands under `_meta` is the agents' own.

use crate::agent::json::CheckedJson;
use crate::agent::lenient::{Text, objects};

objects! {
    /// A message: an answer, a question or a notification.
    Message<'de> {
        id: CheckedJson<'de> = "id",
        method: Text<'de> = "method",
        params: CheckedJson<'de> = "params",
        result: CheckedJson<'de> = "result",
        error: RpcError<'de> = "error",
    }

    /// Why a request of ours was refused.
    RpcError<'de> {
        code: i64 = "code",
        message: String = "message",
        data: CheckedJson<'de> = "data",
    }

    /// What the data of an error tells, by whatever name.
    ErrorData<'de> {
        details: Text<'de> = "details" | "message" | "detail" | "error",
        status: u16 = "status" | "statusCode" | "httpStatus",
        word: Text<'de> = "type" | "code" | "errorKind",
    }

    /// The answer to any request.
    Answer<'de> {
        protocol_version: u64 = "protocolVersion",
        capabilities: Capabilities<'de> = "agentCapabilities",
        auth_methods: CheckedJson<'de> = "authMethods",
        agent: AgentInfo = "agentInfo",
        session_id: String = "sessionId",
        models: Models<'de> = "models",
        modes: Modes<'de> = "modes",
        config_options: CheckedJson<'de> = "configOptions",
        stop_reason: Text<'de> = "stopReason",
        usage: TokenUsage = "usage",
        meta: Meta<'de> = "_meta",
    }

    /// Who answers.
    AgentInfo {
        name: String = "name",
        title: String = "title",
        version: String = "version",
    }

    /// What an agent can do.
    Capabilities<'de> {
        load_session: bool = "loadSession",
        prompt: PromptCapabilities = "promptCapabilities",
        session: SessionCapabilities<'de> = "sessionCapabilities",
    }

    /// What a prompt may have beside text.
    PromptCapabilities {
        image: bool = "image",
    }

    /// What it can do with conversations; what is there at all, it can.
    SessionCapabilities<'de> {
        resume: CheckedJson<'de> = "resume",
        system_prompt: CheckedJson<'de> = "systemPrompt",
    }

    /// How a user can log in.
    AuthMethod<'de> {
        id: Text<'de> = "id",
        name: Text<'de> = "name",
    }

    /// The models of a conversation, before they became an option.
    Models<'de> {
        current: String = "currentModelId",
        available: CheckedJson<'de> = "availableModels",
    }

    /// The permission modes of a conversation, before they became an option.
    Modes<'de> {
        current: String = "currentModeId",
        available: CheckedJson<'de> = "availableModes",
    }

    /// Something of a conversation that can be chosen.
    ConfigOption<'de> {
        id: String = "id",
        category: Text<'de> = "category",
        current: String = "currentValue",
        options: CheckedJson<'de> = "options",
    }

    /// One thing to choose, or a group of them.
    Choice<'de> {
        id: String = "value" | "modelId" | "id",
        name: String = "name",
        options: CheckedJson<'de> = "options",
    }

    /// What `session/update` tells, and `session/request_permission` asks about.
    Params<'de> {
        session_id: Text<'de> = "sessionId",
        update: Update<'de> = "update",
        tool_call: Update<'de> = "toolCall",
        options: CheckedJson<'de> = "options",
        request_id: CheckedJson<'de> = "requestId",
    }

    /// A piece of a message, the use of a tool, a plan, or something about the conversation.
    Update<'de> {
        kind: Text<'de> = "sessionUpdate",
        content: CheckedJson<'de> = "content",
        message: Text<'de> = "messageId",
        id: Text<'de> = "toolCallId",
        tool: Text<'de> = "name",
        tool_kind: Text<'de> = "kind",
        title: Text<'de> = "title",
        status: Text<'de> = "status",
        locations: CheckedJson<'de> = "locations",
        input: CheckedJson<'de> = "rawInput",
        output: CheckedJson<'de> = "rawOutput",
        entries: CheckedJson<'de> = "entries",
        cost: Cost = "cost",
        used: u64 = "used",
        size: u64 = "size",
        mode: Text<'de> = "currentModeId",
        severity: Text<'de> = "severity",
        description: Text<'de> = "description",
        meta: Meta<'de> = "_meta",
    }

    /// What agents add: the tool's name, the tool use that a subagent works for, tokens.
    Meta<'de> {
        tool: Text<'de> = "toolName",
        parent: Text<'de> = "parentToolCallId" | "parentToolUseId",
        claude: ClaudeMeta<'de> = "claudeCode",
        usage: TokenUsage = "usage",
        quota: Quota = "quota",
    }

    /// The same by Claude Code's adapter.
    ClaudeMeta<'de> {
        tool: Text<'de> = "toolName",
        parent: Text<'de> = "parentToolUseId",
    }

    /// Gemini's tokens of a turn.
    Quota {
        tokens: TokenUsage = "token_count",
    }

    /// Tokens. Whether those of the cache are a part of the input shows in the total.
    #[derive(Clone, Copy)]
    TokenUsage {
        input: u64 = "inputTokens" | "input_tokens",
        output: u64 = "outputTokens" | "output_tokens",
        thought: u64 = "thoughtTokens",
        cached_read: u64 = "cachedReadTokens",
        cached_write: u64 = "cachedWriteTokens",
        total: u64 = "totalTokens",
    }

    /// What a conversation has cost since it began.
    Cost {
        amount: f64 = "amount",
        currency: String = "currency",
    }

    /// A piece of what a tool returned: content, a change of a file, a terminal; or a piece of a message.
    Content<'de> {
        kind: Text<'de> = "type",
        text: Text<'de> = "text",
        inner: CheckedJson<'de> = "content",
        resource: CheckedJson<'de> = "resource",
        uri: Text<'de> = "uri",
        mime_type: Text<'de> = "mimeType",
        path: Text<'de> = "path",
        old_text: Text<'de> = "oldText",
        new_text: Text<'de> = "newText",
    }

    /// What a tool returned, as opencode has it.
    Output {
        metadata: OutputMetadata = "metadata",
    }

    /// What a command left with.
    OutputMetadata {
        exit: i64 = "exit",
    }

    /// A step of a plan.
    PlanEntry<'de> {
        content: Text<'de> = "content",
        status: Text<'de> = "status",
    }

    /// An answer that a question may have.
    PermissionOption {
        id: String = "optionId",
        kind: String = "kind",
    }
}
