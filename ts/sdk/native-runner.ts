import { asExecError } from '../classify.js'
import { StreamingExecutor } from '../executor.js'
import type { SessionOptions } from '../options.js'
import type { TurnStream } from '../stream.js'
import type { AiRunner, LogFn, RunOptions } from './ai-runner.js'
import { ChunkGenerator } from './chunk-generator.js'
import type { ErrorChunk, StreamChunk } from './chunks.js'
import type { ExecEventEmitter } from './event-emitter.js'

/** How long a run may take, in milliseconds, where nothing else is said: half an hour. */
export const DEFAULT_TIMEOUT_MS = 30 * 60 * 1000

/**
 * Runs prompts by the engine: each is a turn of a {@link StreamingExecutor}, in an agent process of its own that ends, with
 * all that it started, when the turn is over or stopped.
 *
 * A run that fails ends with an `error` chunk, which has the code of the failure, and mostly a `result` chunk with
 * `success: false`; a stream never throws. What a subagent says is left out; the tools that it uses are there.
 */
export class NativeRunner implements AiRunner {
  readonly #options: SessionOptions
  readonly #executor: StreamingExecutor
  readonly #log: LogFn | undefined
  readonly #running = new Set<TurnStream>()
  #emitter: ExecEventEmitter | undefined

  constructor(options: SessionOptions, log?: LogFn) {
    this.#options = options
    this.#executor = new StreamingExecutor(options)
    this.#log = log
  }

  /** Resolves with the answer; rejects with a typed `ExecError`. */
  async run(prompt: string, options: RunOptions = {}): Promise<string> {
    const stream = this.#begin(prompt, options)
    try {
      for await (const chunk of stream) {
        this.#observe(chunk)
      }
      return (await stream.result).content
    } finally {
      this.#running.delete(stream)
    }
  }

  /** Gives what is said as it comes. `break`, `return()` and the signal stop the agent and all that it started. */
  runStream(prompt: string, options: RunOptions = {}): AsyncGenerator<StreamChunk, void, unknown> {
    let stream: TurnStream | undefined
    return new ChunkGenerator({
      open: () => {
        stream = this.#begin(prompt, options)
        return stream
      },
      pass: (chunk) => this.#observe(chunk),
      failed: (error) => {
        const chunk = errorChunkOf(error)
        this.#observe(chunk)
        return chunk
      },
      interrupt: () => {},
      closed: () => {
        if (stream) {
          this.#running.delete(stream)
        }
      },
    })
  }

  /** Has the events of every run told to an emitter. A session tells its own: it needs none to be set. */
  setEventEmitter(emitter: ExecEventEmitter): void {
    this.#emitter = emitter
  }

  /** Stops what runs: the agents by their protocol first, then with all that they started. Their streams end. */
  abort(): void {
    for (const stream of this.#running) {
      void stream.cancel()
    }
  }

  #begin(prompt: string, { signal }: RunOptions): TurnStream {
    const stream = this.#executor.executeStreaming(prompt, { signal })
    this.#running.add(stream)
    return stream
  }

  #observe(chunk: StreamChunk): boolean {
    const isWord = chunk.type === 'text_delta' || chunk.type === 'thinking'
    if (isWord && chunk.parentToolUseId !== undefined) {
      return false
    }
    this.#emitter?.relay(chunk)
    if (this.#log && !isWord) {
      this.#note(chunk, this.#log)
    }
    return true
  }

  #note(chunk: StreamChunk, log: LogFn): void {
    const agent = `[${this.#options.provider ?? 'claude'}]`
    if (chunk.type === 'tool_use') {
      log(`${agent} uses ${chunk.tool}`, 'info')
    } else if (chunk.type === 'tool_result' && !chunk.success) {
      log(`${agent} ${chunk.tool} failed: ${chunk.error ?? 'it does not say why'}`, 'warn')
    } else if (chunk.type === 'status' && chunk.status === 'retrying') {
      const { error, code, errorStatus } = chunk.detail ?? {}
      log(`${agent} tries again: ${error ?? code ?? errorStatus ?? 'it does not say why'}`, 'warn')
    } else if (chunk.type === 'error') {
      log(`${agent} ${chunk.error}`, 'error')
    }
  }
}

/** Anything that was thrown as a chunk. */
export function errorChunkOf(thrown: unknown): ErrorChunk {
  const { code, message, retryable, retryAfterMs } = asExecError(thrown)
  return {
    type: 'error',
    error: message,
    code,
    retryable,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}
