import { describe, expect, it } from 'vitest'

import { runCli } from '../../support/cli.js'
import { returns, saying, thought, uses, wait, words } from '../../support/lines.js'
import { CTRL_D, send, stable, startRepl } from '../../support/repl.js'
import { startInTerminal } from '../../support/terminal.js'

const FAKE = 'says-the-lines-of-a-file'
const CTRL_O = '\u000f'
const LONG = Array.from({ length: 30 }, (_, line) => `thought ${line} \u001b[31m数量\n`)

const exchange = () => [
  ...LONG.map(thought),
  wait('thought'),
  words('The answer.'),
  wait('end'),
  words(' All of it.'),
]

describe('what the model thinks', () => {
  it('is a spinner with the time it takes, and its text with Ctrl+O while it thinks', async () => {
    const { env, goOn } = saying(...exchange())
    const terminal = await startRepl(FAKE, { env, columns: 40, rows: 10 })
    send(terminal, 'go')
    await terminal.shown('Thinking')
    expect(terminal.screen()).not.toContain('thought 29')
    terminal.type(CTRL_O)
    await terminal.shown('│ thought 29 数量')
    const rows = terminal.visible().filter((row) => row.includes('thought'))
    expect(rows.length).toBeLessThanOrEqual(6)
    terminal.type(CTRL_O)
    await terminal.hidden('thought 29')
    terminal.type(CTRL_O)
    await terminal.shown('thought 29')
    goOn('thought')
    await terminal.shown('… 10 more lines\n\nThe answer.')
    goOn('end')
    await terminal.shown('5 out')
    terminal.type(CTRL_D)
    const { screen, bytes } = await terminal.finished
    expect(screen.match(/ {2}│ thought \d+ 数量/g)).toHaveLength(20)
    expect(bytes).not.toContain('\u001b[31m数')
  })

  it('is shown after it with Ctrl+O, once', async () => {
    const { env, goOn } = saying(thought('Let me see.'), words('The answer.'), wait('end'))
    const terminal = await startRepl(FAKE, { env })
    send(terminal, 'go')
    await terminal.shown('The answer.')
    expect(terminal.screen()).not.toContain('Let me see')
    terminal.type(CTRL_O)
    await terminal.shown('  │ Let me see.')
    await terminal.shown('thoughts are shown; Ctrl+O hides them')
    terminal.type(CTRL_O)
    await terminal.shown('thoughts are hidden')
    terminal.type(CTRL_O)
    await terminal.shown('thoughts are shown')
    goOn('end')
    await terminal.shown('5 out')
    expect(terminal.screen().split('Let me see.')).toHaveLength(2)
  })

  it('is a part of what is shown where everything is to be shown', async () => {
    const lines = [
      thought('Let me see.'),
      uses('read', 'Read', { file_path: 'a' }),
      returns('read', 'x'),
      thought('So that is it.'),
      words('Done.'),
    ]
    const expected =
      /^status: starting\n {2}│ Let me see\.\n✓ 📖 Reading file a \(…ms\)\n {2}│ x\n {2}│ So that is it\.\n\n/
    const terminal = startInTerminal(['exec', '--yes', '-v', '--no-save', 'go'], FAKE, saying(...lines).env)
    expect(stable((await terminal.finished).screen)).toMatch(expected)
    const run = await runCli(['exec', '--yes', '-v', '--no-save', 'go'], { agent: FAKE, ...saying(...lines) })
    expect(run.stdout).toBe('Done.\n')
    expect(run.stderr).toContain('  │ Let me see.\n')
    const quiet = await runCli(['exec', '--yes', '--no-save', 'go'], { agent: FAKE, ...saying(...lines) })
    expect(quiet.stderr).not.toContain('Let me see')
  })
})
