import type {
  ErrorChunk,
  PermissionRequestChunk,
  ResultChunk,
  StatusChunk,
  StreamChunk,
  ToolResultChunk,
  UnparsedChunk,
  Usage,
} from './chunks.js'
import type { ImageInfo } from './records.js'

/** The names of all events, the same as in the Rust core (`src/event.rs`). */
export const ExecEventType = {
  SESSION_STARTED: 'session:started',
  PROMPT_SUBMITTED: 'prompt:submitted',
  TURN_STARTED: 'turn:started',
  TEXT_DELTA: 'text:delta',
  THINKING_STARTED: 'thinking:started',
  THINKING_DELTA: 'thinking:delta',
  THINKING_STOPPED: 'thinking:stopped',
  TOOL_REQUESTED: 'tool:requested',
  TOOL_STARTED: 'tool:started',
  TOOL_COMPLETED: 'tool:completed',
  TOOL_FAILED: 'tool:failed',
  STATUS_CHANGED: 'status:changed',
  PERMISSION_REQUESTED: 'permission:requested',
  PERMISSION_RESOLVED: 'permission:resolved',
  RETRY_SCHEDULED: 'retry:scheduled',
  USAGE_UPDATED: 'usage:updated',
  RESPONSE_COMPLETED: 'response:completed',
  ERROR_OCCURRED: 'error:occurred',
  LINE_UNPARSED: 'line:unparsed',
  TURN_COMPLETED: 'turn:completed',
  SESSION_ENDED: 'session:ended',
} as const

/** The name of an event. */
export type ExecEventType = (typeof ExecEventType)[keyof typeof ExecEventType]

/** The events that are facts of the run itself; each of the others is a chunk that the agent said. */
export const FACTS: ReadonlySet<ExecEventType> = new Set([
  ExecEventType.SESSION_STARTED,
  ExecEventType.PROMPT_SUBMITTED,
  ExecEventType.TURN_STARTED,
  ExecEventType.THINKING_STARTED,
  ExecEventType.THINKING_STOPPED,
  ExecEventType.PERMISSION_RESOLVED,
  ExecEventType.RETRY_SCHEDULED,
  ExecEventType.TURN_COMPLETED,
  ExecEventType.SESSION_ENDED,
])

interface FromSubagent {
  parentToolUseId?: string
}

interface ToolOutcome extends FromSubagent {
  toolName: string
  toolId: string
  /** Milliseconds. */
  duration: number
  /** What the tool returned, in the agent's own shape. */
  result?: unknown
}

/** The `data` of each event. */
export interface ExecEventData {
  'session:started': { provider: string; model?: string; projectPath: string }
  'prompt:submitted': { prompt: string; images?: ImageInfo[] }
  'turn:started': { runId: string; turn: number; warm: boolean }
  'text:delta': FromSubagent & { content: string }
  'thinking:started': Record<string, never>
  'thinking:delta': FromSubagent & { content?: string }
  'thinking:stopped': Record<string, never>
  'tool:requested': FromSubagent & { toolName: string; toolId: string }
  'tool:started': FromSubagent & { toolName: string; toolId: string; parameters: Record<string, unknown> }
  'tool:completed': ToolOutcome
  'tool:failed': ToolOutcome & { error: string }
  'status:changed': Omit<StatusChunk, 'type'>
  'permission:requested': Omit<PermissionRequestChunk, 'type'>
  'permission:resolved': {
    id: string
    tool: string
    behavior: 'allow' | 'deny' | 'withdrawn'
    /** `policy`: the options; `user`: an answer; `default`: nobody was there to ask; `agent`: it took the question back. */
    decidedBy: 'policy' | 'user' | 'default' | 'agent'
    message?: string
  }
  'retry:scheduled': {
    /** Which attempt comes next: 2, 3, … */
    attempt: number
    /** How many tries the policy allows. */
    maxTries: number
    /** What the attempt failed of. */
    code: string
    message: string
    /** Milliseconds until the next attempt. */
    delayMs: number
    /** When a limit is reset that is waited for, in milliseconds since the epoch. */
    until?: number
    /** `repeat`: with the same prompt, and the answer so far is void; `continue`: the agent goes on where it stopped. */
    how: 'repeat' | 'continue'
  }
  'usage:updated': Usage
  'response:completed': Omit<ResultChunk, 'type'>
  'error:occurred': Omit<ErrorChunk, 'type' | 'error'> & { message: string }
  'line:unparsed': Omit<UnparsedChunk, 'type'>
  'turn:completed': {
    runId: string
    success: boolean
    code?: string
    durationMs: number
    toolsUsed: string[]
    usage: Usage
  }
  'session:ended': { turns: number }
}

/** Something that a run did, as a fact in the past tense. */
export interface ExecEvent<T extends ExecEventType = ExecEventType> {
  type: T
  /** Milliseconds since the epoch. */
  timestamp: number
  /** Its place in the session's sequence: 1, 2, 3, … without gaps. */
  seq: number
  sessionId: string
  /** The run that it belongs to: one turn of one agent process. Empty before the first. */
  runId: string
  data: ExecEventData[T]
}

/** The listeners' arguments by event, for Node's EventEmitter. */
export type ExecEventMap = { [T in ExecEventType]: [ExecEvent<T>] }

/** The `data` of the event that a chunk is. */
export function dataOfChunk(chunk: StreamChunk): ExecEventData[ExecEventType] {
  switch (chunk.type) {
    case 'tool_use':
    case 'tool_parameters': {
      const { type: _, tool: toolName, id: toolId, ...rest } = chunk
      return { toolName, toolId, ...rest }
    }
    case 'tool_result':
      return dataOfToolResult(chunk)
    case 'error': {
      const { type: _, error: message, ...rest } = chunk
      return { message, ...rest }
    }
    default: {
      const { type: _, ...rest } = chunk
      return rest
    }
  }
}

function dataOfToolResult(chunk: ToolResultChunk): ToolOutcome {
  const { type: _, tool: toolName, id: toolId, success: __, data: result, ...rest } = chunk
  return { toolName, toolId, ...rest, ...(result === undefined ? {} : { result }) }
}
