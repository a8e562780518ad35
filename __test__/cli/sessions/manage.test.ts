import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

import { FIRST, idsOf, json, project, SECOND, sessions, THIRD } from '../../support/project.js'
import { startInTerminal } from '../../support/terminal.js'

describe('sessions delete and clear', () => {
  it('delete one at once', async () => {
    const cwd = project()
    expect(await sessions(['delete', 'b0'], cwd)).toMatchObject({ exitCode: 0, stdout: 'deleted b0000000\n' })
    expect(idsOf(await json(['list'], cwd))).toEqual([SECOND, FIRST])
    expect(existsSync(join(cwd, '.locus', 'exec-history', `${THIRD}.jsonl`))).toBe(false)
  })

  it('delete none where one of them is not known', async () => {
    const cwd = project()
    expect((await sessions(['delete', '--yes', 'b0', 'nope'], cwd)).exitCode).toBe(42)
    expect(idsOf(await json(['list'], cwd))).toHaveLength(3)
  })

  it.each([[['delete', 'b0', SECOND]], [['clear']]])(
    'refuse without a terminal and without --yes: %j',
    async (args) => {
      const cwd = project()
      const { exitCode, stdout, stderr } = await sessions(args, cwd)
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
      expect(stderr).toContain('without a terminal; add --yes to do it')
      expect(idsOf(await json(['list'], cwd))).toHaveLength(3)
    },
  )

  it('do it with --yes', async () => {
    const cwd = project()
    expect(await json(['delete', '--yes', 'b0', SECOND], cwd)).toEqual({ deleted: [THIRD, SECOND] })
    expect((await sessions(['clear', '--yes'], cwd)).stdout).toBe('deleted 1 session\n')
    expect(idsOf(await json(['list'], cwd))).toEqual([])
  })

  it.each([
    ['y\r', 0, 0],
    ['n\r', 130, 3],
    ['\r', 130, 3],
    ['\u0003', 130, 3],
    ['\u0004', 130, 3],
  ])('ask in a terminal, where %j is the answer', async (keys, exitCode, left) => {
    const cwd = project()
    const terminal = startInTerminal(['exec', 'sessions', 'clear', '--dir', cwd], 'streams-deltas')
    await terminal.written('Delete all 3 sessions of this project? [y/N]')
    terminal.type(keys)
    expect((await terminal.finished).exitCode).toBe(exitCode)
    expect(idsOf(await json(['list'], cwd))).toHaveLength(left)
  })
})

describe('sessions fork and rename', () => {
  it('copy a conversation, or its beginning', async () => {
    const cwd = project()
    const { id, forkedFrom } = await json(['fork', FIRST, '--turns', '1'], cwd)
    expect(forkedFrom).toBe(FIRST)
    const fork = await json(['show', id], cwd)
    expect(fork).toMatchObject({ id, forkedFrom: FIRST, summary: { turns: 1, interrupted: false } })
    const whole = await sessions(['fork', 'a8f3d9e2-1111'], cwd)
    expect(whole.stdout).toMatch(/^forked a8f3d9e2 as [\w-]{8}\n$/)
  })

  it('give a conversation a title, or take it away', async () => {
    const cwd = project()
    const { stdout } = await sessions(['rename', 'b0', 'the', 'third'], cwd)
    expect(stdout).toBe('b0000000 is now called "the third"\n')
    expect((await json(['show', 'b0'], cwd)).summary.title).toBe('the third')
    expect((await sessions(['rename', 'b0', ''], cwd)).stdout).toBe('b0000000 has no title any more\n')
    expect((await json(['show', 'b0'], cwd)).summary.title).toBeUndefined()
  })
})
