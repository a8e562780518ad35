// Lists the stored conversations of a project: `native` by the SDK's HistoryManager, `locus-like` as Locus 0.14.x does, which
// reads and parses every file. Prints what it took, in a process that has done nothing before.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { HistoryManager } from '../../dist/sdk.mjs'
import { measure } from './measure.mjs'

const project = process.env.BENCH_INPUT

const LISTS = {
  native: () => new HistoryManager(project).listSessions(),
  'locus-like': () => {
    const folder = join(project, 'as-json')
    return readdirSync(folder)
      .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')))
      .sort((a, b) => b.updatedAt - a.updatedAt)
  },
}

await measure(async (consumer) => {
  // Newest first; those that were saved within the same millisecond have no order.
  const ids = LISTS[process.argv[2]]().map(({ id }) => id)
  for (const id of ids.sort()) consumer.take('session', id)
})
