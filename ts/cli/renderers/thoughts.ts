import type { ChalkInstance } from 'chalk'
import { wrapAnsi } from 'fast-wrap-ansi'

import type { Symbols } from '../display/symbols.js'
import { formatCount } from '../format.js'
import { CleanText } from './clean-text.js'

/** So much of a thought is kept, in UTF-16 code units. */
const MAX_KEPT = 100_000
/** What is longer is not a line that somebody reads. */
const MAX_LINE = 2000
/** So many rows of a thought are printed. */
const MAX_ROWS = 20

/** What the model thinks: the thought under way, and the last one. */
export class Thoughts {
  /** Whether thoughts are shown. */
  shown: boolean
  readonly #clean = new CleanText()
  #text = ''
  #missed = ''

  constructor(shown: boolean) {
    this.shown = shown
  }

  /** The thought under way. */
  get current(): string {
    return this.#text
  }

  /** A piece of a thought; none where another one begins. */
  push(piece: string | undefined): void {
    const text = piece === undefined ? (this.#text === '' ? '' : '\n\n') : this.#clean.push(piece)
    if (this.#text.length < MAX_KEPT) {
      this.#text += text
    }
  }

  /** The thought is over: what of it is to be shown. */
  end(): string {
    const text = this.#text.trim()
    this.#text = ''
    if (this.shown) {
      return text
    }
    this.#missed = text || this.#missed
    return ''
  }

  /** Shows them from now on, or not any more; the last one that was not shown, if it is now to be. */
  toggle(): string {
    this.shown = !this.shown
    const missed = this.shown ? this.#missed : ''
    this.#missed = ''
    return missed
  }
}

export interface ThoughtStyle {
  chalk: ChalkInstance
  symbols: Symbols
  /** How wide a row may be. */
  columns: number
}

/** A thought as it is printed: its first rows. */
export function thoughtRows(text: string, style: ThoughtStyle): string[] {
  const rows = rowsOf(text, style)
  const more = rows.length - MAX_ROWS
  return more > 0
    ? [
        ...rows.slice(0, MAX_ROWS),
        styled(`${style.symbols.ellipsis} ${formatCount(more, 'more line')}`, style),
      ]
    : rows
}

/** The last rows of a thought under way. */
export function lastThoughtRows(text: string, height: number, style: ThoughtStyle): string[] {
  // No more than can fill the rows.
  const end = text.slice(-style.columns * height).replace(/^[\udc00-\udfff]/, '')
  return height > 0 ? rowsOf(end.trim(), style).slice(-height) : []
}

function rowsOf(text: string, style: ThoughtStyle): string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .flatMap((line) => broken(line.slice(0, MAX_LINE).replaceAll('\t', '    '), style.columns))
    .map((row) => styled(row, style))
}

function broken(line: string, columns: number): string[] {
  return Number.isFinite(columns)
    ? wrapAnsi(line, Math.max(10, columns - 5), { hard: true }).split('\n')
    : [line]
}

function styled(row: string, { chalk, symbols }: ThoughtStyle): string {
  return chalk.dim(`  ${symbols.bar} ${chalk.italic(row)}`)
}
