import type { Key } from 'node:readline'

import type { LineEditor } from './line-editor.js'

/** What a key asks for beyond editing. */
export type KeyRequest =
  | 'submit'
  | 'interrupt'
  | 'end'
  | 'complete'
  | 'older'
  | 'newer'
  | 'clear'
  | 'suspend'
  | 'thoughts'
  | 'escape'
  | undefined

/** Shift+Enter and Ctrl+Enter of terminals that tell them apart. */
const NEWLINE_CODES = new Set(['[13;2u', '[13;5u', '[27;2;13~', '[27;5;13~'])

/** Applies a key to the text being typed; what it asks for that is not editing. */
export function applyKey(editor: LineEditor, character: string | undefined, key: Key): KeyRequest {
  if (key.name === 'return') {
    return enter(editor, key)
  }
  // Node says of a lone ESC that it is Alt with nothing.
  if (key.name === 'escape') {
    return 'escape'
  }
  if (key.name === 'enter' || NEWLINE_CODES.has((key as { code?: string }).code ?? '')) {
    editor.insert('\n')
    return undefined
  }
  if (key.ctrl) {
    return control(editor, key)
  }
  if (key.meta) {
    return meta(editor, key)
  }
  return plain(editor, character, key)
}

function enter(editor: LineEditor, { meta, shift }: Key): KeyRequest {
  if (meta || shift) {
    editor.insert('\n')
    return undefined
  }
  // A backslash at the end of the line: it goes on.
  if (editor.text[editor.caret - 1] === '\\' && editor.caret === editor.text.length) {
    editor.replaceBack(editor.caret - 1, '\n')
    return undefined
  }
  return 'submit'
}

function control(editor: LineEditor, { name }: Key): KeyRequest {
  switch (name) {
    case 'a':
      editor.lineStart()
      return undefined
    case 'e':
      editor.lineEnd()
      return undefined
    case 'b':
      editor.left()
      return undefined
    case 'f':
      editor.right()
      return undefined
    case 'left':
      editor.wordLeft()
      return undefined
    case 'right':
      editor.wordRight()
      return undefined
    case 'h':
      editor.deleteBack()
      return undefined
    case 'k':
      editor.killToLineEnd()
      return undefined
    case 'u':
      editor.killToLineStart()
      return undefined
    case 'w':
      editor.killBlankWordBack()
      return undefined
    case 'y':
      editor.yank()
      return undefined
    case 'd':
      if (editor.text === '') {
        return 'end'
      }
      editor.deleteForward()
      return undefined
    case 'c':
      return 'interrupt'
    case 'l':
      return 'clear'
    case 'o':
      return 'thoughts'
    case 'p':
      return 'older'
    case 'n':
      return 'newer'
    case 'z':
      return 'suspend'
    default:
      return undefined
  }
}

function meta(editor: LineEditor, { name }: Key): undefined {
  switch (name) {
    case 'b':
    case 'left':
      editor.wordLeft()
      break
    case 'f':
    case 'right':
      editor.wordRight()
      break
    case 'd':
      editor.killWordForward()
      break
    case 'backspace':
      editor.killWordBack()
      break
    default:
  }
}

function plain(editor: LineEditor, character: string | undefined, key: Key): KeyRequest {
  switch (key.name) {
    case 'backspace':
      editor.deleteBack()
      return undefined
    case 'delete':
      editor.deleteForward()
      return undefined
    case 'left':
      editor.left()
      return undefined
    case 'right':
      editor.right()
      return undefined
    case 'home':
      editor.lineStart()
      return undefined
    case 'end':
      editor.lineEnd()
      return undefined
    case 'up':
      return editor.up() ? undefined : 'older'
    case 'down':
      return editor.down() ? undefined : 'newer'
    case 'tab':
      return 'complete'
    default:
  }
  // Ctrl+_ has no name.
  if (key.sequence === '\u001f') {
    editor.undo()
  } else if (character !== undefined && isPrintable(character)) {
    editor.insert(character)
  }
  return undefined
}

/** Whether a character may be put into a text that is shown. */
export function isPrintable(character: string): boolean {
  return !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(character)
}
