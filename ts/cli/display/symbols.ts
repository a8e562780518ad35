import isUnicodeSupported from 'is-unicode-supported'

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
  /** What is not known. */
  unknown: string
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
  /** Eighths of a column, from one to seven; empty where there are none. */
  eighths: readonly string[]
  /** In front of a sum of which a part is not known. */
  atLeast: string
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
  ...{ prompt: '❯', arrow: '→', ellipsis: '…', minus: '−', unknown: '–', dot: '·', bullet: '•' },
  ...{ unchecked: '☐', checked: '☑', bar: '│', rule: '─', crossing: '┼', image: '🖼  ' },
  spinner: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
  icons: {
    ...{ read: '📖 ', write: '📝 ', edit: '🔧 ', run: '⚡ ', search: '🔍 ' },
    ...{ find: '📁 ', web: '🌐 ', agent: '🤖 ', plan: '📋 ', other: '🔧 ' },
  },
  ...{ done: '✅', active: '⏳', open: '○', full: '█', empty: '░', atLeast: '≥' },
  eighths: ['▏', '▎', '▍', '▌', '▋', '▊', '▉'],
  box: {
    ...{ topLeft: '╔', topRight: '╗', bottomLeft: '╚', bottomRight: '╝' },
    ...{ left: '╠', right: '╣', across: '═', down: '║' },
  },
}

export const ASCII: Symbols = {
  ...{ ok: 'ok', failed: 'x', warning: '!', again: '~', stopped: '#', question: '?' },
  ...{ prompt: '>', arrow: '->', ellipsis: '...', minus: '-', unknown: '-', dot: '-', bullet: '*' },
  ...{ unchecked: '[ ]', checked: '[x]', bar: '|', rule: '-', crossing: '+', image: '' },
  spinner: ['|', '/', '-', '\\'],
  icons: {
    ...{ read: '', write: '', edit: '', run: '', search: '' },
    ...{ find: '', web: '', agent: '', plan: '', other: '' },
  },
  ...{ done: '[x]', active: '[~]', open: '[ ]', full: '#', empty: '.', atLeast: '>=' },
  eighths: [],
  box: {
    ...{ topLeft: '+', topRight: '+', bottomLeft: '+', bottomRight: '+' },
    ...{ left: '+', right: '+', across: '-', down: '|' },
  },
}

let chosen: Symbols | undefined

/**
 * The symbols for this terminal: what `LOCUS_ASCII` says, `1` or `0`, else what the terminal can show. It is looked at once;
 * the flag `--ascii` sets it, for the agents' own uses of this program too.
 */
export function symbols(): Symbols {
  chosen ??= symbolsFor(process.env.LOCUS_ASCII)
  return chosen
}

/** The symbols by the value of `LOCUS_ASCII`; any other is none. */
export function symbolsFor(ascii: string | undefined): Symbols {
  const isAscii = ascii === '1' || (ascii !== '0' && !isUnicodeSupported())
  return isAscii ? ASCII : UNICODE
}
