const NEWLINE = 10

/** Cuts buffers into lines: the best that we could write by hand in Node. `push` one, then ask for `next` until there is none. */
export class Lines {
  /** The beginning of an unfinished line, in pieces: joined once, however long it gets. */
  #pieces = []
  #buffer = Buffer.alloc(0)
  #start = 0

  push(buffer) {
    this.#buffer = buffer
    this.#start = 0
  }

  next() {
    const end = this.#buffer.indexOf(NEWLINE, this.#start)
    if (end === -1) {
      if (this.#start < this.#buffer.length) this.#pieces.push(this.#buffer.subarray(this.#start))
      this.#start = this.#buffer.length
      return undefined
    }
    const start = this.#start
    this.#start = end + 1
    if (this.#pieces.length === 0) return this.#buffer.toString('utf8', start, end)
    this.#pieces.push(this.#buffer.subarray(start, end))
    const line = Buffer.concat(this.#pieces).toString('utf8')
    this.#pieces = []
    return line
  }
}
