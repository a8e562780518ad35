const SECOND_MS = 1000

/** Tells how many seconds are left until a time, each second anew. */
export class Countdown {
  readonly #timer: NodeJS.Timeout

  constructor(until: number, show: (seconds: number) => void) {
    const tick = () => show(Math.max(0, Math.ceil((until - Date.now()) / SECOND_MS)))
    tick()
    this.#timer = setInterval(tick, SECOND_MS)
    // It is not what the program runs for.
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
