import { once } from 'node:events'
import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { bigResults, deltas } from './claude.mjs'
import { items } from './codex.mjs'

const KINDS = { deltas, big: bigResults, codex: items }

/** Changes whenever what is generated does. */
const VERSION = 2

/** The path of a file with the lines of this kind; made when it is not there. */
export async function inputFile(kind, count) {
  const folder = join(tmpdir(), 'locus-exec-bench')
  const path = join(folder, `${kind}-v${VERSION}-${count}.jsonl`)
  if (existsSync(path)) return path
  mkdirSync(folder, { recursive: true })
  const temporary = `${path}.${process.pid}`
  const file = createWriteStream(temporary)
  for (const line of KINDS[kind](count)) {
    if (!file.write(`${JSON.stringify(line)}\n`)) await once(file, 'drain')
  }
  file.end()
  await once(file, 'close')
  renameSync(temporary, path)
  return path
}
