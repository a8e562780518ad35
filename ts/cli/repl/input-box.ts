import stringWidth from 'fast-string-width'

import type { Caret } from '../display/screen.js'
import { graphemes } from './line-editor.js'

/** A text being typed, as rows. */
export interface InputRows {
  rows: string[]
  caret: Caret
}

/**
 * Lays out a text with a mark before its first row and as much room before the others. Rows are broken where they are
 * full; of a text that is higher than `height` the part around the caret is given.
 */
export function inputRows(
  text: string,
  caret: number,
  { mark, columns, height }: { mark: string; columns: number; height: number },
): InputRows {
  const indent = stringWidth(mark)
  // A column is left for a caret behind the last character.
  const room = Math.max(2, columns - indent - 1)
  const rows: string[] = ['']
  let used = 0
  let at: Caret = { row: 0, column: 0 }
  let index = 0
  for (const grapheme of graphemes(text)) {
    const shown = grapheme === '\t' ? '  ' : grapheme
    const width = grapheme === '\n' ? 0 : stringWidth(shown)
    if (grapheme !== '\n' && used + width > room) {
      rows.push('')
      used = 0
    }
    if (index === caret) {
      at = { row: rows.length - 1, column: used }
    }
    index += grapheme.length
    if (grapheme === '\n') {
      rows.push('')
      used = 0
    } else {
      rows[rows.length - 1] += shown
      used += width
    }
  }
  if (index === caret) {
    at = { row: rows.length - 1, column: used }
  }
  const first = Math.max(0, Math.min(at.row - Math.floor(height / 2), rows.length - height))
  return {
    rows: rows
      .slice(first, first + height)
      .map((row, line) => `${first + line === 0 ? mark : ' '.repeat(indent)}${row}`),
    caret: { row: at.row - first, column: at.column + indent },
  }
}
