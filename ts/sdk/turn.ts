import type { Usage } from '../chunks.js'
import type { StreamChunk } from './chunks.js'
import type { ConversationMessage } from './history-manager.js'

/** How a turn went. */
export interface ExecResult {
  /** What was said. */
  content: string
  /** The names of the tools that were used, each once, in the order of their first use. */
  toolsUsed: string[]
  /** Milliseconds. */
  duration: number
  success: boolean
  /** Why it failed. */
  error?: string
  /** The code of the failure, where the runner tells it. */
  errorCode?: string
  /** What it used, where the runner tells it. */
  usage?: Usage
}

/** So many pieces are put together at once. */
const PIECES_PER_BLOCK = 512

/** What is known of a turn so far, gathered from its chunks. */
export class Turn {
  readonly #begun = performance.now()
  readonly #tools = new Set<string>()
  /** What was said last. A string that grew by each piece would keep them all, and what they were cut from. */
  #pieces: string[] = []
  #said = ''
  #error: { message: string; code: string | undefined } | undefined
  #usage: Usage | undefined
  #answer: string | undefined

  observe(chunk: StreamChunk): void {
    switch (chunk.type) {
      case 'text_delta':
        if (chunk.parentToolUseId === undefined) {
          this.#say(chunk.content)
        }
        break
      case 'tool_use':
        this.#tools.add(chunk.tool)
        break
      case 'error':
        this.#error = { message: chunk.error, code: chunk.code }
        break
      case 'status':
        if (chunk.status === 'retrying' && chunk.detail?.how === 'repeat') {
          // It is said again.
          this.#said = ''
          this.#pieces = []
        }
        break
      case 'result':
        this.#answer = chunk.content
        this.#usage = chunk.usage ?? this.#usage
        break
      case 'usage': {
        const { type: _, ...usage } = chunk
        this.#usage = usage
        break
      }
      default:
    }
  }

  #say(piece: string): void {
    if (this.#pieces.push(piece) === PIECES_PER_BLOCK) {
      this.#join()
    }
  }

  #join(): void {
    this.#said += this.#pieces.join('')
    this.#pieces = []
  }

  /** What was said; an answer that never came in pieces is the result's. */
  get content(): string {
    this.#join()
    return this.#said || (this.#answer ?? '')
  }

  /** Whether the runner has said that it is over. */
  get hasEnded(): boolean {
    return this.#answer !== undefined || this.#error !== undefined
  }

  /** The turn was stopped before its end. */
  stopped(): void {
    if (!this.hasEnded) {
      this.#error = { message: 'the turn was cancelled', code: 'CANCELLED' }
    }
  }

  /** The answer as a message: as it is now, or as it has ended. */
  message(timestamp: number, { ended }: { ended: boolean }): ConversationMessage {
    const { content, toolsUsed, duration, error, errorCode, usage } = this.result()
    const isSilentFailure = ended && content === '' && error !== undefined && errorCode !== 'CANCELLED'
    return {
      role: 'assistant',
      content: isSilentFailure ? `Error: ${error}` : content,
      timestamp,
      metadata: {
        toolsUsed,
        duration,
        ...(!ended && { interrupted: true }),
        ...(errorCode !== undefined && { errorCode }),
        ...(usage !== undefined && { usage }),
      },
    }
  }

  result(): ExecResult {
    return {
      content: this.content,
      toolsUsed: [...this.#tools],
      duration: Math.round(performance.now() - this.#begun),
      success: this.#error === undefined,
      ...(this.#error && { error: this.#error.message, errorCode: this.#error.code ?? 'UNKNOWN' }),
      ...(this.#usage && { usage: this.#usage }),
    }
  }
}
