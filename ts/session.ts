import { EventEmitter } from 'node:events'

import { Engine } from './engine.js'
import { type ExecEventMap, ExecEventType } from './events.js'
import type { PermissionDecision, SessionOptions, TurnOptions } from './options.js'
import { type ExecResult, TurnStream } from './stream.js'

/** What was said in a conversation. */
export interface ConversationMessage {
  role: 'user' | 'assistant'
  content: string
  /** Milliseconds since the epoch. */
  timestamp: number
  metadata?: { toolsUsed?: string[]; durationMs?: number }
}

/**
 * A conversation with one agent, whose process is held open between turns.
 *
 * It is an EventEmitter of `ExecEventType`; listeners and the loop over the chunks see everything in the same order.
 */
export class ExecSession extends EventEmitter<ExecEventMap> {
  readonly #engine: Engine
  readonly #messages: ConversationMessage[] = []

  private constructor(options: SessionOptions) {
    super()
    this.#engine = new Engine(options, this)
    this.on(ExecEventType.PROMPT_SUBMITTED, ({ data, timestamp }) => {
      this.#messages.push({ role: 'user', content: data.prompt, timestamp })
    })
    this.on(ExecEventType.RESPONSE_COMPLETED, ({ data, timestamp }) => {
      if (data.success) {
        const metadata = { durationMs: data.durationMs }
        this.#messages.push({ role: 'assistant', content: data.content, timestamp, metadata })
      }
    })
    this.on(ExecEventType.TURN_COMPLETED, ({ data }) => {
      const last = this.#messages.at(-1)
      if (data.success && last?.metadata) {
        last.metadata.toolsUsed = data.toolsUsed
      }
    })
  }

  /**
   * Begins a conversation. No process is started before the first turn. Rejects with `InvalidInputError` or
   * `UnknownProviderError`.
   */
  static async create(options: SessionOptions = {}): Promise<ExecSession> {
    return new ExecSession(options)
  }

  /** The id of the conversation. */
  get id(): string {
    return this.#engine.sessionId
  }

  /** Runs a turn and gives its chunks as they come. Only one turn runs at a time. */
  executeStreaming(prompt: string, options: TurnOptions = {}): TurnStream {
    return new TurnStream(this.#engine, prompt, options)
  }

  /** Runs a turn to its end; rejects with a typed `ExecError` if it fails. */
  async execute(prompt: string, options: TurnOptions = {}): Promise<ExecResult> {
    return await this.executeStreaming(prompt, options).result
  }

  /** Answers a question for permission by its id; whether there is (still) such a question. */
  respond(id: string, decision: PermissionDecision): Promise<boolean> {
    return this.#engine.respond(id, decision)
  }

  /** Stops the turn under way, if there is one. */
  cancel(): Promise<void> {
    return this.#engine.cancel()
  }

  /** Ends the conversation: stops the turn under way and lets the agent's process go. */
  end(): Promise<void> {
    return this.#engine.end()
  }

  /** The messages of the conversation so far. */
  getHistory(): ConversationMessage[] {
    return structuredClone(this.#messages)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
  }
}
