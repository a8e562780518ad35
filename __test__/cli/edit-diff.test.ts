import { Chalk } from 'chalk'
import { describe, expect, it } from 'vitest'

import { ASCII, UNICODE } from '../../ts/cli/display/symbols.js'
import { diffCounts, diffRows } from '../../ts/cli/renderers/diff-rows.js'
import { editDiffs } from '../../ts/cli/renderers/edit-diff.js'

const PLAIN = { chalk: new Chalk({ level: 0 }), symbols: UNICODE, maxRows: 10 }

/** The counts and the rows of what a tool changed. */
const shown = (tool: string, parameters: Record<string, unknown>, data?: unknown) => {
  const diffs = editDiffs(tool, parameters, data)
  return [diffCounts(diffs, PLAIN), ...diffRows(diffs, PLAIN)]
}

describe('what an edit changed', () => {
  it('is found in the texts that it was given, with what is around', () => {
    const old_string = 'a\nb\nc\nd\ne\nf\ng\nh\ni\n'
    const new_string = 'a\nb\nC\nd\ne\nf\ng\nh\ni\nj\n'
    expect(shown('Edit', { file_path: 'x', old_string, new_string })).toEqual([
      ...['+2 −1', '  a', '  b', '- c', '+ C', '  d', '  e', '…', '  h', '  i', '+ j'],
    ])
  })

  it('is what claude returned where it did', () => {
    const structuredPatch = [{ oldStart: 4, newStart: 4, lines: [' before', '-a', '+b', ' after'] }]
    const parameters = { file_path: 'x', old_string: 'a', new_string: 'b' }
    expect(shown('Edit', parameters, { structuredPatch })).toEqual([
      ...['+1 −1', '  before', '- a', '+ b', '  after'],
    ])
    expect(shown('Edit', parameters, { structuredPatch: [{ lines: 'odd' }] })).toEqual([
      '+1 −1',
      '- a',
      '+ b',
    ])
  })

  it('is not the end of the last line where only what follows it is new', () => {
    const parameters = { file_path: 'x', old_string: 'a', new_string: 'a\nb' }
    expect(shown('Edit', parameters)).toEqual(['+1 −0', '  a', '+ b'])
  })

  it('is told part by part for several edits of a file', () => {
    const edits = [{ old_string: 'a', new_string: 'b' }, { old_string: 'c', new_string: '' }, 'odd']
    expect(shown('MultiEdit', { file_path: 'x', edits })).toEqual(['+1 −2', '- a', '+ b', '…', '- c', '…'])
  })

  it('is all of a file that is new', () => {
    const data = { type: 'create', structuredPatch: [] }
    expect(shown('Write', { file_path: 'x', content: 'a\n\nb\n' }, data)).toEqual([
      ...['+3 −0', '+ a', '+ ', '+ b'],
    ])
  })

  it.each<[string, string, Record<string, unknown>]>([
    ['opencode', 'write', { filePath: 'x', content: 'new\n' }],
    ['opencode', 'edit', { filePath: 'x', oldString: '', newString: 'new' }],
    ['gemini', 'write_file', { file_path: 'x', content: 'new\n' }],
    ['gemini', 'replace', { file_path: 'x', old_string: '', new_string: 'new' }],
  ])('is found in what %s gives %s, too', (_, tool, parameters) => {
    expect(shown(tool, parameters)).toEqual(['+1 −0', '+ new'])
  })

  it('is told file by file for codex', () => {
    const changes = [
      { path: 'new.txt', kind: 'add', diff: 'one\ntwo\n' },
      { path: 'old.txt', kind: 'delete', diff: 'gone\n' },
      {
        path: 'a.ts',
        kind: 'update',
        movePath: 'b.ts',
        diff: '@@ -1,2 +1,2 @@ f()\n same\n-x\n+y\n\nMoved to: b.ts',
      },
      { path: 'c.ts', kind: 'update' },
      5,
    ]
    expect(shown('file_change', { changes })).toEqual([
      ...['+3 −2', 'new.txt +2 −0', '+ one', '+ two', 'old.txt +0 −1', '- gone'],
      ...['a.ts → b.ts +1 −1', '  same', '- x', '+ y', 'c.ts'],
    ])
  })

  it.each([
    ['a tool that edits nothing', 'Read', { file_path: 'x' }],
    ['an edit without texts', 'Edit', { file_path: 'x', old_string: 5 }],
    ['an edit without a file', 'Edit', { old_string: 'a', new_string: 'b' }],
    ['changes that are no list', 'file_change', { changes: 'x' }],
    ['a list of edits that is none', 'MultiEdit', { file_path: 'x', edits: 'x' }],
  ])('is nothing for %s', (_, tool, parameters) => {
    expect(shown(tool, parameters)).toEqual([''])
  })

  it('of texts that have nothing in common costs no more than to replace one by the other', () => {
    const text = (word: string) => Array.from({ length: 20_000 }, (_, line) => `${word} ${line}\n`).join('')
    const parameters = { file_path: 'x', old_string: text('old'), new_string: text('new') }
    const started = performance.now()
    const [diff] = editDiffs('Edit', parameters)
    expect(diff).toMatchObject({ added: 20_000, removed: 20_000 })
    // The whole difference would take minutes.
    expect(performance.now() - started).toBeLessThan(5000)
  })
})

describe('the rows of a change', () => {
  const content = Array.from({ length: 15 }, (_, line) => `line ${line}`).join('\n')
  const diffs = editDiffs('Write', { file_path: 'x', content })

  it('are the first ones, and how many more there are', () => {
    expect(diffRows(diffs, PLAIN).slice(8)).toEqual(['+ line 8', '+ line 9', '… 5 more lines'])
    expect(diffRows(diffs, { ...PLAIN, symbols: ASCII }).at(-1)).toBe('... 5 more lines')
  })

  it('are all of them where that is wanted', () => {
    expect(diffRows(diffs, { ...PLAIN, maxRows: 15 })).toHaveLength(15)
  })

  it('have colours, a line each', () => {
    const chalk = new Chalk({ level: 1 })
    const edit = editDiffs('Edit', { file_path: 'x', old_string: 'a\nb', new_string: 'a\nc' })
    expect(diffRows(edit, { ...PLAIN, chalk })).toEqual([
      '\u001b[2m  a\u001b[22m',
      '\u001b[31m- b\u001b[39m',
      '\u001b[32m+ c\u001b[39m',
    ])
  })

  it('are of a width that is known, and not of any length', () => {
    const long = `\tx${'😀'.repeat(600)}`
    const [row = ''] = diffRows(editDiffs('Write', { file_path: 'x', content: long }), PLAIN)
    expect(row).toMatch(/^\+ {5}x😀+$/u)
    expect(row.length).toBeLessThan(1010)
  })
})
