import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'

import type { Usage } from '../chunks.js'
import type { StreamChunk } from './chunks.js'
import { EventSource } from './event-source.js'
import { type ExecEvent, type ExecEventData, ExecEventType } from './events.js'

/** How much of a prompt is told. */
const PROMPT_LIMIT = 500
/** How many events the log keeps, the newest. */
const LOG_LIMIT = 10_000

/**
 * Tells what a session or a runner does to whoever listens. It rests on Node's EventEmitter; the events are made of the
 * chunks of any runner ({@link ExecEventEmitter.relay}) or told one by one (`emitToolStarted`, …).
 */
export class ExecEventEmitter extends EventSource {
  readonly #emitter: EventEmitter
  readonly #debug: boolean
  #log: ExecEvent[] = []
  #sessionId = `exec-${randomUUID()}`
  #active = false
  #thinking = false
  #parameters = new Map<string, Record<string, unknown>>()
  /** What the runner told last. */
  #told: StreamChunk | undefined

  /** `debug`: keep the newest 10,000 events for {@link ExecEventEmitter.getEventLog}. */
  constructor({ debug = false }: { debug?: boolean } = {}) {
    const emitter = new EventEmitter()
    super(emitter)
    this.#emitter = emitter
    this.#debug = debug
  }

  /** The id of the session whose events these are. */
  getSessionId(): string {
    return this.#sessionId
  }

  /** Whether the session has begun and not ended. */
  isActive(): boolean {
    return this.#active
  }

  /** The events so far, where `debug` is set. */
  getEventLog(): ExecEvent[] {
    return this.#log.slice(-LOG_LIMIT)
  }

  clearEventLog(): void {
    this.#log = []
  }

  /** Removes all listeners of a type, or of all. */
  removeAllListeners(type?: ExecEventType): this {
    // Told of an undefined type, Node's would take it for the name of one.
    this.#emitter.removeAllListeners(...(type === undefined ? [] : [type]))
    return this
  }

  /** Tells the events that a chunk stands for. For runners; a session tells what its runner has not told. */
  relay(chunk: StreamChunk): void {
    this.#told = chunk
    this.#tell(chunk)
  }

  /** @internal The same, unless the runner that the chunk comes from has just told it. */
  relayUntold(chunk: StreamChunk): void {
    const isTold = chunk === this.#told
    this.#told = undefined
    if (!isTold) {
      this.#tell(chunk)
    }
  }

  #tell(chunk: StreamChunk): void {
    const ofMainAgent = !('parentToolUseId' in chunk) || chunk.parentToolUseId === undefined
    if (chunk.type === 'thinking') {
      if (ofMainAgent && !this.#thinking) {
        this.#thinking = true
        this.emitThinkingStarted(chunk.content)
      }
      return
    }
    if (this.#thinking && ofMainAgent && chunk.type !== 'usage' && chunk.type !== 'status') {
      this.emitThinkingStopped()
    }
    this.#tellDeed(chunk, ofMainAgent)
  }

  /** All but thoughts. */
  #tellDeed(chunk: StreamChunk, ofMainAgent: boolean): void {
    switch (chunk.type) {
      case 'text_delta':
        if (ofMainAgent) {
          this.emitTextDelta(chunk.content)
        }
        break
      case 'tool_use':
        this.#remember(chunk.id, chunk.parameters)
        this.emitToolStarted(chunk.tool, chunk.id, chunk.parameters)
        break
      case 'tool_parameters':
        this.#remember(chunk.id, chunk.parameters)
        break
      case 'tool_result': {
        const { tool, id, success, error, data, duration } = chunk
        const parameters = this.#forget(id)
        if (success) {
          this.emitToolCompleted(tool, id, data, duration, parameters)
        } else {
          this.emitToolFailed(tool, error ?? 'the tool failed', id, duration, parameters)
        }
        break
      }
      case 'status':
        this.#emit(ExecEventType.STATUS_CHANGED, { status: chunk.status, detail: chunk.detail })
        break
      case 'usage': {
        const { type: _, ...usage } = chunk
        this.emitUsageUpdated(usage)
        break
      }
      case 'result':
        this.#parameters.clear()
        if (chunk.success !== false) {
          this.emitResponseCompleted(chunk.content)
        }
        break
      case 'error':
        this.#parameters.clear()
        this.emitErrorOccurred(chunk.error, chunk.code)
        break
      default:
    }
  }

  #remember(id: string | undefined, parameters: Record<string, unknown> | undefined): void {
    if (id !== undefined && parameters !== undefined) {
      this.#parameters.set(id, parameters)
    }
  }

  #forget(id: string | undefined): Record<string, unknown> | undefined {
    const parameters = id === undefined ? undefined : this.#parameters.get(id)
    this.#parameters.delete(id ?? '')
    return parameters
  }

  /** The session has begun; its id is that of the conversation, where there is one. */
  emitSessionStarted(options: { model?: string; provider?: string; sessionId?: string } = {}): void {
    const { model, provider, sessionId = this.#sessionId } = options
    this.#sessionId = sessionId
    this.#active = true
    this.#emit(ExecEventType.SESSION_STARTED, { sessionId, model, provider })
  }

  /** A prompt was given to the agent; of a long one the beginning is told. */
  emitPromptSubmitted(prompt: string, truncated = prompt.length > PROMPT_LIMIT): void {
    const told = truncated ? `${prompt.slice(0, PROMPT_LIMIT)}...` : prompt
    this.#emit(ExecEventType.PROMPT_SUBMITTED, { prompt: told, truncated })
  }

  emitThinkingStarted(content?: string): void {
    this.#emit(ExecEventType.THINKING_STARTED, { content })
  }

  emitThinkingStopped(): void {
    this.#thinking = false
    this.#emit(ExecEventType.THINKING_STOPPED, {})
  }

  /** @deprecated The name of Locus 0.14.x; use {@link ExecEventEmitter.emitThinkingStopped}. */
  emitThinkingStoped(): void {
    this.emitThinkingStopped()
  }

  emitToolStarted(toolName: string, toolId?: string, parameters?: Record<string, unknown>): void {
    this.#emit(ExecEventType.TOOL_STARTED, { toolName, toolId, ...(parameters && { parameters }) })
  }

  /** A tool has done its work, in `duration` milliseconds. */
  emitToolCompleted(
    toolName: string,
    toolId?: string,
    result?: unknown,
    duration?: number,
    parameters?: Record<string, unknown>,
  ): void {
    const known = { toolName, toolId, ...(parameters && { parameters }) }
    this.#emit(ExecEventType.TOOL_COMPLETED, { ...known, result, duration })
  }

  emitToolFailed(
    toolName: string,
    error: string,
    toolId?: string,
    duration?: number,
    parameters?: Record<string, unknown>,
  ): void {
    const known = { toolName, toolId, ...(parameters && { parameters }) }
    this.#emit(ExecEventType.TOOL_FAILED, { ...known, error, ...(duration !== undefined && { duration }) })
  }

  emitTextDelta(content: string): void {
    this.#emit(ExecEventType.TEXT_DELTA, { content })
  }

  emitUsageUpdated(usage: Usage): void {
    this.#emit(ExecEventType.USAGE_UPDATED, usage)
  }

  emitResponseCompleted(content: string): void {
    this.#emit(ExecEventType.RESPONSE_COMPLETED, { content })
  }

  emitErrorOccurred(error: string, code?: string): void {
    this.#emit(ExecEventType.ERROR_OCCURRED, { error, code })
  }

  emitSessionEnded(success: boolean): void {
    this.#active = false
    this.#emit(ExecEventType.SESSION_ENDED, { sessionId: this.#sessionId, success })
  }

  #emit<T extends ExecEventType>(type: T, data: ExecEventData[T]): void {
    if (!this.#debug && this.#emitter.listenerCount(type) === 0) {
      return
    }
    const event: ExecEvent<T> = { type, timestamp: Date.now(), data }
    if (this.#debug) {
      if (this.#log.push(event) === 2 * LOG_LIMIT) {
        this.#log = this.#log.slice(-LOG_LIMIT)
      }
    }
    try {
      this.#emitter.emit(type, event)
    } catch (error) {
      // An uncaught exception, as with every emitter, but not here: the turn is not to fail of a listener.
      process.nextTick(() => {
        throw error
      })
    }
  }
}
