import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { stateOf } from '../../../ts/cli/sessions/list.js'
import { runCli } from '../../support/cli.js'
import { temporaryFolder } from '../../support/folder.js'
import { FIRST, idsOf, json, project, SECOND, sessions, THIRD } from '../../support/project.js'
import { recordedSession, store } from '../../support/stored.js'
import { startInTerminal } from '../../support/terminal.js'

describe('sessions list', () => {
  it('shows the conversations in a table, the newest first', async () => {
    const { exitCode, stdout, stderr } = await sessions(['list'], project())
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const rows = stdout.split('\n').map((line) => line.split(/ {2,}/))
    expect(rows[0]).toEqual(['ID', 'UPDATED', 'TURNS', 'COST', 'AGENT', 'STATE', 'SESSION'])
    expect(rows[1]?.slice(0, 3)).toEqual(['b0000000', '2 hours ago', '1'])
    expect(rows.slice(1, 4).map((row) => [row[0], row.at(-1)])).toEqual([
      ['b0000000', 'create a plan'],
      ['a8f3ffff', 'the second one'],
      ['a8f3d9e2', 'create a plan'],
    ])
    expect(rows[2]).toContain('interrupted')
  })

  it('is what sessions without a command does', async () => {
    const cwd = project()
    expect(await sessions([], cwd)).toEqual(await sessions(['list'], cwd))
    expect(idsOf(JSON.parse((await sessions(['--json'], cwd)).stdout))).toEqual([THIRD, SECOND, FIRST])
  })

  it('filters and pages', async () => {
    const cwd = project()
    expect(idsOf(await json(['list', '--limit', '1', '--offset', '1'], cwd))).toEqual([SECOND])
    expect(idsOf(await json(['list', '--after', '1d'], cwd))).toEqual([THIRD])
    expect(idsOf(await json(['list', '--before', '1d'], cwd))).toEqual([SECOND, FIRST])
    expect(idsOf(await json(['list', '--provider', 'codex'], cwd))).toEqual([])
    expect(idsOf(await json(['list', '--query', 'second one'], cwd))).toEqual([SECOND])
    const { stderr } = await sessions(['list', '-n', '2'], cwd)
    expect(stderr).toBe('2 of 3 sessions; --limit 3 shows all\n')
  })

  it('says so where there is nothing', async () => {
    const cwd = temporaryFolder()
    const { exitCode, stdout, stderr } = await sessions(['list'], cwd)
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' })
    expect(stderr).toContain('no sessions')
    expect(readdirSync(cwd)).toEqual([])
  })

  it('is about the project that --dir names, before or after the command', async () => {
    const cwd = project()
    const elsewhere = temporaryFolder()
    const after = await sessions(['list', '--dir', cwd], elsewhere)
    expect(after.stdout).toContain('b0000000')
    const before = await runCli(['exec', '--dir', cwd, 'sessions', 'list'], { cwd: elsewhere })
    expect(before.stdout).toBe(after.stdout)
  })

  it('fits the terminal', async () => {
    const cwd = temporaryFolder()
    const long = recordedSession({ id: FIRST, title: '日本語の長い題名'.repeat(40) })
    store(cwd, FIRST, long)
    const { screen } = await startInTerminal(['exec', 'sessions', 'list', '--dir', cwd], 'streams-deltas')
      .finished
    const lines = screen.split('\n')
    expect(lines).toHaveLength(2)
    expect(lines[1]).toMatch(/^a8f3d9e2 {2}.*日本語.*…$/)
  })
})

it.each([
  [{ open: false, interrupted: false }, ''],
  [{ open: false, interrupted: true }, 'interrupted'],
  [{ open: true, interrupted: false }, 'open'],
  [{ open: true, interrupted: true }, 'running'],
])('the state of a session with %j is %j', (session, state) => {
  expect(stateOf(session)).toBe(state)
})
