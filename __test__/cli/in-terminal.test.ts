import { describe, expect, it } from 'vitest'

import { startInTerminal } from '../support/terminal.js'

const ESCAPE = '\u001b'
const HIDE_CURSOR = `${ESCAPE}[?25l`
const SHOW_CURSOR = `${ESCAPE}[?25h`

/** The lines of a screen without what differs from run to run. */
const stable = (screen: string) =>
  screen
    .replaceAll(/ +$/gm, '')
    .replaceAll(/\(\d+ms\)/g, '(…ms)')
    .replace(/(Duration: +).*/, '$1…')
    .replace(/(Session: +)\w{8}(.* )\w{8}/, (_, label, words) => `${label}12345678${words}12345678`)

describe('in a terminal', () => {
  it('a run has colour and animation while it goes on, and a clean screen at its end', async () => {
    const { exitCode, bytes, screen } = await startInTerminal(['exec', '--yes', 'look'], 'says-everything')
      .finished
    expect(exitCode).toBe(0)
    expect(bytes).toContain(`${ESCAPE}[32m✓`)
    expect(bytes).toContain(HIDE_CURSOR)
    expect(bytes.lastIndexOf(SHOW_CURSOR)).toBeGreaterThan(bytes.lastIndexOf(HIDE_CURSOR))
    expect(stable(screen)).toMatchInlineSnapshot(`
      "↻ the model's API answered 529; retrying in 500ms (1/10)

      I will look.
      ✓ 📖 Reading file a.txt (…ms)
        │ 3 lines
      ✓ 🤖 Spawning agent look closer · 1 tool (…ms)
        ✗ 🔍 Searching code x (…ms)
          │ no such folder
        │ closer

      That is all.

      ──────────────────────────────────────────────────
      Execution Summary
        Duration:   …
        Tools used: Read, Task, Grep
        Tokens:     10 in, 20 out, 6 cached
        Cost:       $0.25
        Model:      fake-1
        Session:    12345678; go on with locus exec -s 12345678 "…"
      ──────────────────────────────────────────────────"
    `)
  })

  it.each([
    ['--simple', ['--simple'], {}],
    ['NO_COLOR', [], { NO_COLOR: '1' }],
    ['TERM=dumb', [], { TERM: 'dumb' }],
  ])('%s leaves out colour, animation and layout, and tells all as it happens', async (_, flags, env) => {
    const plain = await startInTerminal(['exec', '--yes', ...flags, 'look'], 'says-everything', env).finished
    expect(plain.bytes).not.toContain(ESCAPE)
    expect(stable(plain.screen).split('\n\n───')[0]).toBe(
      [
        "↻ the model's API answered 529; retrying in 500ms (1/10)",
        ...['', 'I will look.', '✓ 📖 Reading file a.txt (…ms)', '  │ 3 lines'],
        ...['  ✗ 🔍 Searching code x (…ms)', '    │ no such folder'],
        ...['✓ 🤖 Spawning agent look closer (…ms)', '  │ closer', '', 'That is all.'],
      ].join('\n'),
    )
  })

  it('CI leaves out the animation and keeps the colour', async () => {
    const { bytes } = await startInTerminal(['exec', '--yes', 'look'], 'says-everything', { CI: '1' })
      .finished
    expect(bytes).toContain(`${ESCAPE}[32m✓`)
    expect(bytes).not.toContain(HIDE_CURSOR)
  })

  it('Ctrl+C cancels the turn, and leaves the cursor as it was', async () => {
    const terminal = startInTerminal(['exec', 'hi'], 'waits-for-interrupt')
    await terminal.written('for hi')
    terminal.type('\u0003')
    const { exitCode, bytes, screen } = await terminal.finished
    expect(exitCode).toBe(130)
    expect(screen).toContain('✗ CANCELLED the turn was cancelled')
    expect(bytes.lastIndexOf(SHOW_CURSOR)).toBeGreaterThan(bytes.lastIndexOf(HIDE_CURSOR))
  })

  it('nothing that the agent says reaches the terminal as a command to it', async () => {
    const { bytes } = await startInTerminal(['exec', '--simple', 'hi'], 'streams-deltas').finished
    expect(bytes).toContain('nul  esc  bell ')
    for (const command of [ESCAPE, '\u0007', '\0', '\u202e']) {
      expect(bytes).not.toContain(command)
    }
  })

  it('a program that gives no prompt is told so, and nothing waits for keys', async () => {
    const terminal = startInTerminal(['exec', '--json-stream'], 'waits-for-interrupt')
    const { exitCode, screen } = await terminal.finished
    expect(exitCode).toBe(2)
    expect(screen.replaceAll('\n', '')).toContain('no prompt; give it as an argument, or in a pipe')
  })
})
