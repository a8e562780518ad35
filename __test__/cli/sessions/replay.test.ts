import { describe, expect, it } from 'vitest'

import { protocolLines } from '../../support/cli.js'
import { FIRST, project, sessions } from '../../support/project.js'
import { startInTerminal } from '../../support/terminal.js'

describe('sessions replay', () => {
  it('shows every turn as it was seen when it ran', async () => {
    const { exitCode, stdout, stderr } = await sessions(['replay', FIRST, '--speed', 'max'], project())
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'I will write \nthe plan.\nhalf an ans\n' })
    expect(stderr).toContain('> create a plan\n')
    expect(stderr).toContain('✓ 📝 Writing file /project/plan.md (23ms)\n')
    expect(stderr).toContain('Tools used: Write\n')
    expect(stderr).toContain('✗ RATE_LIMIT too many requests\n')
    expect(stderr).toMatch(/✗ CANCELLED the turn was interrupted/)
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
