import { oneLine } from '../../context/text.js'
import { execError } from '../../errors.js'
import type { HistoryStore, SessionSummary } from '../../history.js'
import { symbols } from '../display/symbols.js'
import { cleanValue } from '../renderers/clean-text.js'

const MAX_CANDIDATES = 10
const MAX_TITLE_CHARS = 60

/**
 * The id of the one session that begins with `prefix`. Throws `INVALID_INPUT`, `SESSION_NOT_FOUND`, or
 * `SESSION_AMBIGUOUS` with a list of the sessions it may mean.
 */
export async function findSession(store: HistoryStore, prefix: string): Promise<string> {
  const [id, ...others] = await store.find(prefix)
  if (id === undefined) {
    throw execError(
      'SESSION_NOT_FOUND',
      `there is no session '${prefix}' in this project; see locus exec sessions list`,
    )
  }
  if (others.length === 0) {
    return id
  }
  const candidates = [id, ...others]
  const { sessions } = await store.list()
  const known = new Map(sessions.map((session) => [session.id, session]))
  const lines = candidates.slice(0, MAX_CANDIDATES).map((candidate) => {
    const summary = known.get(candidate)
    return `  ${candidate}  ${summary ? titleOf(summary).slice(0, MAX_TITLE_CHARS) : ''}`.trimEnd()
  })
  const more = candidates.length - lines.length
  throw execError(
    'SESSION_AMBIGUOUS',
    [
      `${candidates.length} sessions begin with '${prefix}'; give more of the id of one:`,
      ...lines,
      ...(more > 0 ? [`  ${symbols().ellipsis} and ${more} more`] : []),
    ].join('\n'),
  )
}

/** The id of the session that was changed last. Throws `SESSION_NOT_FOUND` where there is none. */
export async function latestSession(store: HistoryStore): Promise<string> {
  const { sessions } = await store.list({ limit: 1 })
  const [latest] = sessions
  if (latest === undefined) {
    throw execError('SESSION_NOT_FOUND', 'there is no session in this project yet that could be continued')
  }
  return latest.id
}

/** What a session is called: its title, or the beginning of its first prompt; clean, on one line. */
export function titleOf(summary: Pick<SessionSummary, 'title' | 'preview'>): string {
  return oneLine(cleanValue(summary.title || summary.preview)) || '(empty)'
}
