import ora, { type Ora } from 'ora'

import type { Activity, Indicator } from './indicator.js'

/** A spinner on stderr; it is drawn where the next text will be. */
export class SpinnerIndicator implements Indicator {
  readonly apart = false
  #spinner: Ora | undefined

  show(activities: readonly Activity[]): void {
    const text = activities.at(-1)?.title ?? ''
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
