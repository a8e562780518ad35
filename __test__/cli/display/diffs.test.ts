import { describe, expect, it } from 'vitest'

import { runCli } from '../../support/cli.js'
import { returns, saying, uses } from '../../support/lines.js'
import { CTRL_D, send, stable, startRepl } from '../../support/repl.js'
import { startInTerminal } from '../../support/terminal.js'

const FAKE = 'says-the-lines-of-a-file'
const ESCAPE = '\u001b'
const WIDE = '数量'.repeat(60)

const edit = (old_string: string, new_string: string, file_path = 'src/a.ts') => [
  uses('edit', 'Edit', { file_path, old_string, new_string }),
  returns('edit', 'done'),
]

const EDIT = edit(
  `const a = 1\n\tconst b = '${WIDE}'\n`,
  `const a = 1\n\tconst b = 'e\u0301${WIDE}'\n${'x\n'.repeat(12)}`,
)

/** What was shown of the edit. */
const ofEdit = (screen: string) => /✓ 🔧[\s\S]*?more lines?$/m.exec(stable(screen))?.[0] ?? ''

describe('the change of a file', () => {
  it.each([
    [80, 24],
    [40, 10],
  ])('is shown in -i at %i×%i, no row wider than the screen', async (columns, rows) => {
    const { env } = saying(...EDIT)
    const terminal = await startRepl(FAKE, { columns, rows, env })
    send(terminal, 'go')
    await terminal.shown('5 out\n')
    terminal.type(CTRL_D)
    const { screen, bytes } = await terminal.finished
    const cut = (room: number) => '数量'.repeat(60).slice(0, Math.floor(room / 2))
    const room = columns - 1 - "  │ -     const b = '".length - 1
    expect(ofEdit(screen).split('\n')).toEqual([
      '✓ 🔧 Editing file src/a.ts +13 −1 (…ms)',
      '  │   const a = 1',
      `  │ -     const b = '${cut(room)}…`,
      expect.stringMatching(/^ {2}│ \+ {5}const b = 'e\u0301[数量]+…$/),
      ...Array.from({ length: 7 }, () => '  │ + x'),
      '  │ … 5 more lines',
    ])
    expect(bytes).toContain(`${ESCAPE}[31m- `)
    expect(bytes).toContain(`${ESCAPE}[32m+ x`)
  })

  it('is shown whole where everything is to be shown', async () => {
    const { env } = saying(...EDIT)
    const terminal = startInTerminal(['exec', '--yes', '-v', '--no-save', 'go'], FAKE, env)
    const { screen } = await terminal.finished
    expect(screen.match(/│ \+ x$/gm)).toHaveLength(12)
    expect(screen).not.toContain('more line')
  })

  it('is a part of what is about the answer, without colours in a pipe', async () => {
    const { env } = saying(...edit('a\nb', 'a\nc'))
    const { stdout, stderr } = await runCli(['exec', '--yes', '--no-save', 'go'], { agent: FAKE, env })
    expect(stdout).toBe('')
    expect(stderr.replace(/\d+ms/, '…ms')).toContain(
      '✓ 🔧 Editing file src/a.ts +1 −1 (…ms)\n  │   a\n  │ - b\n  │ + c\n',
    )
  })

  it('is no command to the terminal, whatever is in it', async () => {
    const hostile = `\u001b[2J\u001b]0;title\u0007\u202e\u0000red\r\nnext`
    const { env } = saying(...edit(hostile, `${hostile}!`, 'a\u001b[31m.ts\u0007'))
    const terminal = startInTerminal(['exec', '--yes', '--simple', '--no-save', 'go'], FAKE, env)
    const { bytes, screen } = await terminal.finished
    expect(screen).toContain('+ next!')
    for (const command of [ESCAPE, '\u0007', '\u202e', '\0']) {
      expect(bytes).not.toContain(command)
    }
  })

  it('is not shown where it was not made', async () => {
    const { env } = saying(
      uses('edit', 'Edit', { file_path: 'a.ts', old_string: 'a', new_string: 'b' }),
      returns('edit', 'no such text in the file', { failed: true }),
    )
    const { stderr } = await runCli(['exec', '--yes', '--no-save', 'go'], { agent: FAKE, env })
    expect(stderr).toContain('  │ no such text in the file\n')
    expect(stderr).not.toContain('+1')
  })
})
