import type { EventEmitter } from 'node:events'

import type { NativeRetryPolicy, NativeSession, NativeWaker } from '../index.js'
import type { PermissionRequestChunk, StreamChunk, Usage } from './chunks.js'
import { errorOfNative, execError } from './errors.js'
import { type ExecEvent, type ExecEventMap, ExecEventType } from './events.js'
import { JSON_LINES, type JsonLinesChunk } from './json-lines.js'
import { native } from './native.js'
import {
  budgetOf,
  checkedDecision,
  imagesOf,
  type PermissionDecision,
  type PermissionHandler,
  type SessionOptions,
  type Timeouts,
  type TurnOptions,
  toNative,
  watchdogs,
} from './options.js'
import { EventReader } from './reader.js'
import { nativePolicy } from './retry.js'

/** The engines by number. Weak, so that one that everybody has let go of ends with its agent. */
const engines = new Map<number, WeakRef<Engine>>()
const collected = new FinalizationRegistry<number>((number) => engines.delete(number))
let waker: NativeWaker | undefined
let lastNumber = 0

/** Where a session begins: at nothing, or where a stored one ended. */
export interface Beginning {
  sessionId?: string
  /** Keep the session on disk: in this folder, or at the usual place. */
  record?: { historyDir: string | undefined; stored: boolean }
  /** The agent's own id of the conversation to resume. */
  resume?: string
  /** What the conversation has used before. */
  spent?: Usage
  /** Told every chunk, before anybody else. */
  onChunk?: (chunk: StreamChunk) => void
}

/** What the engine tells the one turn under way. */
export interface TurnListener {
  /** Events have come after there were none. */
  onEvents(): void
  /** The turn was stopped: its last events are there, and taking them frees the session for the next turn. */
  onStopped(): void
}

/** What was taken: the chunk that an event is, or that it is none. */
export type Taken = StreamChunk | JsonLinesChunk | typeof NO_CHUNK | typeof TURN_ENDED

/** An event that is no chunk. */
export const NO_CHUNK = Symbol('no chunk')

/** The event that ended the turn. */
export const TURN_ENDED = Symbol('turn ended')

/**
 * A native session with its events: hands each to the emitter's listeners and to the turn under way, in one order.
 * Outside of turns it hands them to the listeners as they come.
 */
export class Engine {
  readonly sessionId: string
  readonly #native: NativeSession
  readonly #reader: EventReader
  readonly #emitter: EventEmitter<ExecEventMap>
  #onPermission: PermissionHandler | undefined
  readonly #onChunk: Beginning['onChunk']
  #projectPath: string
  #timeouts: Timeouts | undefined
  #retry: NativeRetryPolicy | undefined
  #turn: TurnListener | undefined
  #turnPermission: PermissionHandler | undefined
  #runId = ''
  #ended = false

  constructor(options: SessionOptions, emitter: EventEmitter<ExecEventMap>, beginning: Beginning = {}) {
    const { record, resume, spent, onChunk } = beginning
    this.#onChunk = onChunk
    this.#emitter = emitter
    this.#onPermission = options.onPermission
    this.#timeouts = options.timeouts
    watchdogs(options.timeouts)
    this.#retry = nativePolicy(options.retry)
    const asked = toNative(options)
    const { NativeSession, NativeWaker, newId } = native()
    const { sessionId = newId() } = beginning
    this.sessionId = sessionId
    const nativeOptions = {
      ...asked,
      resume,
      spent: spent && JSON.stringify(spent),
      record: record && { sessionId, ...record },
      jsonLines: options[JSON_LINES] ? sessionId : undefined,
    }
    waker ??= new NativeWaker((number) => {
      const engine = engines.get(number)?.deref()
      if (engine) engine.#wake()
    })
    this.#projectPath = nativeOptions.projectPath
    const number = ++lastNumber
    try {
      this.#native = new NativeSession(nativeOptions, waker, number)
    } catch (thrown) {
      throw errorOfNative(thrown)
    }
    this.#reader = new EventReader(this.#native)
    engines.set(number, new WeakRef(this))
    collected.register(this, number)
  }

  /** The id of the run under way, or of the last one. */
  get runId(): string {
    return this.#runId
  }

  /** What was said in the turn under way, or in the last one; of a very long answer its newest part. */
  get answer(): string {
    return this.#native.answer()
  }

  /** Begins a turn, whose events `listener` takes. Throws if it cannot begin; `failed` is told if the engine fails later. */
  begin(
    prompt: string,
    listener: TurnListener,
    options: TurnOptions,
    failed: (error: Error) => void,
    retold?: string,
  ): void {
    if (this.#ended) {
      throw execError('SESSION_ENDED', 'the session was ended; create or load another one')
    }
    this.#refuseWhileBusy()
    if (typeof prompt !== 'string' || prompt.trim() === '') {
      throw execError('INVALID_INPUT', 'the prompt is empty; say what the agent is to do')
    }
    const retry = options.retry === undefined ? this.#retry : nativePolicy(options.retry)
    const retryContext = options.retryContext && JSON.stringify(options.retryContext)
    const limits = { ...watchdogs(this.#timeouts, options.timeouts), budget: budgetOf(options.budget) }
    const images = imagesOf(options.images, this.#projectPath)
    this.#turn = listener
    this.#turnPermission = options.onPermission ?? this.#onPermission
    this.#runId = native().newId()
    const canAsk =
      this.#turnPermission !== undefined ||
      this.#emitter.listenerCount(ExecEventType.PERMISSION_REQUESTED) > 0
    this.#native
      .runTurn({ prompt, images, runId: this.#runId, canAsk, retold, retry, retryContext, ...limits })
      .catch((thrown: unknown) => {
        this.#turn = undefined
        const error = errorOfNative(thrown)
        // It began before the session was ended, and was overtaken on its way.
        const overtaken = error.code === 'SESSION_ENDED'
        failed(overtaken ? execError('CANCELLED', 'the session was ended while the turn began') : error)
      })
  }

  #refuseWhileBusy(): void {
    if (this.#turn) {
      throw execError(
        'SESSION_BUSY',
        'a turn of this session is still running; await its result or cancel it first',
      )
    }
  }

  /** Takes the next event, if there is one now; otherwise the listener of the turn will be told. */
  take(): Taken | undefined {
    const reader = this.#reader
    if (!reader.advance()) {
      return undefined
    }
    const { lines } = reader
    if (lines !== undefined) {
      return lines
    }
    const { type, chunk } = reader
    if (chunk !== undefined) {
      this.#onChunk?.(chunk)
    }
    if (type === ExecEventType.TURN_COMPLETED) {
      // Before its listeners are called: they may begin the next turn.
      this.#turnEnded()
    }
    if (this.#emitter.listenerCount(type) > 0) {
      this.#emit(type)
    }
    if (chunk === undefined) {
      return type === ExecEventType.TURN_COMPLETED ? TURN_ENDED : NO_CHUNK
    }
    if (chunk.type === 'permission_request' && this.#turnPermission) {
      void this.#ask(this.#turnPermission, chunk)
    }
    return chunk
  }

  #turnEnded(): void {
    this.#turn = undefined
    // No stream takes what comes between turns; without this the engine would not even tell that something came.
    setImmediate(() => this.#wake())
  }

  #emit(type: ExecEventType): void {
    const { seq, timestamp, data } = this.#reader
    const event: ExecEvent = { type, timestamp, seq, sessionId: this.sessionId, runId: this.#runId, data }
    try {
      this.#emitter.emit(type, event as never)
    } catch (error) {
      // An uncaught exception, as with every emitter, but not here: whoever takes the events is not to lose this one.
      process.nextTick(() => {
        throw error
      })
    }
  }

  #wake(): void {
    if (this.#turn) {
      this.#turn.onEvents()
    } else {
      while (this.take() !== undefined);
    }
  }

  async #ask(handler: PermissionHandler, request: PermissionRequestChunk): Promise<void> {
    try {
      await this.respond(request.id, await handler(request))
    } catch (error) {
      const message = `onPermission failed: ${error instanceof Error ? error.message : error}`
      // It is rejected when the session has ended meanwhile; then nobody waits for an answer.
      await this.respond(request.id, { behavior: 'deny', message }).catch(() => {})
    }
  }

  /** Answers a question for permission; whether there is such a question. */
  async respond(id: string, decision: PermissionDecision): Promise<boolean> {
    const answer = checkedDecision(decision)
    try {
      return answer.behavior === 'allow'
        ? await this.#native.allow(id, answer.updatedInput)
        : await this.#native.deny(id, answer.message)
    } catch (thrown) {
      throw errorOfNative(thrown)
    }
  }

  /** Stops the turn under way; resolves when it is over and the session is free for the next one. */
  async cancel(): Promise<void> {
    const turn = this.#turn
    do {
      await this.#native.cancel()
      turn?.onStopped()
      // A turn that has just begun may still be on its way to the engine, which then had nothing to stop.
    } while (turn !== undefined && this.#turn === turn)
  }

  /** Goes on with these options from the next turn on, and with the agent's own conversation `resume`. */
  async configure(options: SessionOptions, resume: string | undefined): Promise<void> {
    // A turn may be over for the agent and not for its listeners; what they are still told belongs to the old options.
    this.#refuseWhileBusy()
    watchdogs(options.timeouts)
    const retry = nativePolicy(options.retry)
    const nativeOptions = { ...toNative(options), resume }
    try {
      await this.#native.configure(nativeOptions)
    } catch (thrown) {
      throw errorOfNative(thrown)
    }
    this.#projectPath = nativeOptions.projectPath
    this.#onPermission = options.onPermission
    this.#timeouts = options.timeouts
    this.#retry = retry
  }

  /** Has what is kept with the conversation written down, as JSON; not after the end of the session. */
  noteContext(context: string): void {
    if (!this.#ended) {
      this.#native.noteContext(context)
    }
  }

  /** Has what is always allowed written down, as JSON; not after the end of the session. */
  noteRules(rules: string): void {
    if (!this.#ended) {
      this.#native.noteRules(rules)
    }
  }

  /** Resolves when everything so far is written down and survives a power cut. */
  async save(): Promise<void> {
    try {
      await this.#native.save()
    } catch (thrown) {
      throw errorOfNative(thrown)
    }
  }

  /** Ends the session with its process; the turn under way ends as cancelled. Does nothing the second time. */
  async end(): Promise<void> {
    this.#ended = true
    await this.#native.end()
    this.#turn?.onStopped()
    this.#wake()
  }
}
