import type { ChalkInstance } from 'chalk'

import type { Symbols } from '../display/symbols.js'
import { formatCount } from '../format.js'
import type { DiffLine, FileDiff } from './edit-diff.js'

/** So many lines of a change are shown where there is no reason to show more. */
export const USUAL_ROWS = 10
/** What is longer is code that nobody reads, and it takes long to measure. */
const MAX_CHARACTERS = 1000

export interface DiffStyle {
  chalk: ChalkInstance
  symbols: Symbols
  /** So many lines are shown, the first ones. */
  maxRows: number
}

/** How many lines were changed: `+3 −1`; empty where none is known to be. */
export function diffCounts(diffs: readonly FileDiff[], { chalk, symbols }: DiffStyle): string {
  const sum = (of: 'added' | 'removed') => diffs.reduce((total, diff) => total + diff[of], 0)
  const [added, removed] = [sum('added'), sum('removed')]
  return added + removed === 0 ? '' : `${chalk.green(`+${added}`)} ${chalk.red(`${symbols.minus}${removed}`)}`
}

/** The changes, one line on each row; with the names of the files where there are several. */
export function diffRows(diffs: readonly FileDiff[], style: DiffStyle): string[] {
  const { chalk, symbols, maxRows } = style
  const rows = diffs.flatMap((diff) => [
    ...(diffs.length > 1
      ? [() => `${chalk.bold(nameOf(diff, style))} ${diffCounts([diff], style)}`.trimEnd()]
      : []),
    ...diff.lines.map((line) => () => diffRow(line, style)),
  ])
  const shown = rows.slice(0, maxRows)
  const more = rows.length - shown.length
  return [
    ...shown.map((row) => row()),
    ...(more > 0 ? [chalk.dim(`${symbols.ellipsis} ${formatCount(more, 'more line')}`)] : []),
  ]
}

/** The file of a change, and where it was moved. */
export function nameOf({ path, movedTo }: FileDiff, { symbols }: Pick<DiffStyle, 'symbols'>): string {
  return cut(movedTo === undefined ? path : `${path} ${symbols.arrow} ${movedTo}`)
}

function diffRow({ kind, text }: DiffLine, { chalk, symbols }: DiffStyle): string {
  switch (kind) {
    case 'added':
      return chalk.green(`+ ${cut(text)}`)
    case 'removed':
      return chalk.red(`- ${cut(text)}`)
    case 'same':
      return chalk.dim(`  ${cut(text)}`)
    case 'gap':
      return chalk.dim(symbols.ellipsis)
  }
}

/** A text of one line of known width: a tab is as wide as a terminal wants. */
function cut(text: string): string {
  const short = text.length > MAX_CHARACTERS ? text.slice(0, MAX_CHARACTERS).replace(HALF, '') : text
  return short.replaceAll('\t', '    ')
}

/** The first half of a character whose other half was cut off. */
const HALF = /[\ud800-\udbff]$/
