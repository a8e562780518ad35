import type { HistoryProblem, ListFilter, SessionSummary } from '../../history.js'
import { symbols } from '../display/symbols.js'
import { costMark, formatAge, formatCount } from '../format.js'
import { cleanValue } from '../renderers/clean-text.js'
import { SHORT_ID } from '../short-id.js'
import type { CommonFlags, SessionsCommand } from './command.js'
import { titleOf } from './find-session.js'
import { countOf, timeOf } from './flags.js'
import type { Screen } from './screen.js'
import { type Column, table } from './table.js'

export interface ListFlags extends CommonFlags {
  query?: string
  provider?: string
  after?: string
  before?: string
  limit?: string
  offset?: string
}

const DEFAULT_LIMIT = 20

/** `sessions list` */
export async function listSessions(
  { store, screen, json }: SessionsCommand,
  flags: ListFlags,
): Promise<void> {
  const now = Date.now()
  const list = await store.list(filterOf(flags, now))
  if (json) {
    screen.json(list)
    return
  }
  const { sessions, total, problems } = cleanValue(list)
  tellProblems(screen, problems)
  if (sessions.length === 0) {
    screen.remark(
      total > 0
        ? `no session from the ${countOf('--offset', flags.offset ?? '0') + 1}th on; there are ${total}`
        : 'no sessions; the next one begins with locus exec "hello"',
    )
    return
  }
  for (const line of table(
    columns(screen),
    sessions.map((session) => row(session, now)),
    screen.columns,
  )) {
    screen.print(line)
  }
  if (sessions.length < total) {
    const { dim } = screen.remarks
    screen.remark(dim(`${sessions.length} of ${formatCount(total, 'session')}; --limit ${total} shows all`))
  }
}

function filterOf(flags: ListFlags, now: number): ListFilter {
  const { query, provider, after, before, limit, offset } = flags
  return {
    query,
    provider,
    ...(after !== undefined && { after: timeOf('--after', after, now) }),
    ...(before !== undefined && { before: timeOf('--before', before, now) }),
    limit: limit === undefined ? DEFAULT_LIMIT : countOf('--limit', limit, 1),
    ...(offset !== undefined && { offset: countOf('--offset', offset) }),
  }
}

function columns({ chalk }: Screen): Column[] {
  return [
    { title: 'ID', style: chalk.cyan },
    { title: 'UPDATED', style: chalk.dim },
    { title: 'TURNS', right: true, fromWidth: 60 },
    { title: 'COST', right: true, style: chalk.dim, fromWidth: 100 },
    { title: 'AGENT', style: chalk.dim, fromWidth: 80 },
    { title: 'STATE', style: chalk.yellow, fromWidth: 50 },
    { title: 'SESSION' },
  ]
}

function row(session: SessionSummary, now: number): string[] {
  const { id, updatedAt, turns, provider, model } = session
  return [
    id.slice(0, SHORT_ID),
    formatAge(updatedAt, now),
    String(turns),
    session.costUsd === undefined ? '' : costMark(session),
    agentOf(provider, model),
    stateOf(session),
    titleOf(session),
  ]
}

const MAX_MODEL_CHARS = 24

/** Who answers. */
export function agentOf(provider: string, model: string | undefined): string {
  const short =
    model && model.length > MAX_MODEL_CHARS
      ? `${model.slice(0, MAX_MODEL_CHARS - 1)}${symbols().ellipsis}`
      : model
  return short ? `${provider} ${short}` : provider
}

/** What is special about a session at the moment; mostly nothing. */
export function stateOf({ open, interrupted }: Pick<SessionSummary, 'open' | 'interrupted'>): string {
  if (open) {
    return interrupted ? 'running' : 'open'
  }
  return interrupted ? 'interrupted' : ''
}

const MAX_PROBLEMS = 5

/** Tells what could not be read. */
export function tellProblems(screen: Screen, problems: HistoryProblem[]): void {
  const { yellow } = screen.remarks
  for (const { file, line, message } of cleanValue(problems.slice(0, MAX_PROBLEMS))) {
    screen.remark(yellow(`${symbols().warning} ${file}${line === undefined ? '' : `:${line}`}: ${message}`))
  }
  if (problems.length > MAX_PROBLEMS) {
    const more = formatCount(problems.length - MAX_PROBLEMS, 'more problem')
    screen.remark(yellow(`${symbols().warning} ${more}; --json shows all`))
  }
}
