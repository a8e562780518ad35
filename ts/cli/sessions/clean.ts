import { lstatSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { execError } from '../../errors.js'
import { formatBytes, formatCount } from '../format.js'
import type { SessionsCommand } from './command.js'
import { linesOf } from './prune.js'

/** What a process that was killed while it rewrote a conversation leaves behind. */
const TEMPORARY = /^[A-Za-z0-9_-]{1,64}(\.jsonl|\.zst|\.jsonl\.zst)\.tmp$/
/** A younger one may be in use. */
const STALE_AFTER_MS = 3_600_000

/** `clean`: what is too old or too much by the defaults, and temporary files that nobody needs any more. */
export async function clean({ store, screen, json }: SessionsCommand, projectPath: string): Promise<void> {
  // First, as it refuses a folder that leads elsewhere.
  const report = await store.prune()
  const temporary = removeStale(join(projectPath, '.locus', 'exec-history'), Date.now())
  if (json) {
    screen.json({
      ...report,
      temporaryFiles: temporary.files,
      bytesFreed: report.bytesFreed + temporary.bytes,
    })
    return
  }
  for (const line of linesOf(report)) {
    screen.print(line)
  }
  const { files, bytes } = temporary
  screen.print(
    files.length === 0
      ? 'no temporary files were left behind'
      : `removed ${formatCount(files.length, 'temporary file')} (${formatBytes(bytes)})`,
  )
}

/** Removes the temporary files of a folder that are too old to be in use. */
function removeStale(folder: string, now: number): { files: string[]; bytes: number } {
  const files: string[] = []
  let bytes = 0
  for (const name of namesIn(folder)) {
    const path = join(folder, name)
    const found = TEMPORARY.test(name) ? lstatSync(path, { throwIfNoEntry: false }) : undefined
    if (found?.isFile() && now - found.mtimeMs >= STALE_AFTER_MS) {
      try {
        rmSync(path, { force: true })
      } catch (cause) {
        throw execError('HISTORY', `cannot remove '${path}': ${(cause as Error).message}`, { cause })
      }
      files.push(name)
      bytes += found.size
    }
  }
  return { files, bytes }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      return []
    }
    throw execError('HISTORY', `cannot read the folder '${folder}': ${(cause as Error).message}`, { cause })
  }
}
