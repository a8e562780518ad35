/** So many pieces are put together at once. */
const PIECES_PER_BLOCK = 512

/**
 * A text that comes in very many pieces. A string that grew by each of them would keep them all, and what they were cut from;
 * so they are copied together, block by block. Of more than `limit` UTF-16 units the oldest blocks are forgotten.
 */
export class GatheredText {
  readonly #limit: number
  #blocks: string[] = []
  #length = 0
  #pieces: string[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  push(piece: string): void {
    if (this.#pieces.push(piece) === PIECES_PER_BLOCK) {
      this.#close()
    }
  }

  clear(): void {
    this.#blocks = []
    this.#length = 0
    this.#pieces = []
  }

  toString(): string {
    this.#close()
    return this.#blocks.join('')
  }

  #close(): void {
    if (this.#pieces.length === 0) {
      return
    }
    // A join, unlike a concatenation, copies.
    const block = this.#pieces.join('')
    this.#pieces = []
    this.#blocks.push(block)
    this.#length += block.length
    while (this.#length > this.#limit && this.#blocks.length > 1) {
      this.#length -= this.#blocks.shift()?.length ?? 0
    }
  }
}
