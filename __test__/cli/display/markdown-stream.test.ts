import { Chalk } from 'chalk'
import { describe, expect, it } from 'vitest'

import { createHighlighter } from '../../../ts/cli/display/highlight.js'
import { MarkdownStream } from '../../../ts/cli/display/markdown-stream.js'

const plain = new Chalk({ level: 0 })
const colours = new Chalk({ level: 1 })

const TEXT = `# Heading #

A paragraph with *emphasis*, **strong \`code\`**, ~~gone~~, <https://a.example> and [a link](https://b.example).



- one
  continued
- [ ] two
1) three

> quote
> > nested

***

| a | b |
|---|:-:|
| 1 | \`x|y\` |

| no table

~~~
plain | code
~~~

\`\`\`\`js
const fence = '\`\`\`'
\`\`\`\`
the end`

function stream(chalk = plain) {
  return new MarkdownStream({ chalk, highlighter: () => undefined })
}

function rowsOf(text: string, columns = 40, chalk = plain): string[] {
  const markdown = stream(chalk)
  markdown.push(text)
  return markdown.break(columns)
}

describe('Markdown as rows', () => {
  it('has no marks left where they have a meaning', () => {
    expect(rowsOf(TEXT).join('\n')).toMatchInlineSnapshot(`
      "Heading

      A paragraph with emphasis, strong code,
      gone, https://a.example and a link
      (https://b.example).

      • one
        continued
      ☐ two
      1) three

      │ quote
      │ │ nested

      ───────────────────────────────────────

      a   │  b
      ────┼────
      1   │ \`x

      | no table

        plain | code

        js
        const fence = '\`\`\`'
      the end"
    `)
  })

  it('is the same wherever it is cut, and taken meanwhile', () => {
    const whole = rowsOf(TEXT)
    for (const size of [1, 2, 3, 7, 50]) {
      const markdown = stream()
      const rows: string[] = []
      for (let at = 0; at < TEXT.length; at += size) {
        markdown.push(TEXT.slice(at, at + size))
        rows.push(...markdown.take(40))
        markdown.tail(40)
      }
      rows.push(...markdown.break(40))
      expect(rows).toEqual(whole)
    }
  })

  it('fits into the columns, wide characters and long words too', () => {
    for (const columns of [12, 20, 40]) {
      for (const row of rowsOf(`${TEXT}\n${'日本語'.repeat(20)} ${'long'.repeat(30)}\n`, columns)) {
        // What is code is left whole, so that it can be copied.
        if (!row.startsWith('  ')) {
          expect([...row].length).toBeLessThan(columns)
        }
      }
    }
  })

  it('says where a link leads', () => {
    expect(rowsOf('[harmless](https://evil.example)')).toEqual(['harmless (https://evil.example)'])
  })

  it('leaves alone what is no Markdown', () => {
    for (const text of ['2 * 3 * 4', 'snake_case_name', 'a < b > c', '#no-heading', '1.5 apples', 'x | y']) {
      expect(rowsOf(text)).toEqual([text])
    }
  })
})

describe('the line under way', () => {
  it('is shown as it will be, and given again until it is complete', () => {
    const markdown = stream()
    markdown.push('some **words')
    expect(markdown.take(40)).toEqual([])
    expect(markdown.tail(40)).toEqual(['some **words'])
    markdown.push('** follow\nnext')
    expect(markdown.take(40)).toEqual(['some words follow'])
    expect(markdown.tail(40)).toEqual(['next'])
  })

  it('of a table is the table so far', () => {
    const markdown = stream()
    markdown.push('| a | b |\n|---|---|\n| longer | 2 |\n')
    expect(markdown.take(40)).toEqual([])
    expect(markdown.tail(40)).toEqual(
      ['a      │ b', '───────┼────', 'longer │ 2'].map((row) => expect.stringContaining(row.trimEnd())),
    )
    markdown.push('after\n')
    expect(markdown.take(40).at(-1)).toBe('after')
    expect(markdown.tail(40)).toEqual([])
  })

  it('is broken when it gets long, and what follows is not taken for a new one', () => {
    const markdown = stream()
    const text = `${'word '.repeat(900)}# no heading`
    markdown.push(text)
    const rows = [...markdown.take(80), ...markdown.break(80)]
    expect(rows.join(' ').replace(/\s+/g, ' ')).toBe(text)
  })
})

describe('an answer that is interrupted by something else', () => {
  it('ends its line once', () => {
    const markdown = stream()
    markdown.push('half a line')
    expect(markdown.break(40)).toEqual(['half a line'])
    markdown.push('\n')
    markdown.push('next\n')
    expect(markdown.take(40)).toEqual(['next'])
  })
})

describe('code', () => {
  const highlighter = createHighlighter(colours)

  it('is coloured line by line, comments of several lines too', () => {
    const markdown = new MarkdownStream({ chalk: colours, highlighter: () => highlighter })
    markdown.push('```ts\nconst a = 1 /* one\n')
    expect(markdown.take(80).slice(1)).toEqual([
      `  ${colours.magenta('const')} a = ${colours.yellow('1')} ${colours.dim('/* one')}`,
    ])
    markdown.push('two */ return\n```\n')
    expect(markdown.take(80)).toEqual([`  ${colours.dim('two */')} ${colours.magenta('return')}`])
  })

  it('of an unknown language has no colours', () => {
    const markdown = new MarkdownStream({ chalk: colours, highlighter: () => highlighter })
    markdown.push('```nonsense\nconst a = 1\n```\n')
    expect(markdown.take(80)).toEqual([colours.dim('  nonsense'), '  const a = 1'])
  })
})
