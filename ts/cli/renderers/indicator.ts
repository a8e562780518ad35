import ora, { type Ora } from 'ora'

/** Shows what goes on while nothing else is shown. */
export interface Indicator {
  /** Whether it has a place of its own, also while a line of the answer is not complete. */
  readonly apart: boolean
  show(activities: readonly string[]): void
  hide(): void
}

/** A spinner on stderr; it is drawn where the next text will be. */
export class SpinnerIndicator implements Indicator {
  readonly apart = false
  #spinner: Ora | undefined

  show(activities: readonly string[]): void {
    const text = activities.at(-1) ?? ''
    if (!this.#spinner) {
      this.#spinner = ora({ text, stream: process.stderr, discardStdin: false }).start()
    } else if (this.#spinner.text !== text) {
      this.#spinner.text = text
    }
  }

  hide(): void {
    this.#spinner?.stop()
    this.#spinner = undefined
  }
}

/** For a terminal whose lines are not drawn over. */
export const NO_INDICATOR: Indicator = { apart: true, show: () => {}, hide: () => {} }
