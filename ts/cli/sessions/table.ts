import stringWidth from 'fast-string-width'

import { symbols } from '../display/symbols.js'
import { truncate } from '../display/truncate.js'

/** A column of a table. */
export interface Column {
  title: string
  right?: boolean
  /** Colours a cell. */
  style?: (cell: string) => string
  /** The width of the terminal below which it is left out (default 0). */
  fromWidth?: number
}

const GAP = '  '
/** What the last column gets at least, however narrow the terminal is. */
const LEAST_WIDTH = 8

/**
 * Rows as lines with aligned columns, below a line with the titles. Cells are on one line and without escape sequences;
 * wide characters count for what they take. The last column is cut to what is left of `width`; without one, nothing is.
 */
export function table(columns: Column[], rows: string[][], width?: number): string[] {
  const shown = columns.flatMap((column, index) =>
    width === undefined || width >= (column.fromWidth ?? 0) ? [{ column, index }] : [],
  )
  const cells = [columns.map(({ title }) => title), ...rows].map((row) =>
    shown.map(({ index }) => row[index] ?? ''),
  )
  const widths = shown.map((_, index) => Math.max(...cells.map((row) => stringWidth(row[index] ?? ''))))
  const fixed = widths.slice(0, -1).reduce((sum, it) => sum + it + GAP.length, 0)
  const rest = width === undefined ? Number.POSITIVE_INFINITY : Math.max(LEAST_WIDTH, width - fixed - 1)
  return cells.map((row, line) =>
    row
      .map((cell, index) => {
        const { column } = shown[index] as (typeof shown)[number]
        const isLast = index === row.length - 1
        const text = isLast ? cut(cell, rest) : padded(cell, widths[index] ?? 0, column.right)
        return line > 0 && column.style ? column.style(text) : text
      })
      .join(GAP)
      .trimEnd(),
  )
}

function cut(cell: string, width: number): string {
  return width === Number.POSITIVE_INFINITY ? cell : truncate(cell, width, symbols().ellipsis)
}

function padded(cell: string, width: number, right = false): string {
  const space = ' '.repeat(width - stringWidth(cell))
  return right ? `${space}${cell}` : `${cell}${space}`
}
