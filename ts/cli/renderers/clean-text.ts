import type { NativeSanitizer } from '../../../index.js'
import { native } from '../../native.js'

/** What a terminal might obey, or what might be the rest of it; all else needs no look. */
const SUSPICIOUS = /[^\P{C}\n\t\u200b-\u200d\u2060-\u2064]|[\u2028\u2029]/u

/**
 * The text of an agent as it may be shown in a terminal: nothing in it that a terminal would obey. The work is done by the
 * Rust core; text without a suspicious character passes it by.
 */
export class CleanText {
  #sanitizer: NativeSanitizer | undefined
  /** Whether a piece may have ended in the middle of a sequence; no sequence reaches over the end of a line. */
  #unfinished = false

  /** The next piece of a text that comes in pieces. */
  push(piece: string): string {
    const suspicious = SUSPICIOUS.test(piece)
    if (!suspicious && !this.#unfinished) {
      return piece
    }
    this.#sanitizer ??= new (native().NativeSanitizer)()
    const clean = this.#sanitizer.push(piece)
    this.#unfinished = suspicious || !piece.includes('\n')
    return clean
  }
}

/** Deeper than anything that is shown, and than anything that could exhaust the stack. */
const MAX_DEPTH = 50

/** A value with every text in it clean. */
export function cleanValue<T>(value: T, depth = 0): T {
  if (typeof value === 'string') {
    return new CleanText().push(value) as T
  }
  if (typeof value !== 'object' || value === null) {
    return value
  }
  if (depth === MAX_DEPTH) {
    return undefined as T
  }
  if (Array.isArray(value)) {
    return value.map((item) => cleanValue(item, depth + 1)) as T
  }
  const entries = Object.entries(value).map(([key, item]) => [cleanValue(key), cleanValue(item, depth + 1)])
  return Object.fromEntries(entries) as T
}
