import type { ChalkInstance } from 'chalk'

import type { Highlighter } from './markdown-stream.js'

/** The colours of code, loaded when there is time: nobody waits for them. */
export class LazyHighlighter {
  readonly #chalk: ChalkInstance
  #loaded: Highlighter | undefined

  constructor(chalk: ChalkInstance) {
    this.#chalk = chalk
  }

  /** What colours code, once it is there. */
  get ready(): Highlighter | undefined {
    return this.#loaded
  }

  /** Loads it in a later turn of the event loop. */
  load(): void {
    setImmediate(async () => {
      const { createHighlighter } = await import('./highlight.js')
      this.#loaded = createHighlighter(this.#chalk)
    })
  }
}
