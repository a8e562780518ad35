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

const DONE: IteratorResult<StreamChunk, void> = { done: true, value: undefined }

/**
 * The chunks of a run as a generator. One that JavaScript makes of `async function*` would keep a `return()` waiting until
 * the agent says its next word; this one stops at once.
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

  async next(): Promise<IteratorResult<StreamChunk, void>> {
    while (!this.#over) {
      const step = await this.#step()
      if (this.#over) {
        break
      }
      if ('failure' in step) {
        try {
          return { done: false, value: this.#source.failed(step.failure) }
        } finally {
          this.#close()
        }
      }
      if (step.done) {
        this.#close()
      } else if (this.#source.pass(step.value)) {
        return { done: false, value: step.value }
      }
    }
    return DONE
  }

  async #step(): Promise<IteratorResult<StreamChunk, unknown> | { failure: unknown }> {
    this.#waiting++
    try {
      this.#iterator ??= this.#source.open()
      return await this.#iterator.next()
    } catch (failure) {
      return { failure }
    } finally {
      this.#waiting--
    }
  }

  /** Stops the run; resolves when it is over. */
  async return(): Promise<IteratorResult<StreamChunk, void>> {
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
  async throw(error: unknown): Promise<IteratorResult<StreamChunk, void>> {
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
