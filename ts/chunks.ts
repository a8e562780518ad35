/** Who says what something cost: the agent, or the price table (for all of it or for a part). */
export type CostSource = 'agent' | 'prices'

/** Tokens and US dollars that one model used. */
export interface ModelUsage {
  /** Tokens sent that were not in the cache. */
  input: number
  /** Tokens generated, thinking included. */
  output: number
  /** Tokens read from the cache. */
  cacheRead: number
  /** Tokens written to the cache. */
  cacheWrite: number
  /** Those of `cacheWrite` that are kept for an hour, which costs more. */
  cacheWrite1h?: number
  /** Those of `output` that were spent on thinking; absent where the agent does not say. */
  thinking?: number
  /** Model requests of the main agent that were begun; absent where the agent does not say. */
  requests?: number
  /** US dollars; absent where they are not known, which is not the same as none. */
  costUsd?: number
  costSource?: CostSource
  /** `costUsd` is only what is known of the cost; the price of another part is not. */
  costPartial?: true
}

/** Tokens and US dollars of one turn, all its model requests and subagents together; never cumulative over turns. */
export interface Usage extends ModelUsage {
  /** The same by model, where the agent names them. */
  models?: Record<string, ModelUsage>
}

/** What a subagent says carries the id of the tool use that started it. */
interface FromSubagent {
  parentToolUseId?: string
}

/** A piece of the answer. */
export interface TextDeltaChunk extends FromSubagent {
  type: 'text_delta'
  content: string
}

/** The model thinks; `content` is a piece of the thought where the agent shows it. */
export interface ThinkingChunk extends FromSubagent {
  type: 'thinking'
  content?: string
}

/** The model began to ask for a tool; `parameters` are absent until a `tool_parameters` chunk with the same id. */
export interface ToolUseChunk extends FromSubagent {
  type: 'tool_use'
  tool: string
  id: string
  parameters?: Record<string, unknown>
}

/** The input of a tool is complete. */
export interface ToolParametersChunk extends FromSubagent {
  type: 'tool_parameters'
  tool: string
  id: string
  parameters: Record<string, unknown>
}

/** A tool has run, failed or was refused. */
export interface ToolResultChunk extends FromSubagent {
  type: 'tool_result'
  tool: string
  id: string
  success: boolean
  /** What went wrong. */
  error?: string
  /** Milliseconds from the complete input to the result; time spent on asking for permission included. */
  duration: number
  /** What the tool returned, in the agent's own shape. */
  data?: unknown
}

/**
 * What the agent is doing beside answering: `starting`, `initialized` (detail: model, permissionMode, agentVersion),
 * `requesting`, `retrying` (detail: attempt, maxRetries, delayMs, error; from the agent, which tries a request of its own again:
 * errorStatus; from the engine, which tries the turn again: code and how, which is `repeat` where the answer so far is void, or
 * `continue`), `compacting`, `compacted`,
 * `abandoned` (a stream that broke or was interrupted: of the message under way, the blocks from `from_block_index` of the
 * detail on are void; after a break they come again), `fallback` (an old version of the agent is spoken to in another way;
 * detail: reason), `context` (what the last request put
 * into the model's window; detail: tokens and, where the agent says how large it is, window), or an agent's own word.
 */
export interface StatusChunk {
  type: 'status'
  status: string
  detail?: Record<string, unknown>
}

/** The agent asks whether it may use a tool; answered by `onPermission` or `session.respond(id, …)`. */
export interface PermissionRequestChunk {
  type: 'permission_request'
  id: string
  tool: string
  parameters: Record<string, unknown>
  toolUseId?: string
  /** Rules that the agent suggests to add, in its own shape. */
  suggestions?: unknown[]
}

/** What this turn has used so far. */
export interface UsageChunk extends Usage {
  type: 'usage'
}

/** The turn is over; always its last chunk. */
export interface ResultChunk {
  type: 'result'
  /** The final answer; empty where there is none. */
  content: string
  success: boolean
  /** The agent's word (`end_turn`, …), `cancelled` or `error`. */
  stopReason: string
  usage: Usage
  /** Milliseconds from the prompt to this result. */
  durationMs: number
  /** Model requests made. */
  turns: number
  /** The agent's own id of the conversation, to resume it with. */
  agentSessionId?: string
}

/** What an attempt at a turn failed of. */
export interface FailedAttempt {
  /** Which attempt: 1, 2, 3, … */
  attempt: number
  /** The stable code; see `ErrorCode`. */
  code: string
  message: string
  /** The tool that was used last. */
  lastTool?: string
}

/** The turn failed; a `result` chunk with `success: false` follows. */
export interface ErrorChunk {
  type: 'error'
  /** The whole message, causes included. */
  error: string
  /** The stable code; see `ErrorCode`. */
  code: string
  /** Whether the same turn may succeed when tried again. */
  retryable: boolean
  retryAfterMs?: number
  /** When it may be tried again, in milliseconds since the epoch, where known. */
  resetsAt?: number
  causes?: string[]
  exitCode?: number
  signal?: string
  /** The last of what the agent wrote to stderr. */
  stderrTail?: string
  /** Another try was not made because the agent had changed something, which it might do twice. */
  needsConsent?: boolean
  /** The agent had used a tool that is not known to only look. */
  changed?: boolean
  /** What every attempt failed of, the last one included, where there were several. */
  attempts?: FailedAttempt[]
}

/** A line that could not be understood; the run goes on. */
export interface UnparsedChunk {
  type: 'unparsed'
  /** The line, capped at 2,000 characters. */
  line: string
  reason: string
}

/** One thing that an agent said, in words that all agents share. */
export type StreamChunk =
  | TextDeltaChunk
  | ThinkingChunk
  | ToolUseChunk
  | ToolParametersChunk
  | ToolResultChunk
  | StatusChunk
  | PermissionRequestChunk
  | UsageChunk
  | ResultChunk
  | ErrorChunk
  | UnparsedChunk
