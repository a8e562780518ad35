import type { ChalkInstance } from 'chalk'
import stringWidth from 'fast-string-width'

import { formatElapsed } from '../format.js'
import type { Checklist, ChecklistItem } from './checklist.js'
import type { Symbols } from './symbols.js'
import { truncate } from './truncate.js'

const MAX_WIDTH = 80
const BAR_WIDTH = 20
/** A mark is as wide as the widest of them. */
const MARK_WIDTH = 2
/** From so many rows on there is room for all lines about the list. */
const ROOMY = 12
/** Fewer rows are no box. */
const LEAST = 4

export interface BoxStyle {
  chalk: ChalkInstance
  symbols: Symbols
}

/** What the box tells beside the list. */
export interface BoxFacts {
  task: string
  elapsedMs: number
  remainingMs: number | undefined
}

/** The list in a box of at most `columns` × `height`: of a longer list the part around what is being done. */
export function boxRows(
  checklist: Checklist,
  facts: BoxFacts,
  { columns, height }: { columns: number; height: number },
  style: BoxStyle,
): string[] {
  const { symbols, chalk } = style
  const width = Math.max(10, Math.min(columns - 1, MAX_WIDTH) - 4)
  const roomy = height >= ROOMY
  const head = [...(roomy ? [`Task: ${facts.task}`] : []), `Progress: ${progress(checklist, width, style)}`]
  const about = [
    ...(roomy ? [`Current: ${checklist.active?.title ?? symbols.unknown}`] : []),
    `Time: ${times(checklist, facts, symbols)}`,
    ...(roomy && checklist.items.length > 0 ? [''] : []),
  ]
  const { topLeft, topRight, bottomLeft, bottomRight, left, right, across, down } = symbols.box
  const room = height - head.length - about.length - 2 - (roomy ? 1 : 0)
  const side = chalk.dim(down)
  const line = (text: string) => `${side} ${padded(text, width, symbols)} ${side}`
  const edge = (from: string, to: string) => chalk.dim(`${from}${across.repeat(width + 2)}${to}`)
  if (height < LEAST) {
    return [truncate(head.at(-1) ?? '', width + 3, symbols.ellipsis)]
  }
  return [
    edge(topLeft, topRight),
    ...head.map(line),
    ...(roomy ? [edge(left, right)] : []),
    ...about.map(line),
    ...itemRows(checklist.items, room, style).map(line),
    edge(bottomLeft, bottomRight),
  ]
}

/** `[████░░░░] 2/5 40%` */
function progress({ items, done }: Checklist, width: number, { symbols, chalk }: BoxStyle): string {
  if (items.length === 0) {
    return symbols.unknown
  }
  const share = done / items.length
  const figures = `${done}/${items.length} ${percentOf(share)}`
  const room = Math.max(0, Math.min(BAR_WIDTH, width - 'Progress: [] '.length - figures.length))
  const full = Math.floor(share * room)
  const bar = `${symbols.full.repeat(full)}${symbols.empty.repeat(room - full)}`
  return `[${chalk.green(bar)}] ${figures}`
}

/** A share in percent; all of it only where it is all. */
export function percentOf(share: number): string {
  return `${Math.floor(share * 100)}%`
}

function times(
  { items, done }: Checklist,
  { elapsedMs, remainingMs }: BoxFacts,
  { unknown }: Symbols,
): string {
  const elapsed = `${formatElapsed(elapsedMs)} elapsed`
  const remaining = remainingMs === undefined ? unknown : `~${formatElapsed(remainingMs)}`
  return items.length > 0 && done === items.length ? elapsed : `${elapsed} | ${remaining} remaining`
}

function itemRows(items: readonly ChecklistItem[], room: number, style: BoxStyle): string[] {
  if (items.length <= room) {
    return items.map((item) => itemRow(item, style))
  }
  if (room < 1) {
    return []
  }
  // A row is for how many are left out.
  const shown = Math.max(1, room - 1)
  const active = items.findIndex(({ state }) => state === 'active')
  const at = active >= 0 ? active : items.findIndex(({ state }) => state === 'open')
  const first = Math.max(0, Math.min(at - Math.floor(shown / 2), items.length - shown))
  const rows = items.slice(first, first + shown).map((item) => itemRow(item, style))
  const more = style.chalk.dim(`  ${style.symbols.ellipsis} and ${items.length - shown} more`)
  return room > 1 ? [...rows, more] : rows
}

function itemRow({ title, state }: ChecklistItem, { symbols, chalk }: BoxStyle): string {
  const mark = symbols[state]
  const gap = ' '.repeat(Math.max(0, MARK_WIDTH - stringWidth(mark)) + 1)
  const text = state === 'done' ? chalk.dim(title) : state === 'active' ? chalk.bold(title) : title
  return `  ${mark}${gap}${text}`
}

function padded(text: string, width: number, { ellipsis }: Symbols): string {
  const cut = truncate(text, width, ellipsis)
  return `${cut}${' '.repeat(Math.max(0, width - stringWidth(cut)))}`
}
