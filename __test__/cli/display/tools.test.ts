import { describe, expect, it } from 'vitest'

import { returns, saying, uses, wait, words } from '../../support/lines.js'
import { CTRL_C, send, stable, startRepl } from '../../support/repl.js'
import { startInTerminal } from '../../support/terminal.js'

const FAKE = 'says-the-lines-of-a-file'

const many = (count: number, parent: string | null = null) =>
  Array.from({ length: count }, (_, index) =>
    uses(`${parent}${index}`, 'Read', { file_path: `file-${index}` }, parent),
  )
const allReturn = (count: number, parent: string | null = null) =>
  Array.from({ length: count }, (_, index) => returns(`${parent}${index}`, 'text', { parent }))

describe('a subagent', () => {
  const lines = [
    uses('one', 'Task', { description: 'look' }),
    uses('two', 'Task', { description: 'test' }),
    uses('grep', 'Grep', { pattern: 'x' }, 'one'),
    uses('run', 'Bash', { command: 'make' }, 'two'),
    wait('grep'),
    returns('grep', 'no such folder', { failed: true, parent: 'one' }),
    uses('read', 'Read', { file_path: 'a.txt' }, 'one'),
    wait('read'),
    returns('read', 'text', { parent: 'one' }),
    returns('one', 'found it'),
    wait('rest'),
    returns('run', 'made', { parent: 'two' }),
    returns('two', 'tested'),
    words('Done.'),
  ]

  it('has its tools below it while they are used, and when it is done', async () => {
    const { env, goOn } = saying(...lines)
    const terminal = await startRepl(FAKE, { env, flags: ['--no-status'] })
    send(terminal, 'go')
    const live = () => stable(terminal.visible().join('\n').split('❯ go')[1] ?? '')
    await terminal.shown('make')
    expect(live()).toContain(
      [
        '⠋ 🤖 Spawning agent look',
        '  ⠋ 🔍 Searching code x',
        '⠋ 🤖 Spawning agent test',
        '  ⠋ ⚡ Running command make',
      ].join('\n'),
    )
    goOn('grep')
    await terminal.shown('a.txt')
    expect(live()).toContain('⠋ 🤖 Spawning agent look · 1 tool\n  ⠋ 📖 Reading file a.txt\n')
    goOn('read')
    await terminal.shown('found it')
    goOn('rest')
    await terminal.shown('5 out')
    expect(live()).toContain(
      [
        '✓ 🤖 Spawning agent look · 2 tools (…ms)',
        '  ✗ 🔍 Searching code x (…ms)',
        '    │ no such folder',
        '  ✓ 📖 Reading file a.txt (…ms)',
        '  │ found it',
        '✓ 🤖 Spawning agent test · 1 tool (…ms)',
        '  ✓ ⚡ Running command make (…ms)',
        '  │ tested',
        '',
        'Done.',
      ].join('\n'),
    )
  })

  it('that used many tools shows the last of them, and all where everything is to be shown', async () => {
    const long = [uses('one', 'Task', { description: 'look' }), ...many(15, 'one'), ...allReturn(15, 'one')]
    for (const flags of [[], ['-v']]) {
      const { env } = saying(...long, returns('one', 'done'))
      const terminal = startInTerminal(['exec', '--yes', '--no-save', ...flags, 'go'], FAKE, env)
      const { screen } = await terminal.finished
      const [, shown = ''] = screen.split('Spawning agent look · 15 tools')
      expect(shown.includes('  … 6 tools before\n')).toBe(flags.length === 0)
      expect(shown.match(/✓ 📖/g)).toHaveLength(flags.length === 0 ? 9 : 15)
      expect(shown).toContain('file-14')
    }
  })

  it('that is interrupted leaves what it has done', async () => {
    const { env } = saying(
      uses('one', 'Task', { description: 'look' }),
      uses('read', 'Read', { file_path: 'a.txt' }, 'one'),
      returns('read', 'text', { parent: 'one' }),
      wait('never'),
    )
    const terminal = startInTerminal(['exec', '--yes', '--no-save', 'go'], FAKE, env)
    await terminal.shown('· 1 tool')
    terminal.type(CTRL_C)
    expect(stable((await terminal.finished).screen)).toMatch(
      /^✗ 🤖 Spawning agent look · 1 tool \(…ms\)\n {2}✓ 📖 Reading file a\.txt \(…ms\)\n/,
    )
  })
})

describe('many tools at once', () => {
  it.each([
    [80, 24],
    [40, 10],
  ])('have a row each, as far as a screen of %i×%i has room', async (columns, rows) => {
    const { env, goOn } = saying(words('I will look.\n'), ...many(30), wait('end'), ...allReturn(30))
    const terminal = await startRepl(FAKE, { env, columns, rows })
    send(terminal, 'go')
    await terminal.shown('file-29')
    const visible = terminal.visible()
    expect(visible).toHaveLength(rows)
    const shown = visible.filter((row) => /^⠋|^[⠙⠹⠸⠼⠴⠦⠧⠇⠏]/.test(row)).length
    expect(visible.some((row) => row === `… and ${30 - shown} more`)).toBe(true)
    expect(shown).toBeGreaterThanOrEqual(rows === 24 ? 10 : 1)
    expect(visible.some((row) => row.startsWith('claude'))).toBe(true)
    terminal.resize(columns, rows + 6)
    goOn('end')
    await terminal.shown('5 out')
    expect(terminal.screen().match(/✓ 📖 Reading file file-\d+/g)).toHaveLength(30)
  })
})
