import type { ResultChunk, Usage } from './chunks.js'
import type { ExecEventData } from './events.js'
import type { ImageInfo } from './records.js'

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
  /** What was said in the turn under way, or in the last one; of a very long answer its newest part. On disk it is whole. */
  readonly #said: () => string
  /** The answer of that turn, whose text is taken when somebody wants it: at the latest when the next turn is to begin. */
  #latest: ConversationMessage | undefined
  /** What the agent calls its answer. */
  #answered = ''

  /** Goes on with `messages`; `said` tells what was said in the turn under way, or in the last one. */
  constructor(messages: readonly ConversationMessage[], said: () => string) {
    this.#messages = [...messages]
    this.#said = said
  }

  /** All of them so far. */
  get messages(): readonly ConversationMessage[] {
    const latest = this.#latest
    if (latest) {
      latest.content = this.#content()
      if (!latest.metadata?.interrupted) {
        this.#latest = undefined
      }
    }
    return this.#messages
  }

  /** A turn has begun, after somebody has looked at the messages. */
  prompted(
    runId: string,
    { prompt: content, images }: ExecEventData['prompt:submitted'],
    timestamp: number,
  ): void {
    this.#answered = ''
    this.#latest = { role: 'assistant', content: '', timestamp, runId, metadata: { interrupted: true } }
    const about = images && { metadata: { images } }
    this.#messages.push({ role: 'user', content, timestamp, runId, ...about }, this.#latest)
  }

  /** The agent calls this its answer. */
  answered({ content }: Pick<ResultChunk, 'content'>): void {
    this.#answered = content
  }

  /** The turn is over. */
  ended(turn: ExecEventData['turn:completed'], timestamp: number): void {
    const answer = this.#latest
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

  /** What the agent calls its answer is mostly the end of what it said, which is then whole. */
  #content(): string {
    const said = this.#said()
    const answered = this.#answered
    const isWhole = said.length > answered.length && said.trimEnd().endsWith(answered.trimEnd())
    return answered === '' || isWhole ? said : answered
  }
}
