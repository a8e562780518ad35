import type { ResultChunk, Usage } from './chunks.js'
import type { ExecEventData } from './events.js'
import { GatheredText } from './gathered-text.js'
import type { ImageInfo } from './records.js'

/** How much of an answer that has no end yet is kept in memory, in UTF-16 units: its newest part. On disk it is whole. */
const UNFINISHED_LIMIT = 4 * 1024 * 1024

/** What was said in a conversation, by a person or by an agent in one turn. */
export interface ConversationMessage {
  role: 'user' | 'assistant'
  content: string
  /** Milliseconds since the epoch; of an answer its end, or, while it has none, its prompt. */
  timestamp: number
  runId: string
  metadata?: {
    toolsUsed?: string[]
    durationMs?: number
    /** The answer is not complete: the turn has no end. It is under way, or was never finished. */
    interrupted?: true
    /** Why the turn failed; the answer is what was said until then. */
    errorCode?: string
    usage?: Usage
    /** The images that went with a prompt. */
    images?: ImageInfo[]
  }
}

/**
 * The messages of a conversation, gathered from what a session does. They are those that the history makes of its records
 * (`src/history/transcript.rs`), at every moment of a turn and after every ending of it.
 */
export class Conversation {
  readonly #messages: ConversationMessage[]
  /** What was said in the turn under way. */
  readonly #said = new GatheredText(UNFINISHED_LIMIT)
  #run: string | undefined

  /** Goes on with these. */
  constructor(messages: readonly ConversationMessage[] = []) {
    this.#messages = [...messages]
  }

  /** All of them so far. */
  get messages(): readonly ConversationMessage[] {
    this.#write()
    return this.#messages
  }

  /** Whether nothing was said yet. */
  get isEmpty(): boolean {
    return this.#messages.length === 0
  }

  /** A turn has begun. */
  prompted(
    runId: string,
    { prompt: content, images }: ExecEventData['prompt:submitted'],
    timestamp: number,
  ): void {
    this.#said.clear()
    this.#run = runId
    const about = images && { metadata: { images } }
    this.#messages.push({ role: 'user', content, timestamp, runId, ...about })
    const metadata = { interrupted: true } as const
    this.#messages.push({ role: 'assistant', content: '', timestamp, runId, metadata })
  }

  /** The main agent has said this. */
  said(content: string): void {
    this.#said.push(content)
  }

  /** The turn is begun again: what was said until now is void. */
  repeated(): void {
    this.#said.clear()
  }

  /** The agent calls this its answer: mostly the end of what it said, which is then whole already. */
  answered({ content }: Pick<ResultChunk, 'content'>): void {
    if (content !== '' && !this.#said.toString().trimEnd().endsWith(content.trimEnd())) {
      this.#said.clear()
      this.#said.push(content)
    }
  }

  /** The turn is over. */
  ended(turn: ExecEventData['turn:completed'], timestamp: number): void {
    this.#write()
    const answer = this.#answer
    if (answer) {
      const { code, durationMs, toolsUsed, usage } = turn
      answer.timestamp = timestamp
      answer.metadata = {
        ...(toolsUsed.length > 0 && { toolsUsed }),
        durationMs,
        ...(code !== undefined && { errorCode: code }),
        usage,
      }
    }
  }

  /** The answer under way as it is now. */
  #write(): void {
    const answer = this.#answer
    if (answer?.metadata?.interrupted && answer.runId === this.#run) {
      answer.content = this.#said.toString()
    }
  }

  get #answer(): ConversationMessage | undefined {
    const last = this.#messages.at(-1)
    return last?.role === 'assistant' ? last : undefined
  }
}
