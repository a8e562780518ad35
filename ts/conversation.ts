import type { ResultChunk, Usage } from './chunks.js'
import type { ExecEventData } from './events.js'

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
  }
}

/**
 * The messages of a conversation, gathered from what a session does. They are those that the history makes of its records
 * (`src/history/transcript.rs`), at every moment of a turn and after every ending of it.
 */
export class Conversation {
  readonly messages: ConversationMessage[]

  /** Goes on with these. */
  constructor(messages: readonly ConversationMessage[] = []) {
    this.messages = [...messages]
  }

  /** A turn has begun. */
  prompted(runId: string, content: string, timestamp: number): void {
    this.messages.push({ role: 'user', content, timestamp, runId })
    const metadata = { interrupted: true } as const
    this.messages.push({ role: 'assistant', content: '', timestamp, runId, metadata })
  }

  /** The main agent has said this. */
  said(content: string): void {
    const answer = this.#answer
    if (answer) {
      answer.content += content
    }
  }

  /** The turn is begun again: what was said until now is void. */
  repeated(): void {
    const answer = this.#answer
    if (answer) {
      answer.content = ''
    }
  }

  /** The agent calls this its answer: mostly the end of what it said, which is then whole already. */
  answered({ content }: Pick<ResultChunk, 'content'>): void {
    const answer = this.#answer
    if (!answer || content === '') {
      return
    }
    if (answer.content === '' || !answer.content.trimEnd().endsWith(content.trimEnd())) {
      answer.content = content
    }
  }

  /** The turn is over. */
  ended(turn: ExecEventData['turn:completed'], timestamp: number): void {
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

  get #answer(): ConversationMessage | undefined {
    const last = this.messages.at(-1)
    return last?.role === 'assistant' ? last : undefined
  }
}
