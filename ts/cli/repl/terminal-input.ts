import { emitKeypressEvents, type Interface, type Key } from 'node:readline'
import type { ReadStream } from 'node:tty'

const BEGIN_PASTES = '\u001b[?2004h'
const END_PASTES = '\u001b[?2004l'
/** How long the rest of a key's sequence may take after its ESC. */
const ESCAPE_MS = 50

/** Keys as the line discipline leaves them for whoever reads later in raw mode: Enter is a line feed, Ctrl+D a NUL. */
const TYPED_AHEAD: Record<string, [character: string | undefined, key: Key]> = {
  '\n': ['\r', { name: 'return', sequence: '\r', ctrl: false, meta: false, shift: false }],
  '\0': ['\u0004', { name: 'd', sequence: '\u0004', ctrl: true, meta: false, shift: false }],
}

/** What somebody does at a keyboard. */
export interface InputListener {
  key(character: string | undefined, key: Key): void
  pasted(text: string): void
  /** The terminal has gone. */
  closed(): void
}

/**
 * The keys of a terminal, each as it is pressed, and pastes as a whole. The decoding of keys is Node's own. While it is
 * open the terminal is in raw mode: Ctrl+C is a key. What was typed before is read as if it were typed now.
 */
export class TerminalInput {
  readonly #stdin: ReadStream
  readonly #write: (text: string) => void
  readonly #listener: InputListener
  readonly #onKey = (character: string | undefined, key: Key) => this.#key(character, key)
  readonly #onClosed = () => this.#listener.closed()
  #paste: string | undefined
  /** Whether what is read may have been typed before the terminal was in raw mode. */
  #ahead = false

  constructor(stdin: ReadStream, write: (text: string) => void, listener: InputListener) {
    this.#stdin = stdin
    this.#write = write
    this.#listener = listener
    emitKeypressEvents(stdin, { escapeCodeTimeout: ESCAPE_MS } as unknown as Interface)
    stdin.on('end', this.#onClosed).on('error', this.#onClosed)
    stdin.on('keypress', this.#onKey)
    this.resume()
  }

  resume(): void {
    this.#stdin.setRawMode(true)
    this.#write(BEGIN_PASTES)
    this.#stdin.resume()
    this.#ahead = true
    // Between the two the event loop has looked once at what there is to be read.
    setImmediate(() =>
      setImmediate(() => {
        this.#ahead = false
      }),
    )
  }

  /** Gives the terminal back as it was. */
  pause(): void {
    this.#stdin.pause()
    this.#write(END_PASTES)
    // The terminal may have gone.
    try {
      this.#stdin.setRawMode(false)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EIO') {
        throw error
      }
    }
  }

  close(): void {
    this.#stdin.off('keypress', this.#onKey)
    this.pause()
  }

  #key(character: string | undefined, key: Key): void {
    if (key.name === 'paste-start') {
      this.#paste = ''
    } else if (key.name === 'paste-end') {
      const text = this.#paste ?? ''
      this.#paste = undefined
      this.#listener.pasted(text)
    } else if (this.#paste !== undefined) {
      // Terminals send line breaks of a paste as Enter.
      this.#paste += key.name === 'return' ? '\n' : key.sequence === undefined ? '' : key.sequence
    } else {
      this.#listener.key(...((this.#ahead && TYPED_AHEAD[key.sequence ?? '']) || [character, key]))
    }
  }
}

/** What ends pastes, for a terminal that is left in haste. */
export const RESTORE_INPUT = END_PASTES
