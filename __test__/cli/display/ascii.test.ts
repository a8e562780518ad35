import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

import { ASCII, symbolsFor, UNICODE } from '../../../ts/cli/display/symbols.js'
import { returns, saying, thought, uses, words } from '../../support/lines.js'
import { CTRL_C, CTRL_D, send, startRepl } from '../../support/repl.js'
import { startInTerminal } from '../../support/terminal.js'

const FAKE = 'says-the-lines-of-a-file'
const MARKDOWN = `# Title
- [ ] open
- [x] done
- item

> quoted

---

| a | b |
| - | - |
| 1 | 2 |

![picture](https://example.org/x.png)
`
const LINES = [
  thought(Array.from({ length: 30 }, (_, line) => `thought ${line}\n`).join('')),
  uses('one', 'Task', { description: 'look' }),
  uses('grep', 'Grep', { pattern: 'x' }, 'one'),
  returns('grep', 'no', { failed: true, parent: 'one' }),
  returns('one', '1\n2\n3\n4\n5'),
  uses('edit', 'Edit', { file_path: 'a'.repeat(100), old_string: 'a', new_string: 'b\n'.repeat(20) }),
  returns('edit', 'done'),
  words(MARKDOWN),
]
/** All that no ASCII terminal can show. */
const beyond = (text: string) => text.match(/\P{ASCII}/gu) ?? []

describe('a terminal without Unicode', () => {
  it.each([
    ['--ascii', ['--ascii'], {}],
    ['LOCUS_ASCII=1', [], { LOCUS_ASCII: '1' }],
    ['the console of Linux', [], { TERM: 'linux' }],
  ])('gets nothing beyond ASCII: %s', async (_, flags, env) => {
    const said = saying(...LINES)
    const terminal = startInTerminal(['exec', '--yes', ...flags, 'go'], FAKE, { ...said.env, ...env })
    const { screen, bytes } = await terminal.finished
    expect(beyond(bytes)).toEqual([])
    expect(screen.replaceAll(/\d+ms/g, '…ms').split('\n\n---')[0]).toMatchInlineSnapshot(`
      "ok Spawning agent look - 1 tool (…ms)
        x Searching code x (…ms)
          | no
        | 1
        | 2
        | 3
        | ... 2 more lines
      ok Editing file aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa... +21 -1 (…ms)
        | - a
        | + b
        | + b
        | + b
        | + b
        | + b
        | + b
        | + b
        | + b
        | + b
        | ... 12 more lines

      Title
      [ ] open
      [x] done
      * item

      | quoted"
    `)
  })

  it('gets nothing beyond it in the interactive mode, nor with --simple', async () => {
    for (const flags of [['--ascii'], ['--ascii', '--simple']]) {
      const { env } = saying(...LINES)
      const terminal = await startRepl(FAKE, { env, flags: [...flags, '--yes', '-v'], mark: '>' })
      send(terminal, 'go')
      await terminal.shown('5 out')
      send(terminal, '/nonsense')
      send(terminal, '/status')
      terminal.type(CTRL_C)
      terminal.type(CTRL_D)
      const { bytes } = await terminal.finished
      expect(beyond(bytes)).toEqual([])
    }
  })

  it('is told by LOCUS_ASCII, else by what is known of terminals', () => {
    expect(symbolsFor('1')).toBe(ASCII)
    expect(symbolsFor('0')).toBe(UNICODE)
    expect(symbolsFor(undefined)).toBe(UNICODE)
    expect(symbolsFor('what')).toBe(UNICODE)
  })

  it('gets what is shown from one table: no source but that has a character beyond ASCII', () => {
    const folder = fileURLToPath(new URL('../../../ts/cli', import.meta.url))
    // Exports are files, and no display.
    const exempt = /^(display\/symbols\.ts|sessions\/formats\/.*)$/
    const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) => path.endsWith('.ts') && !exempt.test(path))
    const guilty = sources.flatMap((path) => {
      const lines = readFileSync(join(folder, path), 'utf8').split('\n')
      return lines.filter((line) => !/^\s*(\/\/|\*|\/\*\*)/.test(line) && beyond(line).length > 0)
    })
    expect(sources.length).toBeGreaterThan(50)
    expect(guilty).toEqual([])
  })

  it('has a symbol for each of the others', () => {
    const texts = (value: unknown): string[] =>
      typeof value === 'string' ? [value] : Object.values(value as object).flatMap(texts)
    expect(Object.keys(ASCII).sort()).toEqual(Object.keys(UNICODE).sort())
    expect(beyond(texts(ASCII).join(''))).toEqual([])
  })
})
