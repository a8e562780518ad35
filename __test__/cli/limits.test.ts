import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { limitsOf } from '../../ts/cli/limits.js'
import { protocolLines, runCli } from '../support/cli.js'
import { temporaryFolder } from '../support/folder.js'

/** A project with these settings. */
function projectWith(settings: object): string {
  const project = temporaryFolder()
  mkdirSync(join(project, '.locus'))
  writeFileSync(join(project, '.locus', 'settings.json'), JSON.stringify(settings))
  return project
}

const look = (args: string[], cwd: string = temporaryFolder()) =>
  runCli(['exec', '--yes', ...args, 'look'], { cwd, agent: 'says-everything' })

describe('the limits of a turn', () => {
  it('are those of the flags, else of the settings, one by one', () => {
    const settings = { timeout: '10m', budget: { turn: { costUsd: 1, tokens: 5 } } }
    expect(limitsOf({}, settings)).toEqual({
      budget: { costUsd: 1, tokens: 5 },
      timeouts: { totalMs: 600_000 },
    })
    const flags = { maxCostUsd: '0.5', maxTurns: '3', timeout: '1.5s' }
    expect(limitsOf(flags, settings)).toEqual({
      budget: { costUsd: 0.5, tokens: 5, turns: 3 },
      timeouts: { totalMs: 1500 },
    })
    expect(limitsOf({}, {})).toEqual({ budget: {} })
  })

  it.each([
    ['--max-cost-usd', '0', 'a number of US dollars above 0'],
    ['--max-cost-usd', '$1', 'a number of US dollars above 0'],
    ['--max-tokens', '1.5', 'a whole number above 0'],
    ['--max-tokens', '-1', 'a whole number above 0'],
    ['--max-turns', 'many', 'a whole number above 0'],
    ['--timeout', '10', 'a duration such as'],
  ])('refuse %s %s', async (flag, value, message) => {
    const { exitCode, stderr } = await look([`${flag}=${value}`])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(`${flag} must be ${message}`)
  })
})

describe('locus exec with a budget', () => {
  it('ends a turn that goes beyond it with the figures and an exit code of its own', async () => {
    const { exitCode, stderr } = await look(['--max-cost-usd', '0.2'])
    expect(exitCode).toBe(27)
    expect(stderr).toContain('✗ BUDGET_EXCEEDED the turn used $0.25 of $0.20, $0.05 over')
  })

  it('tells a program the tokens and the cost all the same', async () => {
    const { exitCode, stdout } = await look(['--json-stream', '--max-tokens', '30'])
    const lines = protocolLines(stdout)
    expect(lines.at(-2)).toMatchObject({ type: 'error', payload: { error: { code: 'BUDGET_EXCEEDED' } } })
    expect(lines.at(-1)?.payload).toMatchObject({ exitCode, success: false, tokensUsed: 36, costUsd: 0.25 })
  })

  it('keeps to that of the settings, for a turn and for a session', async () => {
    const ofTurn = projectWith({ budget: { turn: { tokens: 30 } } })
    expect((await look([], ofTurn)).exitCode).toBe(27)
    expect((await look(['--max-tokens', '40'], ofTurn)).exitCode).toBe(0)
    const ofSession = projectWith({ budget: { session: { costUsd: 0.25 } } })
    expect((await look([], ofSession)).exitCode).toBe(0)
    const { exitCode, stderr } = await look(['--continue'], ofSession)
    expect(exitCode).toBe(27)
    expect(stderr).toContain('the session used $0.25 of $0.25')
    expect((await look([], ofSession)).exitCode).toBe(0)
  })

  it('stops a turn that takes too long', async () => {
    const args = ['exec', '--timeout', '300ms', 'hi']
    const { exitCode, stderr } = await runCli(args, { agent: 'waits-for-interrupt' })
    expect(exitCode).toBe(32)
    expect(stderr).toContain('TURN_TIMEOUT')
  })

  it.each([
    [{ budget: 5 }, "the setting 'budget' in"],
    [{ budget: { day: {} } }, "the setting 'budget' in"],
    [{ budget: { turn: { costUsd: -1 } } }, "'budget.turn.costUsd' must be"],
    [{ budget: { session: { dollars: 1 } } }, "'budget.session' has no 'dollars'"],
    [{ timeout: 10 }, "the setting 'timeout' in"],
  ])('names what is wrong in the settings %j', async (settings, message) => {
    const { exitCode, stderr } = await look([], projectWith(settings))
    expect(exitCode).toBe(2)
    expect(stderr).toContain(message)
    expect(stderr).toContain('settings.json')
  })
})
