import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'
import { runCli } from '../../support/cli.js'
import { temporaryFolder } from '../../support/folder.js'
import { CTRL_C, CTRL_D, ENTER, send, startRepl } from '../../support/repl.js'
import { startInTerminal } from '../../support/terminal.js'

/** A question about a new file of so many lines. */
const longFile = (lines: number) => {
  const content = Array.from({ length: lines }, (_, line) => `line ${line}\n`).join('')
  return JSON.stringify({ tool: 'Write', input: { file_path: '/no/such/file', content } })
}

describe('a question for permission in a conversation', () => {
  it('shows what would be done, and is answered once', async () => {
    const terminal = await startRepl('asks-permission')
    send(terminal, 'clean up')
    await terminal.shown('y allow once')
    expect(terminal.screen()).toContain(
      '⚡ Bash asks for permission: Running command\n  │ command: rm -rf build\n',
    )
    terminal.type('y')
    await terminal.shown('"behavior":"allow"')
    send(terminal, 'again')
    await terminal.shown('❯ again')
    await terminal.shown('y allow once')
    terminal.type('n')
    await terminal.shown('why?')
    terminal.type(`not now${ENTER}`)
    await terminal.shown('✗ denied: not now')
    await terminal.shown('the user said no: not now')
    terminal.type(CTRL_D)
    expect((await terminal.finished).exitCode).toBe(0)
  })

  it.each([
    [80, 24, 'y allow once   a always allow Write   n deny   d show all of it'],
    [40, 10, 'y once  a always  n deny  d all'],
  ])('about a file shows what would be in it, at %i×%i', async (columns, rows, choices) => {
    const FAKE_TOOL = longFile(30)
    const terminal = await startRepl('asks-permission', { columns, rows, env: { FAKE_TOOL } })
    send(terminal, 'go')
    await terminal.shown(choices)
    const visible = terminal.visible()
    expect(visible.length).toBe(rows)
    expect(visible).toContain('  │ + line 0')
    expect(visible.find((row) => row.includes('more lines'))).toBe(
      `  │ … ${columns === 80 ? 13 : 27} more lines`,
    )
    terminal.type('d')
    await terminal.shown('  │ + line 29')
    await terminal.hidden(choices)
    terminal.type('y')
    await terminal.shown('✓ allowed')
    terminal.type(CTRL_D)
    await terminal.finished
  })

  it('is asked no more when it was always allowed, in this conversation', async () => {
    const terminal = await startRepl('asks-permission')
    send(terminal, 'clean up')
    await terminal.shown('a always allow this very command')
    terminal.type('a')
    await terminal.shown('✓ allowed, and always in this conversation')
    await terminal.shown('out\n\n❯')
    send(terminal, 'again')
    await terminal.shown('❯ again')
    await terminal.shown('out\n\n❯')
    send(terminal, '/status')
    await terminal.shown('Always:   1 Bash(rm -rf build)')
    expect(terminal.screen().match(/asks for permission/g)).toHaveLength(1)
    send(terminal, '/reset')
    await terminal.shown('a new conversation begins')
    send(terminal, 'once more')
    await terminal.shown('❯ once more')
    await terminal.shown('y allow once')
    terminal.type(CTRL_C)
    await terminal.shown('⏹ interrupted')
    terminal.type(CTRL_D)
    await terminal.finished
  })

  it.each([
    [['--allow', 'Bash'], '"behavior":"allow"'],
    [['--deny', 'Bash'], 'denied by the user'],
  ])('is not asked where %j says it', async (flags, words) => {
    const terminal = await startRepl('asks-permission', { flags })
    send(terminal, 'clean up')
    await terminal.shown(words)
    expect(terminal.screen()).not.toContain('asks for permission')
    terminal.type(CTRL_D)
    await terminal.finished
  })

  it('is not answered by what is typed for something else', async () => {
    const path = join(temporaryFolder(), 'go')
    const terminal = await startRepl('asks-permission-when-the-file-is-there', { env: { FAKE_FILE: path } })
    send(terminal, 'clean up')
    await terminal.shown('working')
    terminal.type('and ')
    await terminal.shown('❯ and\n')
    writeFileSync(path, '')
    await terminal.shown('press Esc to answer')
    terminal.type('yes')
    await terminal.shown('❯ and yes\n')
    terminal.type('\u001b')
    await terminal.shown('y allow once')
    terminal.type('y')
    await terminal.shown('✓ allowed')
    await terminal.shown('out\n\n❯ and yes\n')
    terminal.type(`${CTRL_C}`)
    await terminal.shown('❯\n')
    terminal.type(CTRL_D)
    await terminal.finished
  })

  it('goes away when the agent takes it back', async () => {
    const terminal = await startRepl('withdraws-its-question')
    send(terminal, 'clean up')
    await terminal.shown('out\n\n❯')
    expect(terminal.screen()).not.toContain('y allow once')
    terminal.type(CTRL_D)
    await terminal.finished
  })

  it('is asked line by line where nothing can be drawn over', async () => {
    const terminal = startInTerminal(['exec', '-i', '--simple'], 'asks-permission')
    await terminal.written('> ')
    send(terminal, 'clean up')
    await terminal.written('n deny: ')
    terminal.type(`n because${ENTER}`)
    await terminal.shown('the user said no: because')
    terminal.type(CTRL_D)
    expect((await terminal.finished).exitCode).toBe(0)
  })
})

describe('a question for permission in a single run', () => {
  it.each([[[]], [['--simple']]])('about a file shows what would be in it, with %j', async (flags) => {
    const env = { FAKE_TOOL: longFile(30) }
    const terminal = startInTerminal(['exec', ...flags, 'go'], 'asks-permission', env, { rows: 24 })
    await terminal.shown('n deny   d show all of it:')
    expect(terminal.screen()).toContain('file /no/such/file +30 −0\n  │ + line 0\n')
    expect(terminal.screen()).toContain('  │ … 13 more lines')
    terminal.type(`d${ENTER}`)
    await terminal.shown('  │ + line 29\n')
    terminal.type(`y${ENTER}`)
    await terminal.shown('"behavior":"allow"')
    await terminal.finished
  })

  it.each([
    ['y', '"behavior":"allow"'],
    ['a', '"behavior":"allow"'],
    ['n too dangerous', 'the user said no: too dangerous'],
  ])('is answered by a line: %j', async (line, words) => {
    const terminal = startInTerminal(['exec', 'clean up'], 'asks-permission')
    await terminal.shown('n deny:')
    expect(terminal.screen()).toContain(
      'Bash asks for permission: Running command\n  │ command: rm -rf build\n',
    )
    terminal.type(`what?${ENTER}`)
    await terminal.shown('n deny: what?\ny allow once')
    terminal.type(`${line}${ENTER}`)
    const { exitCode, screen } = await terminal.finished
    expect(exitCode).toBe(0)
    expect(screen.replaceAll('\n', '')).toContain(words)
  })

  it('Ctrl+C cancels the turn', async () => {
    const terminal = startInTerminal(['exec', 'clean up'], 'asks-permission')
    await terminal.shown('n deny:')
    terminal.type(CTRL_C)
    const { exitCode, screen } = await terminal.finished
    expect(exitCode).toBe(130)
    expect(screen).toContain('✗ CANCELLED')
  })

  it('Ctrl+D denies', async () => {
    const terminal = startInTerminal(['exec', 'clean up'], 'asks-permission')
    await terminal.shown('n deny:')
    terminal.type(CTRL_D)
    expect((await terminal.finished).screen).toContain('the user said no')
  })

  it('is not asked where nobody is at a terminal', async () => {
    const { stdout } = await runCli(['exec', 'clean up'], { agent: 'asks-permission' })
    expect(stdout).toContain('nobody is there to be asked')
  })
})
