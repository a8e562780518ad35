import { oneLine } from '../../context/text.js'
import { symbols } from '../display/symbols.js'
import { formatAge } from '../format.js'
import { cleanValue } from '../renderers/clean-text.js'
import { SHORT_ID } from '../short-id.js'
import type { CommonFlags, SessionsCommand } from './command.js'
import { countOf } from './flags.js'

export interface SearchFlags extends CommonFlags {
  limit?: string
}

const DEFAULT_LIMIT = 20
const MAX_TITLE_CHARS = 60
const MATCH_BEGINS = '\u0002'
const MATCH_ENDS = '\u0003'

/** `sessions search` */
export async function searchSessions(
  { store, screen, json }: SessionsCommand,
  words: string[],
  flags: SearchFlags,
): Promise<void> {
  const query = words.join(' ')
  const limit = flags.limit === undefined ? DEFAULT_LIMIT : countOf('--limit', flags.limit, 1)
  const hits = await store.search(query, limit)
  if (json) {
    screen.json(hits)
    return
  }
  const { cyan, dim, bold } = screen.chalk
  const now = Date.now()
  for (const { id, title, role, timestamp, snippet } of hits) {
    const name = oneLine(cleanValue(title ?? '')).slice(0, MAX_TITLE_CHARS)
    const who = role === 'user' ? 'you' : 'agent'
    const facts = [who, formatAge(timestamp, now), ...(name === '' ? [] : [name])].join(` ${symbols().dot} `)
    screen.print(`${cyan(id.slice(0, SHORT_ID))} ${dim(facts)}`)
    screen.print(`  ${marked(snippet, bold)}`)
  }
  if (hits.length === 0) {
    screen.remark(`nothing found; ${JSON.stringify(cleanValue(query))} was looked for in what was said`)
  } else if (hits.length === limit) {
    screen.remark(screen.remarks.dim(`the best ${limit}; --limit shows more`))
  }
}

/** A snippet with its matches marked; they are found before the text is cleaned of all that is no text. */
function marked(snippet: string, mark: (match: string) => string): string {
  const clean = (text: string) => cleanValue(text).replace(/\s+/g, ' ')
  const [before = '', ...parts] = snippet.split(MATCH_BEGINS)
  const rest = parts.map((part) => {
    const [match = '', ...after] = part.split(MATCH_ENDS)
    return mark(clean(match)) + clean(after.join(''))
  })
  return [clean(before), ...rest].join('').trim()
}
