/** How often what is said is written down while it is being said, in milliseconds. */
const INTERVAL_MS = 250
/** Writing takes at most one part in so many of the time. */
const SHARE = 20

/**
 * Writes something down again and again while it grows: soon after it has grown, and not so often that writing would be
 * what the time is spent on.
 */
export class Checkpoint {
  readonly #write: () => void
  #due = 0
  #grown = false

  constructor(write: () => void) {
    this.#write = write
  }

  /** It has grown; writes it down if it is time. */
  grown(): void {
    this.#grown = true
    if (performance.now() >= this.#due) {
      this.#run()
    }
  }

  /** Nothing may come for a while: writes down what is not. */
  pause(): void {
    if (this.#grown) {
      this.#run()
    }
  }

  #run(): void {
    const begun = performance.now()
    this.#grown = false
    this.#write()
    const now = performance.now()
    this.#due = now + Math.max(INTERVAL_MS, (now - begun) * SHARE)
  }
}
