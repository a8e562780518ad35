import type * as engine from '../chunks.js'

/** The input of a tool, as the agent wrote it. */
export type ToolParams = Record<string, unknown>

/** A piece of the answer. */
export interface TextDeltaChunk {
  type: 'text_delta'
  content: string
  /** Set on what a subagent says. */
  parentToolUseId?: string
}

/** A tool is asked for. */
export interface ToolUseChunk {
  type: 'tool_use'
  tool: string
  id?: string
  parameters?: ToolParams
  parentToolUseId?: string
}

/** The input of a tool is complete. */
export interface ToolParametersChunk {
  type: 'tool_parameters'
  tool: string
  id?: string
  parameters: ToolParams
  parentToolUseId?: string
}

/** A tool has run, failed or was refused. */
export interface ToolResultChunk {
  type: 'tool_result'
  tool: string
  id?: string
  success: boolean
  error?: string
  /** Milliseconds. */
  duration?: number
  /** What the tool returned, in the agent's own shape. */
  data?: unknown
  parentToolUseId?: string
}

/** The model thinks. */
export interface ThinkingChunk {
  type: 'thinking'
  content?: string
  parentToolUseId?: string
}

/** The turn is over. The native runners give all fields of the engine's; any other runner needs only the content. */
export interface ResultChunk extends Partial<Omit<engine.ResultChunk, 'type' | 'content'>> {
  type: 'result'
  content: string
}

/** The turn failed. The native runners give all fields of the engine's; any other runner needs only the message. */
export interface ErrorChunk extends Partial<Omit<engine.ErrorChunk, 'type' | 'error'>> {
  type: 'error'
  error: string
}

/**
 * What an AI runner says, in the shapes of Locus 0.14.x: every chunk of the engine is one of these, and so is every chunk
 * of a runner that was written for Locus. The last four are new.
 */
export type StreamChunk =
  | TextDeltaChunk
  | ToolUseChunk
  | ToolParametersChunk
  | ToolResultChunk
  | ThinkingChunk
  | ResultChunk
  | ErrorChunk
  | engine.StatusChunk
  | engine.PermissionRequestChunk
  | engine.UsageChunk
  | engine.UnparsedChunk
