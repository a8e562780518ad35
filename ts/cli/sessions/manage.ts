import { readFileSync } from 'node:fs'
import { text as textOf } from 'node:stream/consumers'

import { execError } from '../../errors.js'
import { symbols } from '../display/symbols.js'
import { formatCount } from '../format.js'
import { cleanValue } from '../renderers/clean-text.js'
import { SHORT_ID } from '../short-id.js'
import type { CommonFlags, SessionsCommand } from './command.js'
import { confirm } from './confirm.js'
import { findSession } from './find-session.js'
import { countOf } from './flags.js'

export interface ConfirmFlags extends CommonFlags {
  yes?: boolean
}

export interface ForkFlags extends CommonFlags {
  turns?: string
}

/** `sessions delete` */
export async function deleteSessions(
  { store, screen, json }: SessionsCommand,
  prefixes: string[],
  { yes }: ConfirmFlags,
): Promise<void> {
  // All are found before the first is deleted.
  const ids = new Set<string>()
  for (const prefix of prefixes) {
    ids.add(await findSession(store, prefix))
  }
  if (ids.size > 1 && !(await confirm(`Delete ${ids.size} sessions?`, yes))) {
    throw execError('CANCELLED', 'nothing was deleted')
  }
  const deleted: string[] = []
  const tell = () => screen.print(`deleted ${deleted.map((id) => id.slice(0, SHORT_ID)).join(', ')}`)
  try {
    for (const id of ids) {
      await store.delete(id)
      deleted.push(id)
    }
  } catch (error) {
    if (!json && deleted.length > 0) {
      tell()
    }
    throw error
  }
  if (json) {
    screen.json({ deleted })
  } else {
    tell()
  }
}

/** `sessions clear` */
export async function clearSessions(
  { store, screen, json }: SessionsCommand,
  { yes }: ConfirmFlags,
): Promise<void> {
  const { total } = await store.list({ limit: 1 })
  if (total > 0 && !(await confirm(`Delete all ${formatCount(total, 'session')} of this project?`, yes))) {
    throw execError('CANCELLED', 'nothing was deleted')
  }
  const deleted = await store.clear()
  if (json) {
    screen.json({ deleted })
    return
  }
  const { total: left } = await store.list({ limit: 1 })
  const kept = left > 0 ? `; kept ${formatCount(left, 'session')} that are open or that others have made` : ''
  screen.print(`deleted ${formatCount(deleted, 'session')}${kept}`)
}

/** `sessions rename` */
export async function renameSession(
  { store, screen, json }: SessionsCommand,
  prefix: string,
  words: string[],
): Promise<void> {
  const title = words.join(' ').trim()
  const id = await findSession(store, prefix)
  await store.rename(id, title)
  if (json) {
    screen.json({ id, title })
  } else {
    const called =
      title === '' ? 'has no title any more' : `is now called ${JSON.stringify(cleanValue(title))}`
    screen.print(`${id.slice(0, SHORT_ID)} ${called}`)
  }
}

/** `sessions fork` */
export async function forkSession(
  { store, screen, json }: SessionsCommand,
  prefix: string,
  flags: ForkFlags,
): Promise<void> {
  const turns = flags.turns === undefined ? undefined : countOf('--turns', flags.turns, 1)
  const from = await findSession(store, prefix)
  const id = await store.fork(from, turns)
  if (json) {
    screen.json({ id, forkedFrom: from })
  } else {
    const part = turns === undefined ? '' : `the first ${formatCount(turns, 'turn')} of `
    screen.print(`forked ${part}${from.slice(0, SHORT_ID)} as ${id.slice(0, SHORT_ID)}`)
    screen.remark(
      screen.remarks.dim(
        `continue it: locus exec --session ${id.slice(0, SHORT_ID)} "${symbols().ellipsis}"`,
      ),
    )
  }
}

/** `sessions import` */
export async function importSession({ store, screen, json }: SessionsCommand, path: string): Promise<void> {
  const id = await store.import(await read(path))
  if (json) {
    screen.json({ id })
  } else {
    screen.print(`imported as ${id.slice(0, SHORT_ID)}`)
    screen.remark(
      screen.remarks.dim(
        `continue it: locus exec --session ${id.slice(0, SHORT_ID)} "${symbols().ellipsis}"`,
      ),
    )
  }
}

async function read(path: string): Promise<string> {
  if (path === '-') {
    return await textOf(process.stdin)
  }
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw execError('INVALID_INPUT', `cannot read '${path}': ${(cause as Error).message}`, { cause })
  }
}
