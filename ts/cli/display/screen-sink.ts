import type { TextSink } from '../output.js'
import type { Screen } from './screen.js'

/** Takes text for a screen, as for a stream that is written to. */
export class ScreenSink implements TextSink {
  readonly isTerminal = true
  readonly write: (text: string) => void
  readonly flush: () => void
  readonly #screen: Screen

  constructor(screen: Screen, write: (text: string) => void, flush: () => void = () => {}) {
    this.#screen = screen
    this.write = write
    this.flush = flush
  }

  get columns(): number {
    return this.#screen.columns
  }

  ready(): Promise<void> | undefined {
    return this.#screen.ready()
  }
}
