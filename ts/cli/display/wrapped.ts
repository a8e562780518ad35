import stringWidth from 'fast-string-width'
import { wrapAnsi } from 'fast-wrap-ansi'

/** Words whose characters are as wide as they are many, with one blank between them. */
const PLAIN = /^(?:[!-~]+(?: [!-~]+)*)?$/

/**
 * A line broken into rows between its words, or within a word that is longer than a row. A column is left free: a terminal
 * that is full to the last one is about to break the line by itself.
 */
export function wrapped(line: string, columns: number): string[] {
  const width = Math.max(1, columns - 1)
  // Nearly all lines; to break any line is ten times the work.
  const rows = PLAIN.test(line) ? plainRows(line, width) : undefined
  if (rows) {
    return rows
  }
  if (!/^\s|\s$/.test(line) && stringWidth(line) <= width) {
    return [line]
  }
  return wrapAnsi(line, width, { hard: true }).split('\n')
}

/** The rows of a plain line; undefined where a word is longer than a row. */
function plainRows(line: string, width: number): string[] | undefined {
  const rows: string[] = []
  let begin = 0
  while (line.length - begin > width) {
    const end = line.lastIndexOf(' ', begin + width)
    if (end <= begin) {
      return undefined
    }
    rows.push(line.slice(begin, end))
    begin = end + 1
  }
  rows.push(line.slice(begin))
  return rows
}

/** What narrower columns of text are not worth having. */
const LEAST_COLUMNS = 20

/**
 * Terms, and beside each what it means: broken between words, and below the term where that is too long or there is no room
 * beside it.
 */
export function definitions(
  rows: readonly { term: string; meaning: string }[],
  { width, columns, style = (term) => term }: DefinitionsLayout,
): string[] {
  const isNarrow = columns - width < LEAST_COLUMNS
  const margin = isNarrow ? 4 : width
  return rows.flatMap(({ term, meaning }) => {
    const [first = '', ...others] = meaning.split('\n').flatMap((line) => wrapped(line, columns - margin))
    const below = others.map((row) => ' '.repeat(margin) + row)
    return isNarrow || stringWidth(term) >= width
      ? [style(term), ' '.repeat(margin) + first, ...below]
      : [style(term.padEnd(width)) + first, ...below]
  })
}

interface DefinitionsLayout {
  /** The columns of the terms, with what is left free behind them. */
  width: number
  /** The columns of everything. */
  columns: number
  style?(term: string): string
}
