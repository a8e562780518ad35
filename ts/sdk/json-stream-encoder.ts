import type { Usage } from '../chunks.js'
import { asExecError } from '../classify.js'
import { EXIT_CODES } from '../cli/exit-codes.js'
import { JsonStreamRenderer } from '../cli/renderers/json-stream.js'
import { forTerminal, terminalJson } from '../cli/terminal-json.js'
import { type ExecError, errorOfChunk } from '../errors.js'
import { addUsage, NO_USAGE } from '../usage.js'
import type { StreamChunk } from './chunks.js'
import { EngineChunks } from './engine-chunks.js'

/** What the first line says. */
export interface JsonStreamOptions {
  sessionId: string
  provider?: string
  model?: string
  cwd?: string
}

/** How a run has ended. */
export interface JsonStreamEnd {
  /** Of the process; by default 0, or that of the failure. */
  exitCode?: number
  /** What went wrong, where no chunk has told it. */
  error?: unknown
}

/**
 * Chunks of any runner as the lines of `--json-stream` (protocol 1), in UTF-8: `start` first, `done` last, an `error` before
 * a `done` that failed. The lines are those of the command line (`ts/cli/renderers/json-stream.ts`).
 *
 * ```ts
 * const encoder = new JsonStreamEncoder({ sessionId })
 * for await (const chunk of session.executeStreaming(prompt)) process.stdout.write(encoder.encode([chunk]))
 * process.stdout.write(encoder.end())
 * ```
 */
export class JsonStreamEncoder {
  readonly #options: JsonStreamOptions
  readonly #begun = performance.now()
  readonly #engineChunks = new EngineChunks()
  /** Tools that were asked for, and whose input did not come by itself yet. */
  readonly #asked = new Map<string, Extract<StreamChunk, { type: 'tool_use' }>>()
  readonly #tools = new Set<string>()
  readonly #lines = new Lines()
  readonly #renderer = new JsonStreamRenderer(this.#lines)
  #usage: Usage | undefined
  #error: ExecError | undefined
  #started = false
  #ended = false

  /** A line of text up to its time. */
  readonly #textStart: string
  #answers = false

  constructor(options: JsonStreamOptions) {
    this.#options = options
    const sessionId = terminalJson(options.sessionId)
    this.#textStart = `{"protocol":1,"type":"text_delta","sessionId":${sessionId},"timestamp":`
  }

  /** The lines of these chunks; before the first of them, the first line. None after the end. */
  encode(chunks: Iterable<StreamChunk>): Uint8Array {
    if (!this.#ended) {
      this.#start()
      for (const chunk of chunks) {
        this.#take(chunk)
      }
    }
    return this.#lines.take()
  }

  /** The lines at the end. None the second time. */
  end({ exitCode, error }: JsonStreamEnd = {}): Uint8Array {
    if (this.#ended) {
      return this.#lines.take()
    }
    this.#start()
    this.#ended = true
    const failure = error === undefined ? this.#error : asExecError(error)
    const durationMs = Math.round(performance.now() - this.#begun)
    this.#renderer.turnCompleted({ toolsUsed: [...this.#tools], usage: this.#usage })
    const ofFailure = failure ? EXIT_CODES[failure.code] : 0
    this.#renderer.end({ exitCode: exitCode ?? ofFailure, durationMs, error: failure })
    return this.#lines.take()
  }

  #start(): void {
    if (!this.#started) {
      this.#started = true
      const { sessionId, provider = '', model, cwd = process.cwd() } = this.#options
      this.#renderer.start({ sessionId, provider, model, cwd, saved: false })
    }
  }

  #take(given: StreamChunk): void {
    if (given.type === 'text_delta') {
      if (given.parentToolUseId === undefined) {
        this.#say(given.content)
      }
      return
    }
    const chunk = this.#engineChunks.of(given)
    switch (chunk.type) {
      case 'tool_use':
        this.#tools.add(chunk.tool)
        this.#asked.set(chunk.id, chunk)
        break
      case 'tool_parameters':
        this.#asked.delete(chunk.id)
        break
      case 'tool_result': {
        const asked = this.#asked.get(chunk.id)
        if (asked) {
          // Its runner does not tell when the input is complete.
          this.#asked.delete(chunk.id)
          const { tool, parameters = {} } = asked
          this.#renderer.chunk({ type: 'tool_parameters', tool, id: chunk.id, parameters })
        }
        break
      }
      case 'error':
        this.#error = errorOfChunk(chunk)
        break
      case 'result':
        if (given.type === 'result' && given.usage) {
          this.#usage = addUsage(this.#usage ?? NO_USAGE, given.usage)
        }
        break
      default:
    }
    this.#renderer.chunk(chunk)
  }

  /** Nearly all lines: what the renderer would write, at a third of its cost. */
  #say(content: string): void {
    if (!this.#answers) {
      this.#answers = true
      this.#renderer.chunk({ type: 'json_lines', lines: new Uint8Array(), answers: true })
    }
    this.#lines.write(
      `${this.#textStart}${Date.now()},"payload":{"content":${forTerminal(JSON.stringify(content))}}}\n`,
    )
  }
}

/** Gathers lines. */
class Lines {
  readonly #utf8 = new TextEncoder()
  #text = ''

  write(text: string): void {
    this.#text += text
  }

  writeBytes(bytes: Uint8Array): void {
    this.#text += Buffer.from(bytes).toString()
  }

  take(): Uint8Array {
    const bytes = this.#utf8.encode(this.#text)
    this.#text = ''
    return bytes
  }

  flush(): void {}

  ready(): undefined {
    return undefined
  }
}

/** So many chunks are one piece at most. */
const CHUNKS_PER_PIECE = 1024

/**
 * The lines of a stream of chunks as they come; what comes at once is one piece. However the stream ends, the last line is
 * `done`. A loop over the lines that ends early stops the stream.
 */
export async function* encodeJsonStream(
  chunks: AsyncIterable<StreamChunk>,
  options: JsonStreamOptions,
): AsyncGenerator<Uint8Array, void, unknown> {
  const encoder = new JsonStreamEncoder(options)
  let end: JsonStreamEnd = {}
  try {
    yield encoder.encode([])
    for await (const piece of inPieces(chunks)) {
      yield encoder.encode(piece)
    }
  } catch (error) {
    end = { error }
  }
  yield encoder.end(end)
}

type Outcome<T> = { step: IteratorResult<T, unknown> } | { failure: unknown }

/** Whatever comes within one turn of the event loop, together; what came before a failure comes before it. */
async function* inPieces<T>(items: AsyncIterable<T>): AsyncGenerator<T[], void, unknown> {
  const iterator = items[Symbol.asyncIterator]()
  const ask = (): Promise<Outcome<T>> =>
    iterator.next().then(
      (step) => ({ step }),
      (failure: unknown) => ({ failure }),
    )
  let next = ask()
  let isOver = false
  try {
    while (!isOver) {
      let outcome: Outcome<T> | 'tick' = await next
      const tick = new Promise<'tick'>((resolve) => setImmediate(resolve, 'tick'))
      const piece: T[] = []
      while (outcome !== 'tick' && 'step' in outcome && !outcome.step.done) {
        piece.push(outcome.step.value)
        next = ask()
        outcome = piece.length === CHUNKS_PER_PIECE ? 'tick' : await Promise.race([next, tick])
      }
      isOver = outcome !== 'tick'
      if (piece.length > 0) {
        yield piece
      }
      if (outcome !== 'tick' && 'failure' in outcome) {
        throw outcome.failure
      }
    }
  } finally {
    if (!isOver) {
      await iterator.return?.()
    }
  }
}
