import type { Screen } from './screen.js'

/** How long a spinner stays as it is. */
export const SPINNER_MS = 80

/** Calls for a frame as often as a spinner turns. */
export class Ticker {
  readonly #timer: NodeJS.Timeout

  constructor(screen: Screen) {
    this.#timer = setInterval(() => screen.changed(), SPINNER_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
