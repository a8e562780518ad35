import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

import { git } from './git.js'
import { makeUndoFolder } from './undo-folder.js'

/** How a file differs from one snapshot to another. */
export interface ChangedFile {
  path: string
  change: 'added' | 'deleted' | 'modified'
}

const NOT_OURS = [':/', ':(top,exclude).locus']

/**
 * Snapshots of the files of a Git repository, as trees. They are made with an index and an object store of their own, in a
 * temporary folder: the repository itself is only read. Files that Git ignores are not in them.
 */
export class WorkTree {
  readonly top: string
  readonly #folder: string
  readonly #env: NodeJS.ProcessEnv

  private constructor(top: string, folder: string, objects: string) {
    this.top = top
    this.#folder = folder
    this.#env = {
      GIT_INDEX_FILE: join(folder, 'index'),
      GIT_OBJECT_DIRECTORY: join(folder, 'objects'),
      GIT_ALTERNATE_OBJECT_DIRECTORIES: objects,
    }
  }

  /** The repository that a folder is in; rejects where there is none, or where its files cannot be copied faithfully. */
  static async open(folder: string): Promise<WorkTree> {
    const answer = await git(
      ['rev-parse', '--show-toplevel', '--git-path', 'index', '--git-path', 'objects'],
      { cwd: folder },
    )
    const [top = '', index = '', objects = ''] = answer.split('\n')
    const filtered = await git(['ls-files', '--', ':(top,attr:filter)'], { cwd: folder })
    if (filtered !== '') {
      throw new Error('files of this repository go through filters (as of Git LFS)')
    }
    const own = makeUndoFolder()
    mkdirSync(join(own, 'objects'))
    if (existsSync(resolve(folder, index))) {
      copyFileSync(resolve(folder, index), join(own, 'index'))
    }
    return new WorkTree(top, own, resolve(folder, objects))
  }

  /** The files as they are now: the id of a tree. */
  async snapshot(): Promise<string> {
    // They are kept for as long as the program runs: nothing is gained by making them small.
    await this.#git(['-c', 'core.compression=0', 'add', '--all', '--', ...NOT_OURS])
    return (await this.#git(['write-tree'])).trim()
  }

  /** What differs between two snapshots. */
  async changed(from: string, to: string): Promise<ChangedFile[]> {
    const answer = await this.#git(['diff-tree', '-r', '-z', '--no-renames', '--name-status', from, to])
    const fields = answer.split('\0')
    const files: ChangedFile[] = []
    for (let index = 0; index + 1 < fields.length; index += 2) {
      const [status = '', path = ''] = fields.slice(index, index + 2)
      files.push({ path, change: status === 'A' ? 'added' : status === 'D' ? 'deleted' : 'modified' })
    }
    return files
  }

  /** The difference between two snapshots, for people. */
  async diff(from: string, to: string): Promise<string> {
    return await this.#git(['diff', '--no-color', '--no-ext-diff', '--no-textconv', '--no-renames', from, to])
  }

  /** Writes files as they are in a snapshot. */
  async write(tree: string, paths: string[]): Promise<void> {
    if (paths.length === 0) {
      return
    }
    const env = { GIT_INDEX_FILE: join(this.#folder, 'restored-index') }
    await this.#git(['read-tree', tree], { env })
    await this.#git(['checkout-index', '--force', '-z', '--stdin'], { env, input: paths.join('\0') })
  }

  /** Removes what was written for the snapshots. */
  close(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #git(args: string[], { env, input }: { env?: NodeJS.ProcessEnv; input?: string } = {}): Promise<string> {
    return git(args, { cwd: this.top, env: { ...this.#env, ...env }, input })
  }
}
