import type { Usage } from './chunks.js'

/** What every record of a stored conversation has; records of unknown types are kept and may be among them. */
interface AnyRecord {
  /** Milliseconds since the epoch. */
  timestamp: number
}

/** The first record: what the conversation is. */
export interface SessionRecord extends AnyRecord {
  type: 'session'
  schema: number
  id: string
  createdAt: number
  projectPath: string
  provider: string
  model?: string
  title?: string
  forkedFrom?: string
  importedFrom?: string
}

/** What is kept of an image: not its pixels. */
export interface ImageInfo {
  /** Its path as it was given, or what it was called. */
  name: string
  mediaType: string
  bytes: number
}

/** A turn was asked for. Without a later `turn` record of the same run it was interrupted. */
export interface PromptRecord extends AnyRecord {
  type: 'prompt'
  runId: string
  content: string
  provider: string
  model?: string
  images?: ImageInfo[]
}

/** A piece of the main agent's answer. */
export interface TextRecord extends AnyRecord {
  type: 'text'
  runId: string
  content: string
}

/** The agent used a tool. */
export interface ToolUseRecord extends AnyRecord {
  type: 'tool_use'
  runId: string
  id: string
  tool: string
  parameters: Record<string, unknown>
  parentToolUseId?: string
}

/** A tool has run, failed or was refused. */
export interface ToolResultRecord extends AnyRecord {
  type: 'tool_result'
  runId: string
  id: string
  tool: string
  success: boolean
  error?: string
  durationMs?: number
  parentToolUseId?: string
}

/** An attempt at a turn failed, and another one was to follow. */
export interface RetryRecord extends AnyRecord {
  type: 'retry'
  runId: string
  attempt: number
  errorCode: string
  error: string
  delayMs: number
  /** `repeat`: what was said in the run before is void. */
  how: 'repeat' | 'continue'
}

/** A turn is over. */
export interface TurnRecord extends AnyRecord {
  type: 'turn'
  runId: string
  success: boolean
  stopReason?: string
  errorCode?: string
  error?: string
  durationMs: number
  toolsUsed: string[]
  usage?: Usage
  agentSessionId?: string
  /** The answer, where it differs from the text records of the run taken together. */
  content?: string
}

/** Something about the conversation has changed. */
export interface StateRecord extends AnyRecord {
  type: 'state'
  provider?: string
  model?: string
  agentSessionId?: string
  title?: string
  context?: object
  /** All that is always allowed in the conversation from here on. */
  rules?: StoredRule[]
}

/**
 * Something that was always allowed in a conversation. Whoever can write to the file can write such a record, so only a
 * seal that is right makes it a rule.
 */
export interface StoredRule {
  tool: string
  /** For a tool that runs commands: this one alone. */
  command?: string
  seal: string
}

/** A line of a stored conversation. */
export type StoredRecord =
  | SessionRecord
  | PromptRecord
  | TextRecord
  | ToolUseRecord
  | ToolResultRecord
  | RetryRecord
  | TurnRecord
  | StateRecord
