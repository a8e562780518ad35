import type { Key } from 'node:readline'

import { describe, expect, it } from 'vitest'

import { inputRows } from '../../../ts/cli/repl/input-box.js'
import { applyKey } from '../../../ts/cli/repl/keys.js'
import { LineEditor } from '../../../ts/cli/repl/line-editor.js'

const FAMILY = '👩‍👩‍👧‍👦'

/** An editor with a text whose caret is at the `|`. */
function editorOf(text: string): LineEditor {
  const editor = new LineEditor()
  editor.set(text.replace('|', ''))
  while (editor.caret > text.indexOf('|')) {
    editor.left()
  }
  return editor
}

const shown = ({ text, caret }: LineEditor) => `${text.slice(0, caret)}|${text.slice(caret)}`

function press(
  editor: LineEditor,
  name: string,
  { ctrl = false, meta = false, shift = false, character = '' } = {},
) {
  const key: Key = { name, ctrl, meta, shift, sequence: character }
  return applyKey(editor, character === '' ? undefined : character, key)
}

describe('editing', () => {
  it.each([
    ['ab|c', 'left', {}, 'a|bc'],
    ['ab|c', 'right', {}, 'abc|'],
    ['abc|', 'right', {}, 'abc|'],
    [`a${FAMILY}|b`, 'left', {}, `a|${FAMILY}b`],
    [`a${FAMILY}|b`, 'backspace', {}, 'a|b'],
    [`a|${FAMILY}b`, 'delete', {}, 'a|b'],
    ['e\u0301|', 'backspace', {}, '|'],
    ['a\n|b', 'left', {}, 'a|\nb'],
    ['a\n|b', 'backspace', {}, 'a|b'],
    ['one two|', 'left', { ctrl: true }, 'one |two'],
    ['one, |two', 'b', { meta: true }, '|one, two'],
    ['|one two', 'f', { meta: true }, 'one| two'],
    ['日本 語|', 'left', { ctrl: true }, '日本 |語'],
    ['a\nbc|d', 'a', { ctrl: true }, 'a\n|bcd'],
    ['a\nb|cd\ne', 'e', { ctrl: true }, 'a\nbcd|\ne'],
    ['a\nb|cd\ne', 'home', {}, 'a\n|bcd\ne'],
    ['ab|cd\ne', 'k', { ctrl: true }, 'ab|\ne'],
    ['ab|\ne', 'k', { ctrl: true }, 'ab|e'],
    ['a\nbc|d', 'u', { ctrl: true }, 'a\n|d'],
    ['one a.b|', 'w', { ctrl: true }, 'one |'],
    ['one a.b|', 'backspace', { meta: true }, 'one a.|'],
    ['|one two', 'd', { meta: true }, '| two'],
    ['ab|cd\nxyz', 'down', {}, 'abcd\nxy|z'],
    ['abcd\nx|', 'up', {}, 'a|bcd\nx'],
    ['a\n\nbc|', 'up', {}, 'a\n|\nbc'],
    ['a\\|', 'return', {}, 'a\n|'],
    ['a|', 'return', { meta: true }, 'a\n|'],
    ['a|', 'enter', {}, 'a\n|'],
    ['|', 'x', { character: 'x' }, 'x|'],
    ['|', '', { character: '日' }, '日|'],
    ['a|', '', { character: '\u0000' }, 'a|'],
  ])('%j, %s %j: %j', (before, name, modifiers, behind) => {
    const editor = editorOf(before)
    expect(press(editor, name, modifiers)).toBe(undefined)
    expect(shown(editor)).toBe(behind)
  })

  it.each([
    ['a|', 'return', {}, 'submit'],
    ['a\\|b', 'return', {}, 'submit'],
    ['|', 'd', { ctrl: true }, 'end'],
    ['a|', 'c', { ctrl: true }, 'interrupt'],
    ['a|', 'tab', {}, 'complete'],
    ['a|b', 'up', {}, 'older'],
    ['a|b', 'down', {}, 'newer'],
    ['a|', 'escape', { meta: true }, 'escape'],
    ['a|', 'l', { ctrl: true }, 'clear'],
  ])('%j, %s %j asks for %j', (before, name, modifiers, request) => {
    const editor = editorOf(before)
    expect(press(editor, name, modifiers)).toBe(request)
    expect(shown(editor)).toBe(before)
  })

  it('what was killed comes back', () => {
    const editor = editorOf('one two|')
    press(editor, 'w', { ctrl: true })
    press(editor, 'a', { ctrl: true })
    press(editor, 'y', { ctrl: true })
    expect(shown(editor)).toBe('two|one ')
  })

  it('a word is undone as one, and everything else step by step', () => {
    const editor = new LineEditor()
    for (const character of 'one two') {
      editor.insert(character)
    }
    editor.killToLineStart()
    const steps: string[] = []
    while (editor.text !== '' || steps.length === 0) {
      editor.undo()
      steps.push(shown(editor))
    }
    expect(steps).toEqual(['one two|', 'one |', 'one|', '|'])
  })
})

describe('the rows of what is typed', () => {
  const layout = { mark: '> ', columns: 10, height: 3 }

  it('are broken where they are full, by what characters take', () => {
    expect(inputRows('abcdefghij', 10, layout)).toEqual({
      rows: ['> abcdefg', '  hij'],
      caret: { row: 1, column: 5 },
    })
    expect(inputRows('日本語日本', 5, layout)).toEqual({
      rows: ['> 日本語', '  日本'],
      caret: { row: 1, column: 6 },
    })
  })

  it('are those around the caret where there are too many', () => {
    const text = 'a\nb\nc\nd\ne'
    expect(inputRows(text, text.length, layout)).toEqual({
      rows: ['  c', '  d', '  e'],
      caret: { row: 2, column: 3 },
    })
    expect(inputRows(text, 0, layout)).toMatchObject({
      rows: ['> a', '  b', '  c'],
      caret: { row: 0, column: 2 },
    })
    expect(inputRows(text, 4, layout)).toMatchObject({
      rows: ['  b', '  c', '  d'],
      caret: { row: 1, column: 2 },
    })
  })
})
