import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { temporaryFolder } from '../../support/folder.js'
import { CTRL_C, CTRL_D, send, stable, startRepl } from '../../support/repl.js'
import { startInTerminal } from '../../support/terminal.js'

const MARKDOWN = `# A title

Some *words* with **weight**, \`code\`, a [link](https://example.org) and a sentence that is too long for one row of the screen.

1. first
   - nested
2. second

\`\`\`ts
const answer: number = 42 // why
\`\`\`

| name | 数量 | note |
| :--- | ---: | --- |
| 苹果 | 3 | wide 👩‍👩‍👧‍👦 characters |
| e\u0301clair | 12 | combining |

> quoted

- [x] done
- [ ] open
`

async function startedWith(text: string, { columns, rows }: { columns: number; rows: number }) {
  const folder = temporaryFolder()
  const FAKE_TEXT = join(folder, 'text')
  const FAKE_FILE = join(folder, 'go')
  writeFileSync(FAKE_TEXT, text)
  const terminal = await startRepl('streams-the-text-of-a-file', {
    ...{ columns, rows, env: { FAKE_TEXT, FAKE_FILE } },
  })
  send(terminal, 'go')
  return { terminal, goOn: () => writeFileSync(FAKE_FILE, '') }
}

/** What was printed of an answer. */
const answerOf = (screen: string) => /❯ go\n([\s\S]*?)\n.*\d out/.exec(stable(screen))?.[1] ?? ''

describe('Markdown', () => {
  it('is laid out for 80×24', async () => {
    const { terminal } = await startedWith(MARKDOWN, { columns: 80, rows: 24 })
    await terminal.shown('5 out\n')
    terminal.type(CTRL_D)
    const { screen, bytes } = await terminal.finished
    expect(answerOf(screen)).toMatchInlineSnapshot(`
      "A title

      Some words with weight, code, a link (https://example.org) and a sentence that
      is too long for one row of the screen.

      1. first
         • nested
      2. second

        ts
        const answer: number = 42 // why

      name   │ 数量 │ note
      ───────┼──────┼───────────────────
      苹果   │    3 │ wide 👩‍👩‍👧‍👦 characters
      éclair │   12 │ combining

      │ quoted

      ☑ done
      ☐ open"
    `)
    expect(bytes).toContain('\u001b[35mconst\u001b[39m')
  })

  it('is laid out for 40×10', async () => {
    const { terminal } = await startedWith(MARKDOWN, { columns: 40, rows: 10 })
    await terminal.shown('5 out\n')
    terminal.type(CTRL_D)
    expect(answerOf((await terminal.finished).screen)).toMatchInlineSnapshot(`
      "A title

      Some words with weight, code, a link
      (https://example.org) and a sentence
      that is too long for one row of the
      screen.

      1. first
         • nested
      2. second

        ts
        const answer: number = 42 // why

      name   │ 数量 │ note
      ───────┼──────┼───────────────────
      苹果   │    3 │ wide 👩‍👩‍👧‍👦 characters
      éclair │   12 │ combining

      │ quoted

      ☑ done
      ☐ open"
    `)
  })
})

describe('a resize in the middle of an answer', () => {
  it.each([
    [80, 24, 40, 10],
    [40, 10, 80, 24],
    [80, 24, 30, 24],
  ])('from %i×%i to %i×%i leaves every word where it belongs, once', async (...sizes) => {
    const [columns, rows, newColumns, newRows] = sizes
    const lines = Array.from({ length: 8 }, (_, index) => `line ${index} ends here`).join('\n')
    const half = `A paragraph of some words which is under way when the size changes, and which is `
    const { terminal, goOn } = await startedWith(`${lines}\n\n${half}⏸complete at last.\n`, { columns, rows })
    await terminal.shown('Answering')
    terminal.type('typed meanwhile')
    await terminal.shown('❯ typed meanwhile')
    terminal.resize(newColumns, newRows)
    goOn()
    await terminal.shown('at last.')
    await terminal.shown('5 out')
    await terminal.shown('❯ typed meanwhile\nclaude')
    const words = terminal.screen().replace(/\s+/g, ' ')
    for (let index = 0; index < 8; index++) {
      expect(words.split(`line ${index} ends here`)).toHaveLength(2)
    }
    expect(words.split(`${half}complete at last.`)).toHaveLength(2)
    expect(words.split('❯ typed meanwhile')).toHaveLength(2)
    expect(words).not.toContain('Answering')
    terminal.type(`${CTRL_C}${CTRL_D}`)
    expect((await terminal.finished).exitCode).toBe(0)
  })
})

describe('a long answer', () => {
  it('of 10,000 lines is all there, each line once and in order', async () => {
    const count = 10_000
    const text = Array.from({ length: count }, (_, index) => `- entry ${index}`).join('\n')
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'text'), text)
    const terminal = startInTerminal(
      ['exec', '-i', 'go'],
      'streams-the-text-of-a-file',
      { FAKE_TEXT: join(folder, 'text') },
      { columns: 80, rows: 24, scrollback: 2 * count },
    )
    await terminal.shown('5 out')
    terminal.type(CTRL_D)
    const { screen } = await terminal.finished
    const entries = Array.from(screen.matchAll(/^• entry (\d+)$/gm), ([, index]) => Number(index))
    expect(entries).toEqual(Array.from({ length: count }, (_, index) => index))
  })

  it('that is one line of 100,000 characters is all there', async () => {
    const text = Array.from({ length: 10_000 }, (_, index) => String(index).padStart(9, '_')).join(' ')
    const { terminal } = await startedWith(text, { columns: 80, rows: 24 })
    await terminal.shown('_____9999\n')
    await terminal.shown('5 out')
    terminal.type(CTRL_D)
    const { bytes } = await terminal.finished
    for (const index of [0, 1234, 9998]) {
      expect(bytes).toContain(String(index).padStart(9, '_'))
    }
  })
})

it('a hostile text is text', async () => {
  const hostile = [
    '\u001b]0;title\u0007',
    '\u001b]52;c;ZXZpbA==\u0007',
    '\u001b]8;;http://evil\u001b\\link\u001b]8;;\u001b\\',
    '\u001b[2J\u001b[H',
    '\u001bPdcs\u001b\\',
    '\u001b_apc\u001b\\',
    '\u009b31m',
    'before\rbehind\b\b',
    '\u202egnp\u202c',
    '\u001b[200~pasted\u001b[201~',
    '`\u001b[5mcode`',
    '&#27;[31mentity',
  ].join(' and ')
  const { terminal } = await startedWith(
    `${hostile}\n\n\`\`\`\u001b]0;t\u0007sh\necho \u001b[2J\n\`\`\`\nthe end\n`,
    {
      ...{ columns: 80, rows: 24 },
    },
  )
  await terminal.shown('the end')
  terminal.type(CTRL_D)
  const { bytes, screen } = await terminal.finished
  expect(screen).toContain('Locus Exec Interactive Mode')
  for (const evil of [
    '\u001b]',
    '\u001bP',
    '\u001b_',
    '\u009b',
    '\b',
    '\u202e',
    '[2J',
    '[5m',
    '[200~',
    '\u0007',
  ]) {
    expect(bytes).not.toContain(evil)
  }
})

it('tools at work are shown together, and leave a line each', async () => {
  const terminal = await startRepl('uses-two-tools-at-once', { columns: 80, rows: 24 })
  send(terminal, 'go')
  await terminal.shown('Running command sleep')
  await terminal.shown('Reading file b.txt')
  const rows = terminal.visible().filter((row) => /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/.test(row))
  expect(rows.map((row) => row.slice(2).replace(/ \d.*$/, ''))).toEqual([
    '⚡ Running command sleep',
    '📖 Reading file b.txt',
  ])
  terminal.type(CTRL_C)
  await terminal.shown('⏹ interrupted')
  terminal.type(CTRL_D)
  expect((await terminal.finished).screen).not.toMatch(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/)
})

it('--no-status leaves the status line out', async () => {
  const terminal = await startRepl('answers-with-the-prompt', { flags: ['--no-status'] })
  expect(terminal.screen()).toMatch(/❯$/)
  terminal.type(CTRL_D)
  await terminal.finished
})
