import { execFileSync } from 'node:child_process'
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PREFIX = 'locus-exec-undo-'
/** A folder of a process of which no more is known than its number is left alone. */
const UNKNOWN = 'unknown'
/** Its owner: the process, when that began, and who numbers processes there (containers may share the folder). */
const NAME = new RegExp(`^${PREFIX}(\\d+)-([0-9a-z]+)-([0-9a-z]+)-\\w{6}$`, 'i')

/**
 * Makes a temporary folder for what `undo` needs. Its name says whose it is, so that it can be removed when its owner was
 * killed and could not do so.
 */
export function makeUndoFolder(parent = tmpdir()): string {
  const owner = `${process.pid}-${startOf(process.pid) ?? UNKNOWN}-${numbering()}`
  return mkdtempSync(join(parent, `${PREFIX}${owner}-`))
}

/** Removes the folders of this user whose owner is gone. What cannot be read or removed is left: it is nobody's trouble. */
export function removeAbandonedUndoFolders(parent = tmpdir()): void {
  const here = numbering()
  for (const name of namesIn(parent)) {
    const [, pid = '', start, there] = NAME.exec(name) ?? []
    const path = join(parent, name)
    const isKnown = pid !== '' && start !== UNKNOWN && there === here
    if (isKnown && isOurs(path) && startOf(Number(pid)) !== start) {
      try {
        rmSync(path, { recursive: true, force: true })
      } catch {
        // Somebody else may be removing it.
      }
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function isOurs(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found?.isDirectory() === true && found.uid === (process.getuid?.() ?? found.uid)
}

/** Something that tells a process from all others that had or will have its number; undefined where there is no such process. */
function startOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      // The name, in parentheses, may have blanks; the start is field 22, two are before it.
      return readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ')[19]
    }
    if (process.platform === 'win32') {
      process.kill(pid, 0)
      return '0'
    }
    const began = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' })
    return Date.parse(began).toString(36)
  } catch {
    return undefined
  }
}

/** Who numbers the processes here. */
function numbering(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'
  } catch {
    return '0'
  }
}
