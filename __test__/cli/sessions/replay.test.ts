import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { protocolLines } from '../../support/cli.js'
import { temporaryFolder } from '../../support/folder.js'
import { FIRST, project, sessions } from '../../support/project.js'
import { startInTerminal } from '../../support/terminal.js'

describe('sessions replay', () => {
  it('shows every turn as it was seen when it ran', async () => {
    const { exitCode, stdout, stderr } = await sessions(['replay', FIRST, '--speed', 'max'], project())
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'I will write \nthe plan.\nhalf an ans\n' })
    expect(stderr).toContain('> create a plan\n')
    expect(stderr).toContain('✓ 📝 Writing file /project/plan.md +1 −0 (23ms)\n  │ + # The Plan\n')
    expect(stderr).toContain('Tools used: Write\n')
    expect(stderr).toContain('✗ RATE_LIMIT too many requests\n')
    expect(stderr).toMatch(/✗ CANCELLED the turn was interrupted/)
  })

  it('shows what an agent has printed into a file', async () => {
    const cwd = temporaryFolder()
    const fixture = new URL('../../../fixtures/transcripts/claude/text/stdout.jsonl', import.meta.url)
    const printed = readFileSync(fixture, 'utf8')
    const repeated = JSON.stringify({
      ...{ type: 'user', isReplay: true, message: { role: 'user', content: 'say \u001b[31mhello' } },
    })
    writeFileSync(join(cwd, 'printed.jsonl'), `${printed.replace('\n', `\n${repeated}\n`)}${printed}`)
    const { exitCode, stdout, stderr } = await sessions(['replay', 'printed.jsonl', '--speed', 'max'], cwd)
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: 'Hello from the mock model , streaming . \n'.repeat(2),
    })
    expect(stderr).toContain('> say hello\n')
    const asJson = await sessions(['replay', './printed.jsonl', '--speed', 'max', '--json'], cwd)
    const lines = protocolLines(asJson.stdout)
    expect(lines.filter(({ type }) => type === 'start')).toHaveLength(2)
    expect(lines[0]).toMatchObject({ sessionId: 'printed.jsonl', payload: { provider: 'claude', cwd } })
  })

  it('refuses what is neither a session nor was printed by that agent', async () => {
    const cwd = project()
    writeFileSync(join(cwd, 'empty.jsonl'), '')
    const codes = async (...args: string[]) => {
      const { exitCode, stdout } = await sessions(['replay', ...args, '--speed', 'max', '--json'], cwd)
      return [exitCode, JSON.parse(stdout).error.code]
    }
    expect(await codes('empty.jsonl')).toEqual([2, 'INVALID_INPUT'])
    expect(await codes('missing.jsonl')).toEqual([2, 'INVALID_INPUT'])
    expect(await codes('.')).toEqual([2, 'INVALID_INPUT'])
    expect(await codes('empty.jsonl', '--provider', 'hal')).toEqual([3, 'UNKNOWN_PROVIDER'])
    expect(await codes(FIRST, '--provider', 'claude')).toEqual([2, 'INVALID_INPUT'])
  })

  it('as JSON gives the stream of each turn', async () => {
    const { exitCode, stdout, stderr } = await sessions(
      ['replay', FIRST, '--speed', 'max', '--json'],
      project(),
    )
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const lines = protocolLines(stdout)
    expect(lines.filter(({ type }) => type === 'start')).toHaveLength(3)
    expect(lines.filter(({ type }) => type === 'done').map(({ payload }) => payload.exitCode)).toEqual([
      0, 23, 130,
    ])
    expect(new Set(lines.map(({ sessionId }) => sessionId))).toEqual(new Set([FIRST]))
  })

  it('takes the time that it took, and Ctrl+C stops it with the screen as it was', async () => {
    const cwd = project()
    const args = ['exec', 'sessions', 'replay', FIRST, '--dir', cwd, '--max-pause', '600', '--speed', '10']
    const terminal = startInTerminal(args, 'streams-deltas')
    // The next turn is six seconds away.
    await terminal.written('Execution Summary')
    terminal.type('\u0003')
    const { exitCode, bytes, screen } = await terminal.finished
    expect(exitCode).toBe(130)
    expect(screen).toContain('I will write')
    expect(screen).not.toContain('now fail')
    expect(screen).toContain('✗ CANCELLED the replay was stopped')
    expect(bytes.lastIndexOf('\u001b[?25h')).toBeGreaterThan(bytes.lastIndexOf('\u001b[?25l'))
  })

  it.each([
    ['--speed', '0'],
    ['--speed', 'fast'],
    ['--speed', '-1'],
    ['--max-pause', 'x'],
  ])('says what is wrong with %s %s', async (...flags) => {
    const { exitCode, stderr } = await sessions(['replay', FIRST, ...flags], project())
    expect(exitCode).toBe(2)
    expect(stderr).toContain(`${flags[0]} `)
  })
})
