import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

const PAUSE_EVERY = 1000

const { BENCH_HASH, BENCH_PAUSE_MS, BENCH_KEPT } = process.env

/**
 * Takes what a contender delivers: text, thinking and the results of tools. A run of its own hashes all of it
 * (`BENCH_HASH`); timed runs only count it. The last `BENCH_KEPT` pieces are kept alive, or V8 would optimise the work
 * away. With `BENCH_PAUSE_MS` it is a slow consumer, which a contender asks to be `due` after each piece.
 */
export class Consumer {
  #hash = BENCH_HASH ? createHash('sha256') : undefined
  #pauseMs = Number(BENCH_PAUSE_MS ?? 0)
  #ring = new Array(Number(BENCH_KEPT ?? 1024))
  #chunks = 0
  #units = 0
  #rest

  take(type, content, parent) {
    this.#ring[this.#chunks % this.#ring.length] = content
    this.#chunks++
    this.#units += content.length
    this.#hash?.update(`${type} ${parent ?? ''} ${content}\0`)
    if (this.#pauseMs > 0 && this.#chunks % PAUSE_EVERY === 0) this.#rest = sleep(this.#pauseMs)
  }

  /** Takes what a message of claude says, as a careful hand-written consumer would. */
  takeMessage(message) {
    if (message.type === 'stream_event') {
      if (message.event.type !== 'content_block_delta') return
      const { delta } = message.event
      if (delta.type === 'text_delta') this.take('text_delta', delta.text, message.parent_tool_use_id)
      else if (delta.type === 'thinking_delta')
        this.take('thinking', delta.thinking, message.parent_tool_use_id)
    } else if (message.type === 'user') {
      for (const block of message.message.content) {
        if (block.type === 'tool_result') this.take('tool_result', block.content, message.parent_tool_use_id)
      }
    }
  }

  /** What to wait for before the next piece; undefined when there is nothing. */
  due() {
    const rest = this.#rest
    this.#rest = undefined
    return rest
  }

  get summary() {
    return { chunks: this.#chunks, units: this.#units, hash: this.#hash?.digest('hex') }
  }
}
