import { once } from 'node:events'
import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { bigResults, deltas, longResult } from './claude.mjs'
import { items } from './codex.mjs'
import { sessions } from './sessions.mjs'

const KINDS = { deltas, big: bigResults, long: longResult, codex: items }
/** Those that are a folder. */
const FOLDERS = { sessions }

/** Changes whenever what is generated does. */
const VERSION = 2

/** The path of a file with so many lines of this kind, or of a folder with so many sessions; made when it is not there. */
export async function inputFile(kind, count) {
  const folder = join(tmpdir(), 'locus-exec-bench')
  const path = join(folder, `${kind}-v${VERSION}-${count}${kind in FOLDERS ? '' : '.jsonl'}`)
  if (existsSync(path)) return path
  mkdirSync(folder, { recursive: true })
  const temporary = `${path}.${process.pid}`
  if (kind in FOLDERS) {
    FOLDERS[kind](temporary, count)
    renameSync(temporary, path)
    return path
  }
  const file = createWriteStream(temporary)
  for (const line of KINDS[kind](count)) {
    if (!file.write(`${JSON.stringify(line)}\n`)) await once(file, 'drain')
  }
  file.end()
  await once(file, 'close')
  renameSync(temporary, path)
  return path
}
