import { randomUUID } from 'node:crypto'

import type * as engine from '../chunks.js'
import { NO_USAGE } from '../usage.js'
import type { StreamChunk } from './chunks.js'

/**
 * Completes the chunks of any runner to those of the engine, so that one code looks at both. A chunk of a tool without an
 * id gets that of the last open use of the tool.
 */
export class EngineChunks {
  readonly #open = new Map<string, string>()

  of(chunk: StreamChunk): engine.StreamChunk {
    switch (chunk.type) {
      case 'tool_use': {
        const id = chunk.id ?? randomUUID()
        this.#open.set(chunk.tool, id)
        return { ...chunk, id }
      }
      case 'tool_parameters':
        return { ...chunk, id: chunk.id ?? this.#idOf(chunk.tool) }
      case 'tool_result': {
        const id = chunk.id ?? this.#idOf(chunk.tool)
        this.#open.delete(chunk.tool)
        return { ...chunk, id, duration: chunk.duration ?? 0 }
      }
      case 'result':
        return { success: true, stopReason: 'end_turn', usage: NO_USAGE, durationMs: 0, turns: 1, ...chunk }
      case 'error':
        return { code: 'UNKNOWN', retryable: false, ...chunk }
      default:
        return chunk
    }
  }

  #idOf(tool: string): string {
    return this.#open.get(tool) ?? randomUUID()
  }
}
