import { rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

import type { ChalkInstance } from 'chalk'

import { execError } from '../../errors.js'
import { symbols } from '../display/symbols.js'
import { formatCount } from '../format.js'
import { cleanValue } from '../renderers/clean-text.js'
import { removeAbandonedUndoFolders } from './undo-folder.js'
import { WorkTree } from './work-tree.js'

/** A repository that takes longer to look through is not looked through before every turn. */
const MAX_SNAPSHOT_MS = 2000
const MAX_DIFF_LINES = 1000
const MAX_NAMED_FILES = 10

/** The files before and after a turn. */
interface Turn {
  before: string
  after: string
}

/**
 * What the turns did to the files of the project, so that it can be seen and taken back. It needs a Git repository, and
 * changes nothing in it but the files themselves.
 */
export class FileChanges {
  readonly #projectPath: string
  readonly #turns: Turn[] = []
  #tree: WorkTree | undefined
  /** Why it cannot be done (any more). */
  #problem: string | undefined
  #begun: string | undefined

  constructor(projectPath: string) {
    this.#projectPath = projectPath
    removeAbandonedUndoFolders()
  }

  /** A turn is about to begin. Never rejects: without a snapshot the turn cannot be undone, which is told when it matters. */
  async turnBegins(): Promise<void> {
    this.#begun = await this.#snapshot()
  }

  /** The turn is over. */
  async turnEnded(): Promise<void> {
    const before = this.#begun
    this.#begun = undefined
    const after = before === undefined ? undefined : await this.#snapshot()
    if (before !== undefined && after !== undefined) {
      this.#turns.push({ before, after })
    }
  }

  /** Another conversation begins. */
  forget(): void {
    this.#turns.length = 0
  }

  /** What has changed since the last prompt, whoever changed it. */
  async diff(chalk: ChalkInstance): Promise<string> {
    const { tree, turn } = await this.#last('shown')
    const text = await tree.diff(turn.before, await tree.snapshot())
    if (text === '') {
      return 'no file has changed since the last prompt'
    }
    const lines = cleanValue(text.trimEnd()).split('\n')
    const more = lines.length - MAX_DIFF_LINES
    const shown = lines.slice(0, MAX_DIFF_LINES).map((line) => coloured(line, chalk))
    return [...shown, ...(more > 0 ? [`${symbols().ellipsis} ${formatCount(more, 'more line')}`] : [])].join(
      '\n',
    )
  }

  /** Takes back what the last turn did to the files; nothing, where one of them was changed since. */
  async undo(): Promise<string> {
    const { tree, turn } = await this.#last('undone')
    const files = await tree.changed(turn.after, turn.before)
    if (files.length === 0) {
      this.#turns.pop()
      return 'the last turn changed no file; undo again takes back the one before'
    }
    const since = new Set((await tree.changed(turn.after, await tree.snapshot())).map(({ path }) => path))
    const touched = files.map(({ path }) => path).filter((path) => since.has(path))
    if (touched.length > 0) {
      throw execError('INVALID_INPUT', `nothing was undone: changed since the turn: ${names(touched)}`)
    }
    await tree.write(
      turn.before,
      files.filter(({ change }) => change !== 'deleted').map(({ path }) => path),
    )
    for (const { path, change } of files) {
      if (change === 'deleted') {
        remove(tree.top, path)
      }
    }
    this.#turns.pop()
    return `undone in ${names(files.map(({ path }) => path))}; the agent is not told`
  }

  /** Removes what was written for it. */
  close(): void {
    this.#tree?.close()
  }

  async #last(what: string): Promise<{ tree: WorkTree; turn: Turn }> {
    const turn = this.#turns.at(-1)
    if (!turn || !this.#tree) {
      throw execError('INVALID_INPUT', this.#problem ?? `there was no turn yet that could be ${what}`)
    }
    return { tree: this.#tree, turn }
  }

  async #snapshot(): Promise<string | undefined> {
    if (this.#problem !== undefined) {
      return undefined
    }
    const started = performance.now()
    try {
      this.#tree ??= await WorkTree.open(this.#projectPath)
      const tree = await this.#tree.snapshot()
      if (performance.now() - started > MAX_SNAPSHOT_MS) {
        this.#problem = 'the files cannot be compared: there are too many of them'
      }
      return tree
    } catch (error) {
      this.#problem = `the files cannot be compared: ${(error as Error).message}`
      return undefined
    }
  }
}

/** Removes a file, and the folders that are empty then. */
function remove(top: string, path: string): void {
  rmSync(join(top, path), { force: true })
  for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
    try {
      rmdirSync(join(top, folder))
    } catch {
      // It is not empty.
      return
    }
  }
}

function names(paths: string[]): string {
  const shown = cleanValue(paths.slice(0, MAX_NAMED_FILES)).join(', ')
  const more = paths.length - MAX_NAMED_FILES
  return more > 0 ? `${shown} and ${formatCount(more, 'more file')}` : shown
}

function coloured(line: string, { bold, cyan, green, red }: ChalkInstance): string {
  if (/^(diff|index|---|\+\+\+|new file|deleted file)/.test(line)) {
    return bold(line)
  }
  const colour = line.startsWith('+')
    ? green
    : line.startsWith('-')
      ? red
      : line.startsWith('@@')
        ? cyan
        : undefined
  return colour ? colour(line) : line
}
