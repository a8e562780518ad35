import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HistoryManager } from '../../dist/sdk.mjs'

import { random, text, words } from './words.mjs'

const UNITS = 200_000
const MESSAGES = 20

/** Fills a project with conversations of 200,000 characters: as the engine keeps them, and below `as-json` as Locus 0.14.x did. */
export function sessions(project, count) {
  const history = new HistoryManager(project)
  const asJson = join(project, 'as-json')
  mkdirSync(asJson, { recursive: true })
  const word = words(random())
  for (let n = 0; n < count; n++) {
    const session = history.createNewSession()
    session.messages = Array.from({ length: MESSAGES }, (_, at) => ({
      role: at % 2 === 0 ? 'user' : 'assistant',
      content: text(word, UNITS / MESSAGES),
      timestamp: session.createdAt + at,
    }))
    history.saveSession(session)
    writeFileSync(join(asJson, `${session.id}.json`), JSON.stringify(session, null, 2))
  }
  // The index is made by the first who asks.
  history.listSessions()
}
