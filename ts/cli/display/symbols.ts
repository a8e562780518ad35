import isUnicodeSupported from 'is-unicode-supported'

import { execError } from '../../errors.js'

/** What a tool does, as its icon tells it. */
export type ToolIcon =
  | 'read'
  | 'write'
  | 'edit'
  | 'run'
  | 'search'
  | 'find'
  | 'web'
  | 'agent'
  | 'plan'
  | 'other'

/** The marks of the display. Nothing that is shown has a character beyond ASCII that is not from here, but what an agent says. */
export interface Symbols {
  ok: string
  failed: string
  warning: string
  again: string
  stopped: string
  question: string
  /** In front of what is typed. */
  prompt: string
  arrow: string
  ellipsis: string
  minus: string
  /** Between facts of one line. */
  dot: string
  bullet: string
  unchecked: string
  checked: string
  /** In front of what belongs to the line above, and between the columns of a table. */
  bar: string
  rule: string
  crossing: string
  image: string
  spinner: readonly string[]
  /** In front of a tool; a blank included. */
  icons: Readonly<Record<ToolIcon, string>>
  /** Of a list of things to do. */
  done: string
  active: string
  open: string
  /** Of a bar that grows. */
  full: string
  empty: string
  box: Readonly<{
    topLeft: string
    topRight: string
    bottomLeft: string
    bottomRight: string
    left: string
    right: string
    across: string
    down: string
  }>
}

export const UNICODE: Symbols = {
  ...{ ok: '✓', failed: '✗', warning: '⚠', again: '↻', stopped: '⏹', question: '⚡' },
  ...{ prompt: '❯', arrow: '→', ellipsis: '…', minus: '−', dot: '·', bullet: '•' },
  ...{ unchecked: '☐', checked: '☑', bar: '│', rule: '─', crossing: '┼', image: '🖼  ' },
  spinner: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
  icons: {
    ...{ read: '📖 ', write: '📝 ', edit: '🔧 ', run: '⚡ ', search: '🔍 ' },
    ...{ find: '📁 ', web: '🌐 ', agent: '🤖 ', plan: '📋 ', other: '🔧 ' },
  },
  ...{ done: '✅', active: '⏳', open: '○', full: '█', empty: '░' },
  box: {
    ...{ topLeft: '╔', topRight: '╗', bottomLeft: '╚', bottomRight: '╝' },
    ...{ left: '╠', right: '╣', across: '═', down: '║' },
  },
}

export const ASCII: Symbols = {
  ...{ ok: 'ok', failed: 'x', warning: '!', again: '~', stopped: '#', question: '?' },
  ...{ prompt: '>', arrow: '->', ellipsis: '...', minus: '-', dot: '-', bullet: '*' },
  ...{ unchecked: '[ ]', checked: '[x]', bar: '|', rule: '-', crossing: '+', image: '' },
  spinner: ['|', '/', '-', '\\'],
  icons: {
    ...{ read: '', write: '', edit: '', run: '', search: '' },
    ...{ find: '', web: '', agent: '', plan: '', other: '' },
  },
  ...{ done: '[x]', active: '[~]', open: '[ ]', full: '#', empty: '.' },
  box: {
    ...{ topLeft: '+', topRight: '+', bottomLeft: '+', bottomRight: '+' },
    ...{ left: '+', right: '+', across: '-', down: '|' },
  },
}

/** The symbols for a terminal: what the flag or `LOCUS_ASCII` (`1` or `0`) says, else what the terminal can show. */
export function symbolsFor({ ascii }: { ascii?: boolean } = {}, env = process.env): Symbols {
  if (ascii) {
    return ASCII
  }
  switch (env.LOCUS_ASCII) {
    case '1':
      return ASCII
    case '0':
      return UNICODE
    case undefined:
    case '':
      return isUnicodeSupported() ? UNICODE : ASCII
    default:
      throw execError('INVALID_INPUT', `LOCUS_ASCII must be 1 or 0, not '${env.LOCUS_ASCII}'`)
  }
}
