import type { Usage } from '../chunks.js'
import { ExecEventType as All } from '../events.js'

/** The names of the events that this SDK tells; each is the same as the engine's. */
export const ExecEventType = {
  SESSION_STARTED: All.SESSION_STARTED,
  PROMPT_SUBMITTED: All.PROMPT_SUBMITTED,
  THINKING_STARTED: All.THINKING_STARTED,
  THINKING_STOPPED: All.THINKING_STOPPED,
  TOOL_STARTED: All.TOOL_STARTED,
  TOOL_COMPLETED: All.TOOL_COMPLETED,
  TOOL_FAILED: All.TOOL_FAILED,
  TEXT_DELTA: All.TEXT_DELTA,
  RESPONSE_COMPLETED: All.RESPONSE_COMPLETED,
  ERROR_OCCURRED: All.ERROR_OCCURRED,
  SESSION_ENDED: All.SESSION_ENDED,
  STATUS_CHANGED: All.STATUS_CHANGED,
  USAGE_UPDATED: All.USAGE_UPDATED,
} as const

/** The name of an event. */
export type ExecEventType = (typeof ExecEventType)[keyof typeof ExecEventType]

interface ToolData {
  toolName: string
  toolId?: string
  parameters?: Record<string, unknown>
}

/** The `data` of each event. */
export interface ExecEventData {
  'session:started': { sessionId: string; model?: string; provider?: string }
  /** `truncated`: only the first 500 characters of the prompt are told. */
  'prompt:submitted': { prompt: string; truncated?: boolean }
  'thinking:started': { content?: string }
  'thinking:stopped': Record<string, never>
  'tool:started': ToolData
  /** `duration`: milliseconds. */
  'tool:completed': ToolData & { result?: unknown; duration?: number }
  'tool:failed': ToolData & { error: string; duration?: number }
  'text:delta': { content: string }
  'response:completed': { content: string }
  'error:occurred': { error: string; code?: string }
  'session:ended': { sessionId: string; success: boolean }
  'status:changed': { status: string; detail?: Record<string, unknown> }
  /** What the turn has used so far. */
  'usage:updated': Usage
}

/** Something that a session did. */
export interface ExecEvent<T extends ExecEventType = ExecEventType> {
  type: T
  /** Milliseconds since the epoch. */
  timestamp: number
  data: ExecEventData[T]
}

/** Each event by its name. */
export type ExecEventMap = { [T in ExecEventType]: ExecEvent<T> }

/** Is told events. */
export type ExecEventListener<T extends ExecEvent = ExecEvent> = (event: T) => void
