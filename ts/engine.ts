import { randomUUID } from 'node:crypto'
import type { EventEmitter } from 'node:events'

import type { NativeSession } from '../index.js'
import type { PermissionRequestChunk, StreamChunk } from './chunks.js'
import { errorOfNative, execError } from './errors.js'
import { type ExecEvent, type ExecEventMap, ExecEventType } from './events.js'
import { native } from './native.js'
import { type PermissionDecision, type PermissionHandler, type SessionOptions, toNative } from './options.js'
import { EventReader } from './reader.js'

/** What the engine tells the one turn under way. */
export interface TurnListener {
  /** Events have come after there were none. */
  onEvents(): void
}

/** An event that was taken: the chunk that it is, and whether it ended the turn. */
export interface Taken {
  chunk: StreamChunk | undefined
  turnEnded: boolean
}

/**
 * A native session with its events: hands each to the emitter's listeners and to the turn under way, in one order.
 * Outside of turns it hands them to the listeners as they come.
 */
export class Engine {
  readonly sessionId = randomUUID()
  readonly #native: NativeSession
  readonly #reader: EventReader
  readonly #emitter: EventEmitter<ExecEventMap>
  readonly #onPermission: PermissionHandler | undefined
  #turn: TurnListener | undefined
  #turnPermission: PermissionHandler | undefined
  #runId = ''
  #ended = false

  constructor(options: SessionOptions, emitter: EventEmitter<ExecEventMap>) {
    this.#emitter = emitter
    this.#onPermission = options.onPermission
    const nativeOptions = toNative(options)
    try {
      this.#native = new (native().NativeSession)(nativeOptions, () => this.#wake())
    } catch (thrown) {
      throw errorOfNative(thrown)
    }
    this.#reader = new EventReader(this.#native)
  }

  /** The id of the run under way, or of the last one. */
  get runId(): string {
    return this.#runId
  }

  /** Begins a turn, whose events `listener` takes. Throws if it cannot begin; `failed` is told if the engine fails later. */
  begin(prompt: string, listener: TurnListener, onPermission: PermissionHandler | undefined, failed: (error: Error) => void): void {
    if (this.#ended) {
      throw execError('SESSION_ENDED', 'the session was ended; create or load another one')
    }
    if (this.#turn) {
      throw execError('SESSION_BUSY', 'a turn of this session is still running; await its result or cancel it first')
    }
    if (typeof prompt !== 'string' || prompt.trim() === '') {
      throw execError('INVALID_INPUT', 'the prompt is empty; say what the agent is to do')
    }
    this.#turn = listener
    this.#turnPermission = onPermission ?? this.#onPermission
    this.#runId = randomUUID()
    const canAsk =
      this.#turnPermission !== undefined || this.#emitter.listenerCount(ExecEventType.PERMISSION_REQUESTED) > 0
    this.#native.runTurn(prompt, this.#runId, canAsk).catch((thrown: unknown) => {
      this.#turn = undefined
      failed(errorOfNative(thrown))
    })
  }

  /** Takes the next event, if there is one now; otherwise the listener of the turn will be told. */
  take(): Taken | undefined {
    const reader = this.#reader
    if (!reader.advance()) {
      return undefined
    }
    const type = reader.type
    const turnEnded = type === ExecEventType.TURN_COMPLETED
    if (turnEnded) {
      this.#turn = undefined
    }
    const { chunk } = reader
    if (this.#emitter.listenerCount(type) > 0) {
      this.#emitter.emit(type, this.#event(type) as never)
    }
    if (chunk?.type === 'permission_request' && this.#turnPermission) {
      void this.#ask(this.#turnPermission, chunk)
    }
    return { chunk, turnEnded }
  }

  #event(type: ExecEventType): ExecEvent {
    const { seq, timestamp, data } = this.#reader
    return { type, timestamp, seq, sessionId: this.sessionId, runId: this.#runId, data }
  }

  #wake(): void {
    if (this.#turn) {
      this.#turn.onEvents()
    } else {
      while (this.take() !== undefined);
    }
  }

  async #ask(handler: PermissionHandler, request: PermissionRequestChunk): Promise<void> {
    let decision: PermissionDecision
    try {
      decision = await handler(request)
    } catch (error) {
      decision = { behavior: 'deny', message: `onPermission failed: ${error instanceof Error ? error.message : error}` }
    }
    await this.respond(request.id, decision)
  }

  /** Answers a question for permission; whether there is such a question. */
  async respond(id: string, decision: PermissionDecision): Promise<boolean> {
    try {
      if (decision.behavior === 'allow') {
        const { updatedInput } = decision
        return await this.#native.allow(id, updatedInput === undefined ? undefined : JSON.stringify(updatedInput))
      }
      return await this.#native.deny(id, decision.message ?? 'the user said no')
    } catch (thrown) {
      throw errorOfNative(thrown)
    }
  }

  /** Stops the turn under way; resolves when it is over. Its last events are still to be taken. */
  cancel(): Promise<void> {
    return this.#native.cancel()
  }

  /** Ends the session with its process; the turn under way ends as cancelled. Does nothing the second time. */
  async end(): Promise<void> {
    this.#ended = true
    await this.#native.end()
    this.#wake()
  }
}
