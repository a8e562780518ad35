import type { ErrorChunk, ResultChunk, StreamChunk } from './chunks.js'
import { type Engine, NO_CHUNK, TURN_ENDED } from './engine.js'
import { errorOfChunk, execError } from './errors.js'
import type { JsonLinesChunk } from './json-lines.js'
import type { TurnOptions } from './options.js'

/** How a turn went. */
export interface ExecResult extends Omit<ResultChunk, 'type'> {
  /** The names of the tools that were used, each once, in the order of their first use. */
  toolsUsed: string[]
  sessionId: string
  runId: string
}

const DONE: IteratorResult<StreamChunk, undefined> = { done: true, value: undefined }

/**
 * For how long chunks are given without a turn of the event loop in between. An agent that is faster than its consumer
 * has always more; timers, signals and the consumer's own output would wait for its end.
 */
const MAX_BUSY_MS = 1
/** How many chunks are given between two looks at the clock. */
const CHUNKS_PER_LOOK = 64

interface Waiting {
  resolve(result: IteratorResult<StreamChunk, undefined>): void
  reject(error: Error): void
}

/**
 * The chunks of one turn, as they come.
 *
 * A turn that fails ends with an `error` chunk and a `result` chunk with `success: false`; the loop does not throw, but
 * `result` rejects. It throws for a turn that could not begin (`SessionBusyError`, `SessionEndedError`,
 * `InvalidInputError`). `break`, `return()`, `cancel()` and the signal of the options stop the turn.
 */
export class TurnStream implements AsyncIterableIterator<StreamChunk, undefined> {
  readonly #engine: Engine
  readonly #onEnd: () => void
  readonly #runId: string
  readonly #tools = new Set<string>()
  readonly #signal: AbortSignal | undefined
  readonly #abort = () => void this.cancel()
  readonly #whenOver: Array<() => void> = []
  /** Chunks that were taken when the turn was cancelled and that the loop has not read yet. */
  #left: StreamChunk[] = []
  #waiting: Waiting[] = []
  #given = 0
  #busySince = 0
  #dropping = false
  #reported = false
  #iterated = false
  #over = false
  #failure: Error | undefined
  #error: ErrorChunk | undefined
  #last: ResultChunk | undefined
  #settled: Promise<ExecResult> | undefined

  constructor(
    engine: Engine,
    prompt: string,
    options: TurnOptions,
    { retold, onEnd = () => {} }: { retold?: string; onEnd?: () => void } = {},
  ) {
    this.#engine = engine
    this.#onEnd = onEnd
    this.#signal = options.signal
    try {
      if (options.signal?.aborted) {
        throw execError('CANCELLED', 'the turn was cancelled before it began', {
          cause: options.signal.reason,
        })
      }
      engine.begin(prompt, this, options, (error) => this.#fail(error), retold)
      this.#signal?.addEventListener('abort', this.#abort, { once: true })
    } catch (error) {
      this.#fail(error as Error)
    }
    this.#runId = engine.runId
  }

  [Symbol.asyncIterator](): this {
    this.#iterated = true
    return this
  }

  next(): Promise<IteratorResult<StreamChunk, undefined>> {
    this.#iterated = true
    if (this.#waiting.length === 0) {
      if (++this.#given % CHUNKS_PER_LOOK === 0 && this.#isBusyForLong()) {
        setImmediate(() => this.#serve())
      } else {
        const value = this.#left.shift() ?? this.#take()
        if (value !== undefined) {
          return Promise.resolve({ done: false, value })
        }
        if (this.#over) {
          return this.#finish()
        }
      }
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  /** Stops the turn, and resolves when it is over. */
  async return(): Promise<IteratorResult<StreamChunk, undefined>> {
    await this.cancel()
    this.#left = []
    return DONE
  }

  /** Stops the turn, and rejects with the error when it is over. */
  async throw(error: unknown): Promise<IteratorResult<StreamChunk, undefined>> {
    await this.cancel()
    this.#left = []
    throw error
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cancel()
  }

  /**
   * Stops the turn: the agent is asked by its protocol first, then its process is ended. Resolves when the turn is over;
   * a loop still gets the chunks that it has not read yet. Does nothing when the turn is over.
   */
  async cancel(): Promise<void> {
    if (!this.#over) {
      await this.#engine.cancel()
    }
  }

  /**
   * How the turn went; rejects with a typed `ExecError` if it failed. Where nobody iterates over the chunks, they are
   * read and dropped (listeners of events get theirs).
   */
  get result(): Promise<ExecResult> {
    this.#settled ??= this.#settle()
    return this.#settled
  }

  async #settle(): Promise<ExecResult> {
    // A loop over the chunks may begin in the same tick as the result is asked for.
    await new Promise((resolve) => setImmediate(resolve))
    if (!this.#iterated) {
      this.#iterated = true
      this.#drop()
    }
    if (!this.#over) {
      await new Promise<void>((resolve) => this.#whenOver.push(resolve))
    }
    if (this.#failure) {
      throw this.#failure
    }
    if (this.#error || !this.#last) {
      const chunk = this.#error ?? {
        error: 'the turn ended without a result',
        code: 'INTERNAL',
        retryable: false,
      }
      throw errorOfChunk(chunk, this.#last, this.#signal?.aborted ? this.#signal.reason : undefined)
    }
    const { type: _, ...result } = this.#last
    return { ...result, toolsUsed: [...this.#tools], sessionId: this.#engine.sessionId, runId: this.#runId }
  }

  /** Takes the next chunk, if there is one now. */
  #take(): StreamChunk | undefined {
    while (!this.#over) {
      const taken = this.#engine.take()
      if (taken === undefined) {
        return undefined
      }
      if (taken === TURN_ENDED) {
        this.#end()
      } else if (taken !== NO_CHUNK) {
        if (taken.type !== 'text_delta') {
          this.#note(taken)
        }
        // Lines come only to those who have asked for them, and who know what they are.
        return taken as StreamChunk
      }
    }
    return undefined
  }

  #note(chunk: StreamChunk | JsonLinesChunk): void {
    if (chunk.type === 'tool_parameters') {
      this.#tools.add(chunk.tool)
    } else if (chunk.type === 'error') {
      this.#error = chunk
    } else if (chunk.type === 'result') {
      this.#last = chunk
    }
  }

  /** @internal Events have come. */
  onEvents(): void {
    if (this.#dropping) {
      this.#drop()
    } else {
      this.#serve()
    }
  }

  /** @internal The turn was stopped: takes what is left of it, wherever the loop over it may be. */
  onStopped(): void {
    if (this.#dropping) {
      this.#drop()
      return
    }
    for (let chunk = this.#take(); chunk !== undefined; chunk = this.#take()) {
      this.#left.push(chunk)
    }
    this.#serve()
  }

  /** Whether the event loop is to have a turn. */
  #isBusyForLong(): boolean {
    return performance.now() - this.#busySince > MAX_BUSY_MS
  }

  /** Gives the calls of `next` that wait what there is. */
  #serve(): void {
    this.#busySince = performance.now()
    while (this.#waiting.length > 0) {
      const value = this.#left.shift() ?? this.#take()
      if (value !== undefined) {
        this.#waiting.shift()?.resolve({ done: false, value })
      } else if (this.#over) {
        this.#releaseWaiting()
      } else {
        return
      }
    }
  }

  /** Reads to the end of the turn without keeping anything. */
  #drop(): void {
    this.#dropping = true
    this.#busySince = performance.now()
    do {
      for (let count = 0; count < CHUNKS_PER_LOOK; count++) {
        if (this.#take() === undefined) {
          return
        }
      }
    } while (!this.#isBusyForLong())
    setImmediate(() => this.#drop())
  }

  #fail(error: Error): void {
    this.#failure = error
    this.#end()
    this.#releaseWaiting()
  }

  #end(): void {
    this.#over = true
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#onEnd()
    for (const resolve of this.#whenOver.splice(0)) {
      resolve()
    }
  }

  /** What `next` gives when the turn is over: its failure to begin once, then the end. */
  #finish(): Promise<IteratorResult<StreamChunk, undefined>> {
    if (this.#failure && !this.#reported) {
      this.#reported = true
      return Promise.reject(this.#failure)
    }
    return Promise.resolve(DONE)
  }

  #releaseWaiting(): void {
    for (const { resolve, reject } of this.#waiting.splice(0)) {
      this.#finish().then(resolve, reject)
    }
  }
}
