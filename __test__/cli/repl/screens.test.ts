import { expect, it } from 'vitest'

import { temporaryFolder } from '../../support/folder.js'
import { CTRL_D, ENTER, send, stable, startRepl } from '../../support/repl.js'
import type { StartedTerminal, TerminalSetup } from '../../support/terminal.js'

const SMALL = { columns: 40, rows: 10 }

/** Asked twice: allowed once, and denied. */
async function askedTwice(setup: TerminalSetup, asked = (_: StartedTerminal) => {}) {
  const terminal = await startRepl('asks-permission', setup)
  send(terminal, 'clean up')
  await terminal.shown('n deny')
  asked(terminal)
  terminal.type('y')
  await terminal.shown('out\n\n❯')
  send(terminal, 'again')
  await terminal.shown('❯ again')
  await terminal.shown('n deny')
  terminal.type('n')
  await terminal.shown('why?')
  terminal.type(`not now${ENTER}`)
  await terminal.shown('the user said no')
  await terminal.shown('out\n\n❯')
  terminal.type(CTRL_D)
  // How much of the command there is room for depends on how long it took.
  return stable((await terminal.finished).screen).replace(/(Running command rm).*$/gm, '$1 …')
}

it('a question that is allowed and one that is denied, 80×24', async () => {
  expect(await askedTwice({})).toMatchInlineSnapshot(`
    "Locus Exec Interactive Mode
    Type your prompt, /help, or exit to leave

    ❯ clean up
    ⚡ Bash asks for permission: Running command
      │ command: rm -rf build
      ✓ allowed
    ✓ ⚡ Running command rm …
      │ ran rm -rf build

    {"behavior":"allow","updatedInput":{"command":"rm -rf build"}}
    …ms · 3 in, 5 out

    ❯ again
    ⚡ Bash asks for permission: Running command
      │ command: rm -rf build
      ✗ denied: not now
    ✗ ⚡ Running command rm …
      │ the user said no: not now

    {"behavior":"deny","message":"the user said no: not now"}
    …ms · 3 in, 5 out
    Conversation saved; go on with it: locus exec -i -s 12345678"
  `)
})

it('a question that is allowed and one that is denied, 40×10', async () => {
  expect(await askedTwice(SMALL)).toMatchInlineSnapshot(`
    "Locus Exec Interactive Mode
    Type your prompt, /help, or exit to
    leave

    ❯ clean up
    ⚡ Bash asks for permission: Running
    command
      │ command: rm -rf build
      ✓ allowed
    ✓ ⚡ Running command rm …
      │ ran rm -rf build

    {"behavior":"allow","updatedInput":{"co
    mmand":"rm -rf build"}}
    …ms · 3 in, 5 out

    ❯ again
    ⚡ Bash asks for permission: Running
    command
      │ command: rm -rf build
      ✗ denied: not now
    ✗ ⚡ Running command rm …
      │ the user said no: not now

    {"behavior":"deny","message":"the user
    said no: not now"}
    …ms · 3 in, 5 out
    Conversation saved; go on with it: locus
     exec -i -s 12345678"
  `)
})

it('a question whose terminal gets smaller while it waits is answered there', async () => {
  const screen = await askedTwice({}, (terminal) => terminal.resize(40, 10))
  expect(screen).toContain('⚡ Bash asks for permission: Running com')
  expect(screen).toContain('✓ allowed')
  expect(screen).toContain('✗ denied: not now')
  expect(screen).not.toContain('n deny')
})

it('a conversation of three turns, 40×10, with what was said above', async () => {
  const terminal = await startRepl('answers-with-the-prompt', { ...SMALL, cwd: temporaryFolder() })
  for (const prompt of ['one', 'two words and more of them than a row has', '三 e\u0301 👩‍👩‍👧‍👦']) {
    const turns = () => terminal.screen().match(/5 out\n/g)?.length
    const before = turns() ?? 0
    send(terminal, prompt)
    await expect.poll(turns, { timeout: 20_000 }).toBe(before + 1)
    await terminal.shown('out\n\n❯\n')
  }
  const visible = stable(terminal.visible().join('\n'))
  terminal.type(CTRL_D)
  const screen = stable((await terminal.finished).screen)
  expect(visible).toMatchInlineSnapshot(`
    "two words and more of them than a row
    has
    …ms · 3 in, 5 out

    ❯ 三 é 👩‍👩‍👧‍👦
    三 é 👩‍👩‍👧‍👦
    …ms · 3 in, 5 out

    ❯
    claude fake-1 · 12345678 · 24 tokens"
  `)
  expect(screen).toMatchInlineSnapshot(`
    "Locus Exec Interactive Mode
    Type your prompt, /help, or exit to
    leave

    ❯ one
    one
    …ms · 3 in, 5 out

    ❯ two words and more of them than a row
       has
    two words and more of them than a row
    has
    …ms · 3 in, 5 out

    ❯ 三 é 👩‍👩‍👧‍👦
    三 é 👩‍👩‍👧‍👦
    …ms · 3 in, 5 out
    Conversation saved; go on with it: locus
     exec -i -s 12345678"
  `)
})
