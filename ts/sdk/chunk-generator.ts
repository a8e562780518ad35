import type { StreamChunk } from './chunks.js'

/** Where the chunks of a generator come from, and who looks at them on their way. */
export interface ChunkSource {
  /** Begins; called with the first `next`. */
  open(): AsyncIterator<StreamChunk, unknown>
  /** Looks at a chunk; whether it is given on. */
  pass(chunk: StreamChunk): boolean
  /** What is given, as the last chunk, in place of an error; or throws. */
  failed(error: unknown): StreamChunk
  /** Has what is open stop soon, also while a `next` waits for it. */
  interrupt(): void
  /** It is over, by itself or because it was stopped; called once. */
  closed(wasStopped: boolean): void
}

type Step = IteratorResult<StreamChunk, void>

const DONE: Step = { done: true, value: undefined }

/**
 * The chunks of a run as a generator. One that JavaScript makes of `async function*` would keep a `return()` waiting until
 * the agent says its next word; this one stops at once, and costs one promise for a chunk.
 */
export class ChunkGenerator implements AsyncGenerator<StreamChunk, void, unknown> {
  readonly #source: ChunkSource
  #iterator: AsyncIterator<StreamChunk, unknown> | undefined
  #waiting = 0
  #over = false

  constructor(source: ChunkSource) {
    this.#source = source
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<Step> {
    if (this.#over) {
      return Promise.resolve(DONE)
    }
    try {
      this.#iterator ??= this.#source.open()
      this.#waiting++
      return this.#iterator.next().then(this.#stepped, this.#failed)
    } catch (failure) {
      return this.#failed(failure)
    }
  }

  readonly #stepped = (step: IteratorResult<StreamChunk, unknown>): Step | Promise<Step> => {
    this.#waiting--
    if (this.#over) {
      return DONE
    }
    if (step.done) {
      this.#close()
      return DONE
    }
    return this.#source.pass(step.value) ? step : this.next()
  }

  readonly #failed = async (failure: unknown): Promise<Step> => {
    this.#waiting = 0
    if (this.#over) {
      return DONE
    }
    try {
      return { done: false, value: this.#source.failed(failure) }
    } finally {
      this.#close()
    }
  }

  /** Stops the run; resolves when it is over. */
  async return(): Promise<Step> {
    if (this.#over) {
      return DONE
    }
    // What waits is told that it is over, whatever comes.
    this.#over = true
    try {
      if (this.#waiting > 0) {
        this.#source.interrupt()
      }
      await this.#iterator?.return?.()
    } finally {
      this.#source.closed(true)
    }
    return DONE
  }

  /** Stops the run, and rejects with the error when it is over. */
  async throw(error: unknown): Promise<Step> {
    await this.return()
    throw error
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  #close(): void {
    this.#over = true
    this.#source.closed(false)
  }
}
