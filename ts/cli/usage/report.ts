import stringWidth from 'fast-string-width'

import { execError } from '../../errors.js'
import { readUsage } from '../../ledger.js'
import { tokensOf } from '../../usage.js'
import { symbols } from '../display/symbols.js'
import { costMark, formatCount, formatTokens } from '../format.js'
import { cleanValue } from '../renderers/clean-text.js'
import { timeOf } from '../sessions/flags.js'
import { tellProblems } from '../sessions/list.js'
import type { Screen } from '../sessions/screen.js'
import { type Column, table } from '../sessions/table.js'
import { SHORT_ID } from '../short-id.js'
import { bars } from './bars.js'
import { GROUPINGS, type Grouping, groupsOf, totalOf, type UsageGroup } from './groups.js'

export interface UsageFlags {
  since?: string
  by?: string
  json?: boolean
}

/** A bar is not drawn where it would have fewer columns than the first number, nor with more than the second. */
const BAR_COLUMNS = [6, 40] as const
const GAP = '  '

/** `locus exec usage`: what the turns of a project used. */
export async function reportUsage(projectPath: string, screen: Screen, flags: UsageFlags): Promise<void> {
  const by = groupingOf(flags.by ?? 'day')
  const since = flags.since === undefined ? 0 : Math.max(0, timeOf('--since', flags.since, Date.now()))
  const { entries, problems } = await readUsage({ projectPath }, since)
  const groups = groupsOf(entries, by)
  const total = totalOf(entries)
  if (flags.json) {
    screen.json({ by, ...(since > 0 && { since }), groups, total, problems })
    return
  }
  tellProblems(screen, problems)
  if (groups.length === 0) {
    screen.remark(
      since > 0 ? 'no turn since then' : 'no turn yet; they are counted from the first locus exec "hello" on',
    )
    return
  }
  for (const line of linesOf(cleanValue(groups), total, by, screen)) {
    screen.print(line)
  }
  const note = noteOf(total)
  if (note) {
    screen.remark(screen.remarks.dim(note))
  }
}

function groupingOf(by: string): Grouping {
  const grouping = GROUPINGS.find((known) => known === by)
  if (grouping === undefined) {
    throw execError('INVALID_INPUT', `--by must be one of ${GROUPINGS.join(', ')}, not '${by}'`)
  }
  return grouping
}

function linesOf(groups: UsageGroup[], total: UsageGroup, by: Grouping, screen: Screen): string[] {
  const { chalk } = screen
  const columns: Column[] = [
    { title: by.toUpperCase(), style: chalk.cyan },
    { title: 'TURNS', right: true },
    { title: 'FAILED', right: true, style: chalk.yellow, fromWidth: 90 },
    { title: 'INPUT', right: true, fromWidth: 60 },
    { title: 'OUTPUT', right: true, fromWidth: 60 },
    { title: 'CACHE READ', right: true, style: chalk.dim, fromWidth: 100 },
    { title: 'CACHE WRITE', right: true, style: chalk.dim, fromWidth: 100 },
    { title: 'TOKENS', right: true },
    { title: 'COST', right: true },
  ]
  const rows = [...groups, total].map((group) => row(group, by))
  // The last column is not aligned, and nothing is to be cut off a sum.
  const width = screen.columns
  const costs = aligned(rows.map((cells) => cells.at(-1) ?? ''))
  const lines = table(
    columns,
    rows.map((cells, index) => [...cells.slice(0, -1), costs[index] ?? '']),
    width,
  )
  const [title = '', ...others] = lines
  const drawn = barsFor(groups, others, width)
  return [title, ...others.map((line, index) => `${line}${chalk.blue(drawn[index] ?? '')}`)]
}

function row({ key, turns, failed, usage }: UsageGroup, by: Grouping): string[] {
  return [
    by === 'session' && key !== 'total' ? key.slice(0, SHORT_ID) : key,
    String(turns),
    failed === 0 ? '' : String(failed),
    formatTokens(usage.input),
    formatTokens(usage.output),
    formatTokens(usage.cacheRead),
    formatTokens(usage.cacheWrite),
    formatTokens(tokensOf(usage)),
    costMark(usage),
  ]
}

function aligned(cells: string[]): string[] {
  const width = Math.max(...cells.map((cell) => cell.length))
  return cells.map((cell) => cell.padStart(width))
}

/** What is put behind the line of each group: its cost as a bar, or its tokens where no cost is known. */
function barsFor(groups: UsageGroup[], lines: string[], width: number | undefined): string[] {
  const taken = Math.max(...lines.map((line) => stringWidth(line)))
  const [least, most] = BAR_COLUMNS
  const columns = Math.min(most, (width ?? 0) - taken - GAP.length - 1)
  if (columns < least || groups.length < 2) {
    return []
  }
  const isPriced = groups.some(({ usage }) => usage.costUsd !== undefined && usage.costUsd > 0)
  const values = groups.map(({ usage }) => (isPriced ? (usage.costUsd ?? 0) : tokensOf(usage)))
  return bars(values, columns).map((bar, index) => {
    const space = ' '.repeat(taken - stringWidth(lines[index] ?? ''))
    return `${space}${GAP}${bar}`.trimEnd()
  })
}

/** What the marks in front of the costs mean. */
function noteOf({ turns, usage }: UsageGroup): string {
  const notes = [
    ...(usage.costSource === 'prices' ? ['~ by the price table'] : []),
    ...(usage.costPartial ? [`${symbols().atLeast} at least: the price of a part is not known`] : []),
    ...(usage.costUsd === undefined ? ['the prices of these models are not known'] : []),
  ]
  return notes.length === 0 ? '' : `${formatCount(turns, 'turn')}; ${notes.join('; ')}; see docs/cost.md`
}
