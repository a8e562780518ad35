import { describe, expect, it } from 'vitest'

import { returns, saying, uses, wait, words } from '../../support/lines.js'
import { CTRL_C, stable } from '../../support/repl.js'
import { startInTerminal, type TerminalSetup } from '../../support/terminal.js'

const FAKE = 'says-the-lines-of-a-file'
const ESCAPE = '\u001b'
const SHOW_CURSOR = `${ESCAPE}[?25h`
const WRAP = `${ESCAPE}[?7h`

const MARKDOWN = `# Title

Some **strong** words and \`code\`, in a sentence that is too long for forty columns.

| a | 数量 |
| - | --: |
| x | 3 |

\`\`\`ts
const e\u0301 = 1
\`\`\`
`

const started = (
  lines: Parameters<typeof saying>,
  { flags = [], env = {}, ...setup }: TerminalSetup & { flags?: string[]; env?: Record<string, string> } = {},
) => {
  const said = saying(...lines)
  const terminal = startInTerminal(
    ['exec', '--yes', ...flags, 'go'],
    FAKE,
    { ...said.env, ...env },
    { columns: 80, rows: 24, ...setup },
  )
  return { terminal, goOn: said.goOn }
}

/** What is on the screen above the summary. */
const answerOf = (screen: string) => stable(screen).split('\n\n───')[0]

describe('a single run in a terminal', () => {
  it('lays Markdown out at 80×24', async () => {
    const { terminal } = started([words(MARKDOWN)])
    const { screen, bytes } = await terminal.finished
    expect(answerOf(screen)).toMatchInlineSnapshot(`
      "Title

      Some strong words and code, in a sentence that is too long for forty columns.

      a   │ 数量
      ────┼─────
      x   │    3

        ts
        const é = 1"
    `)
    expect(bytes).toContain(`${ESCAPE}[1mstrong${ESCAPE}[22m`)
  })

  it('lays Markdown out at 40×10', async () => {
    const { terminal } = started([words(MARKDOWN)], { columns: 40, rows: 10 })
    expect(answerOf((await terminal.finished).screen)).toMatchInlineSnapshot(`
      "Title

      Some strong words and code, in a
      sentence that is too long for forty
      columns.

      a   │ 数量
      ────┼─────
      x   │    3

        ts
        const é = 1"
    `)
  })

  it('shows what goes on and the status below what was said, and takes both away', async () => {
    const { terminal, goOn } = started([
      words('I will **look**.\n'),
      uses('read', 'Read', { file_path: 'a.txt' }),
      wait('file'),
      returns('read', 'text', { data: { file: { numLines: 3 } } }),
      words('Done'),
      wait('end'),
      words(' now.'),
    ])
    await terminal.shown('Reading file')
    const screen = stable(terminal.visible().join('\n')).trimEnd()
    expect(screen).toBe(
      ['I will look.', '', '⠋ 📖 Reading file a.txt', 'claude fake-1 · 12345678 · …s'].join('\n'),
    )
    goOn('file')
    await terminal.shown('Done')
    expect(stable(terminal.screen())).toContain(
      '✓ 📖 Reading file a.txt (…ms)\n  │ 3 lines\n\nDone\n\n⠋ Answering',
    )
    goOn('end')
    const { screen: last, bytes } = await terminal.finished
    expect(answerOf(last)).toBe('I will look.\n✓ 📖 Reading file a.txt (…ms)\n  │ 3 lines\n\nDone now.')
    expect(last).not.toContain('Answering')
    expect(bytes.lastIndexOf(SHOW_CURSOR)).toBeGreaterThan(bytes.lastIndexOf(`${ESCAPE}[?25l`))
    expect(bytes.lastIndexOf(WRAP)).toBeGreaterThan(bytes.lastIndexOf(`${ESCAPE}[?7l`))
  })

  it.each([
    [80, 24, 40, 10],
    [40, 10, 80, 24],
  ])(
    'that is resized from %i×%i to %i×%i shows every word once',
    async (columns, rows, newColumns, newRows) => {
      const { terminal, goOn } = started(
        [words('one\n\ntwo is under way '), wait('size'), words('and ends.\n\nthree')],
        { columns, rows },
      )
      await terminal.shown('under way')
      terminal.resize(newColumns, newRows)
      goOn('size')
      const { screen } = await terminal.finished
      expect(answerOf(screen)?.replace(/\s+/g, ' ')).toBe('one two is under way and ends. three')
    },
  )

  it('leaves the status line out where it is not wanted, and shows the answer at its end where that is', async () => {
    const { terminal, goOn } = started([words('half'), wait('end'), { result: 'The **whole** answer.' }], {
      flags: ['--no-status', '--no-stream', '--no-save'],
    })
    await terminal.shown('⠋')
    expect(terminal.screen()).not.toContain('claude')
    goOn('end')
    const { screen } = await terminal.finished
    expect(answerOf(screen)).toBe('The whole answer.')
  })

  it('gives the terminal back when it is interrupted and when it is killed by a signal', async () => {
    for (const end of ['key', 'signal']) {
      const { terminal } = started([words('half'), wait('never')])
      await terminal.shown('half')
      if (end === 'key') {
        terminal.type(CTRL_C)
      } else {
        terminal.kill('SIGTERM')
      }
      const { screen, bytes, exitCode } = await terminal.finished
      expect(exitCode).toBe(end === 'key' ? 130 : 143)
      expect(screen).toContain('half\n✗ CANCELLED')
      expect(screen).not.toContain('⠋')
      expect(bytes.lastIndexOf(SHOW_CURSOR)).toBeGreaterThan(bytes.lastIndexOf(`${ESCAPE}[?25l`))
    }
  })

  it('stops at Ctrl+Z with a clean screen, and goes on', async () => {
    const { terminal, goOn } = started([words('half'), wait('end'), words(' whole')])
    await terminal.shown('Answering')
    terminal.kill('SIGTSTP')
    await terminal.hidden('Answering')
    expect(terminal.screen()).not.toContain('claude')
    terminal.kill('SIGCONT')
    await terminal.shown('Answering')
    goOn('end')
    expect(answerOf((await terminal.finished).screen)).toBe('half whole')
  })

  it.each([
    ['--simple', ['--simple'], {}],
    ['NO_COLOR', [], { NO_COLOR: '1' }],
    ['TERM=dumb', [], { TERM: 'dumb' }],
    ['CI', [], { CI: '1' }],
  ])('shows the text as it is with %s', async (_, flags, env) => {
    const { terminal } = started([words(MARKDOWN)], { flags, env })
    const { bytes } = await terminal.finished
    expect(bytes).toContain(MARKDOWN.replaceAll('\n', '\r\n'))
    expect(bytes).not.toContain(`${ESCAPE}[?`)
  })
})
