/** Walks back and forth through what was typed before; what is being typed is kept meanwhile. */
export class InputHistory {
  readonly #entries: string[]
  /** How far back it has gone; 0 is what is being typed. */
  #back = 0
  #draft = ''

  /** `entries`: the oldest first. */
  constructor(entries: string[] = []) {
    this.#entries = entries
  }

  get entries(): readonly string[] {
    return this.#entries
  }

  /** Takes in what was sent, and comes back to now; whether it differs from the entry before. */
  add(text: string): boolean {
    this.#back = 0
    if (this.#entries.at(-1) === text) {
      return false
    }
    this.#entries.push(text)
    return true
  }

  /** The entry before; undefined where there is none. */
  older(current: string): string | undefined {
    if (this.#back === this.#entries.length) {
      return undefined
    }
    if (this.#back === 0) {
      this.#draft = current
    }
    this.#back++
    return this.#entries.at(-this.#back)
  }

  /** The entry behind, at last what was being typed; undefined where there is none. */
  newer(): string | undefined {
    if (this.#back === 0) {
      return undefined
    }
    this.#back--
    return this.#back === 0 ? this.#draft : this.#entries.at(-this.#back)
  }
}
