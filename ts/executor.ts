import { EventEmitter } from 'node:events'

import { Engine } from './engine.js'
import type { ExecEventMap } from './events.js'
import type { SessionOptions, TurnOptions } from './options.js'
import { type ExecResult, TurnStream } from './stream.js'

/** Runs prompts without a conversation: each in a process of its own that ends with the turn. */
export class StreamingExecutor extends EventEmitter<ExecEventMap> {
  readonly #options: SessionOptions

  constructor(options: SessionOptions = {}) {
    super()
    this.#options = options
  }

  /** Runs a prompt and gives its chunks as they come. */
  executeStreaming(prompt: string, options: TurnOptions = {}): TurnStream {
    const engine = new Engine(this.#options, this)
    return new TurnStream(engine, prompt, options, { onEnd: () => void engine.end() })
  }

  /** Runs a prompt to its end; rejects with a typed `ExecError` if it fails. */
  async execute(prompt: string, options: TurnOptions = {}): Promise<ExecResult> {
    return await this.executeStreaming(prompt, options).result
  }
}
