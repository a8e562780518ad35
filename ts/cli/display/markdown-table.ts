import type { ChalkInstance } from 'chalk'
import stringWidth from 'fast-string-width'
import { wrapAnsi } from 'fast-wrap-ansi'

import { inlineMarkdown } from './inline.js'
import { symbols } from './symbols.js'

/** Columns between two cells: a bar and a blank on each side. */
const GAP = 3
const LEAST_WIDTH = 3

type Align = 'left' | 'right' | 'center'

/** A table of Markdown as rows that fit into `columns`. `lines`: the titles, the line below them, the rows. */
export function tableRows(lines: string[], columns: number, chalk: ChalkInstance): string[] {
  const [titles = '', marks = '', ...rest] = lines
  const aligns = cellsOf(marks).map(alignOf)
  const count = aligns.length
  const styled = (line: string) => {
    const cells = cellsOf(line)
    return Array.from({ length: count }, (_, index) => inlineMarkdown(cells[index] ?? '', chalk))
  }
  const head = styled(titles).map((cell) => chalk.bold(cell))
  const body = rest.map(styled)
  const natural = aligns.map((_, index) =>
    Math.max(LEAST_WIDTH, ...[head, ...body].map((row) => stringWidth(row[index] ?? ''))),
  )
  const widths = shrunk(natural, columns - 1 - GAP * (count - 1))
  const { rule: mark, crossing } = symbols()
  const rule = chalk.dim(widths.map((width) => mark.repeat(width)).join(`${mark}${crossing}${mark}`))
  const laidOut = (row: string[]) => tableRow(row, widths, aligns, chalk)
  return [...laidOut(head), rule, ...body.flatMap(laidOut)]
}

/** One row of cells, as high as its highest cell. */
function tableRow(cells: string[], widths: number[], aligns: Align[], chalk: ChalkInstance): string[] {
  const broken = cells.map((cell, index) => wrapAnsi(cell, widths[index] ?? 1, { hard: true }).split('\n'))
  const height = Math.max(...broken.map((lines) => lines.length))
  return Array.from({ length: height }, (_, line) =>
    broken
      .map((lines, index) => padded(lines[line] ?? '', widths[index] ?? 0, aligns[index] ?? 'left'))
      .join(chalk.dim(` ${symbols().bar} `))
      .trimEnd(),
  )
}

function cellsOf(line: string): string[] {
  const inner = line
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '')
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'))
}

function alignOf(mark: string): Align {
  if (!mark.endsWith(':')) {
    return 'left'
  }
  return mark.startsWith(':') ? 'center' : 'right'
}

function padded(cell: string, width: number, align: Align): string {
  const room = Math.max(0, width - stringWidth(cell))
  const before = align === 'right' ? room : align === 'center' ? Math.floor(room / 2) : 0
  return `${' '.repeat(before)}${cell}${' '.repeat(room - before)}`
}

/** Widths that fit into `room` together: the widest give first. */
function shrunk(natural: number[], room: number): number[] {
  const widths = [...natural]
  let over = widths.reduce((sum, width) => sum + width, 0) - room
  while (over > 0) {
    const widest = Math.max(...widths)
    if (widest <= LEAST_WIDTH) {
      break
    }
    const next = Math.max(LEAST_WIDTH, ...widths.filter((width) => width < widest))
    const some = widths.filter((width) => width === widest).length
    const give = Math.min(widest - next, Math.ceil(over / some))
    for (const [index, width] of widths.entries()) {
      if (width === widest) {
        widths[index] = width - give
        over -= give
      }
    }
  }
  return widths
}
