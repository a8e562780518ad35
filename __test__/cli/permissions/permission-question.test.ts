import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { Chalk } from 'chalk'
import { describe, expect, it } from 'vitest'

import { UNICODE } from '../../../ts/cli/display/symbols.js'
import { PermissionQuestion, type QuestionRoom } from '../../../ts/cli/permissions/permission-question.js'
import { temporaryFolder } from '../../support/folder.js'

const PLAIN = new Chalk({ level: 0 })

const ask = (tool: string, parameters: Record<string, unknown>) =>
  new PermissionQuestion({ type: 'permission_request', id: 'q', tool, parameters })

const asked = (tool: string, parameters: Record<string, unknown>, room?: QuestionRoom) =>
  ask(tool, parameters).lines(PLAIN, UNICODE, room)

const edit = (lines: number) => ({
  file_path: 'a.ts',
  old_string: 'x',
  new_string: Array.from({ length: lines }, (_, line) => `line ${line}`).join('\n'),
})

describe('a question about an edit shows its difference', () => {
  it('for claude, and what the difference does not tell', () => {
    expect(
      asked('Edit', {
        file_path: '/a/b.ts',
        old_string: 'one\ntwo',
        new_string: 'one\n2',
        replace_all: true,
      }),
    ).toEqual([
      '🔧 Edit asks for permission: Editing file /a/b.ts +1 −1',
      ...['  │ replace_all: true', '  │   one', '  │ - two', '  │ + 2'],
    ])
  })

  it('for a new file: all that is to be in it', () => {
    expect(asked('Write', { file_path: '/no/such/file', content: 'one\ntwo\n' })).toEqual([
      '📝 Write asks for permission: Writing file /no/such/file +2 −0',
      ...['  │ + one', '  │ + two'],
    ])
  })

  it('for a file that is there: what would be another', () => {
    const file_path = join(temporaryFolder(), 'there')
    writeFileSync(file_path, 'one\ntwo\nthree\n')
    expect(asked('Write', { file_path, content: 'one\n2\nthree\n' }).slice(1)).toEqual([
      ...['  │   one', '  │ - two', '  │ + 2', '  │   three'],
    ])
  })

  it('for codex, file by file', () => {
    const changes = [
      { path: 'new.txt', kind: 'add', diff: 'one\n' },
      { path: 'a.ts', kind: 'update', diff: '@@ -1 +1 @@\n-x\n+y\n' },
    ]
    expect(asked('file_change', { changes, reason: 'outside of the project' })).toEqual([
      '📝 file_change asks for permission: Changing files +2 −1',
      ...['  │ reason: outside of the project', '  │ new.txt +1 −0', '  │ + one'],
      ...['  │ a.ts +1 −1', '  │ - x', '  │ + y'],
    ])
  })

  it.each<[string, Record<string, unknown>]>([
    ['its changes', { paths: ['/a'], changes: [{ path: '/a', kind: 'add', newText: 'new\n' }] }],
    ['what is to be written', { file_path: '/a', content: 'new\n' }],
    ['a patch', { filepath: '/a', diff: '--- /a\n+++ /a\n@@ -0,0 +1 @@\n+new\n' }],
    ['an edit', { filePath: '/a', oldString: '', newString: 'new' }],
  ])('for an agent that speaks ACP and gives %s', (_, parameters) => {
    expect(asked('edit', parameters)).toEqual([
      '🔧 edit asks for permission: Changing files /a +1 −0',
      '  │ + new',
    ])
  })

  it('but not where there is none to be shown', () => {
    expect(asked('Edit', { file_path: 'a', old_string: 5 }).slice(1)).toEqual([
      ...['  │ file_path: a', '  │ old_string: 5'],
    ])
    expect(asked('mcp__notes__add', { file_path: 'a', content: 'x' }).slice(1)).toEqual([
      ...['  │ file_path: a', '  │ content: x'],
    ])
  })

  it('without anything that a terminal would obey', () => {
    const [title, row] = asked('Write', { file_path: '/no/\u001b[2Jfile', content: 'a\u001b]0;x\u0007b' })
    expect(`${title}${row}`).not.toMatch(/\p{Cc}/u)
  })
})

describe('a question that is longer than the screen', () => {
  it('is cut to it, and shown whole when that is asked for', () => {
    const question = ask('Edit', edit(30))
    const cut = question.lines(PLAIN, UNICODE, { columns: 80, rows: 24 })
    expect(cut).toHaveLength(1 + 17 + 1)
    expect(cut.at(-1)).toBe('  │ … 14 more lines')
    expect(question.choices(PLAIN)).toBe('y allow once   a always allow Edit   n deny   d show all of it')
    expect(question.key('d', {})).toBe('show')
    expect(question.lines(PLAIN, UNICODE)).toHaveLength(1 + 31)
    expect(question.choices(PLAIN)).toBe('y allow once   a always allow Edit   n deny')
    expect(question.key('d', {})).toBeUndefined()
  })

  it('still shows something on the smallest one', () => {
    const cut = asked('Edit', edit(30), { columns: 40, rows: 5 })
    expect(cut).toEqual([
      ...['🔧 Edit asks for permission: Editing', 'file a.ts +30 −1'],
      ...['  │ - x', '  │ + line 0', '  │ + line 1', '  │ … 28 more lines'],
    ])
  })

  it('is cut where its lines are too wide, too', () => {
    const question = ask('Edit', { file_path: 'a', old_string: '', new_string: '数'.repeat(100) })
    const rows = question.lines(PLAIN, UNICODE, { columns: 40, rows: 24 })
    expect(rows.at(-1)).toBe(`  │ + ${'数'.repeat(16)}…`)
    expect(question.choices(PLAIN, 40)).toBe('y once  a always  n deny  d all')
  })
})
