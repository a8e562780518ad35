import { readFileSync, statSync } from 'node:fs'
import { isAbsolute } from 'node:path'

/** A file that is larger is not compared with what is to be written. */
const MAX_BYTES = 1_000_000

/** The text of a file that is named by its whole path; undefined where there is none that can be read. */
export function contentOf(path: string): string | undefined {
  if (!isAbsolute(path)) {
    return undefined
  }
  try {
    const stat = statSync(path)
    // Not a pipe or a device, which might never end.
    return stat.isFile() && stat.size <= MAX_BYTES ? readFileSync(path, 'utf8') : undefined
  } catch {
    // It is new, or not ours to read: all that is to be written is shown.
    return undefined
  }
}
