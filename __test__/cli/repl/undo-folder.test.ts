import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { makeUndoFolder, removeAbandonedUndoFolders } from '../../../ts/cli/repl/undo-folder.js'
import { temporaryFolder } from '../../support/folder.js'
import { CTRL_D, send, startRepl } from '../../support/repl.js'

/** The number of a process that is no more. */
const gone = () => spawnSync('true').pid

describe.skipIf(process.platform !== 'linux')('the folders of `undo`', () => {
  it('stay while their owner is there, and go when it is gone', () => {
    const parent = temporaryFolder()
    const own = makeUndoFolder(parent)
    const abandoned = own.replace(`-${process.pid}-`, `-${gone()}-`)
    mkdirSync(join(abandoned, 'objects'), { recursive: true })
    writeFileSync(join(abandoned, 'objects', 'file'), 'x')
    removeAbandonedUndoFolders(parent)
    expect(readdirSync(parent)).toEqual([basename(own)])
  })

  it('of a process whose number another one has now goes', () => {
    const parent = temporaryFolder()
    const [, start = ''] = /-\d+-(\d+)-/.exec(makeUndoFolder(parent)) ?? []
    const recycled = makeUndoFolder(parent).replace(`-${start}-`, `-${Number(start) - 1}-`)
    mkdirSync(recycled)
    removeAbandonedUndoFolders(parent)
    expect(existsSync(recycled)).toBe(false)
    expect(readdirSync(parent)).toHaveLength(2)
  })

  it.each([
    ['numbers of another container', (name: string) => name.replace(/\d+(-\w{6})$/, '7$1')],
    ['a name that only begins like ours', (name: string) => `${name}.bak`],
    ['no owner in its name', () => 'locus-exec-undo-abcdef'],
  ])('with %s stays', (_, renamed) => {
    const parent = temporaryFolder()
    const name = basename(makeUndoFolder(parent)).replace(`-${process.pid}-`, `-${gone()}-`)
    mkdirSync(join(parent, renamed(name)))
    removeAbandonedUndoFolders(parent)
    expect(existsSync(join(parent, renamed(name)))).toBe(true)
  })

  it('is not what a link of such a name leads to', () => {
    const [parent, elsewhere] = [temporaryFolder(), temporaryFolder()]
    const path = makeUndoFolder(parent).replace(`-${process.pid}-`, `-${gone()}-`)
    symlinkSync(elsewhere, path)
    removeAbandonedUndoFolders(parent)
    expect(existsSync(elsewhere)).toBe(true)
    expect(readdirSync(parent)).toContain(basename(path))
  })

  it('does not stay behind a program that is killed, once it is started again', async () => {
    const [cwd, TMPDIR] = [temporaryFolder(), temporaryFolder()]
    execFileSync('git', ['init', '-q'], { cwd })
    const folders = () => readdirSync(TMPDIR).filter((name) => name.startsWith('locus-exec-undo-'))
    const turn = async () => {
      const terminal = await startRepl('answers-with-the-prompt', { cwd, env: { TMPDIR } })
      send(terminal, 'hello')
      await terminal.shown('out\n\n❯')
      return terminal
    }
    const first = await turn()
    const [left] = folders()
    first.kill('SIGKILL')
    await first.finished
    expect(folders()).toEqual([left])
    const second = await turn()
    expect(folders()).toEqual([expect.not.stringContaining(`-${first.pid}-`)])
    second.type(CTRL_D)
    await second.finished
    expect(folders()).toEqual([])
  })

  it('are not taken from one another by two programs', async () => {
    const [cwd, TMPDIR] = [temporaryFolder(), temporaryFolder()]
    execFileSync('git', ['init', '-q'], { cwd })
    const setup = { cwd, env: { TMPDIR } }
    const first = await startRepl('answers-with-the-prompt', setup)
    send(first, 'hello')
    await first.shown('out\n\n❯')
    const second = await startRepl('answers-with-the-prompt', setup)
    send(first, '/diff')
    await first.shown('no file has changed since the last prompt')
    for (const terminal of [first, second]) {
      terminal.type(CTRL_D)
      await terminal.finished
    }
  })
})
