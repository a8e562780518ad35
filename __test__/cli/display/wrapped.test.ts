import { wrapAnsi } from 'fast-wrap-ansi'
import { describe, expect, it } from 'vitest'

import { definitions, wrapped } from '../../../ts/cli/display/wrapped.js'

const WORDS = [
  'a',
  'be',
  'see',
  '**bold**',
  'word',
  'sentence.',
  'x'.repeat(9),
  'y'.repeat(25),
  '漢字',
  '\u001b[1mstyled\u001b[22m',
]

/** Lines of every mix of the words, always the same. */
function* lines(count: number): Generator<string> {
  let seed = 1
  const next = (below: number) => {
    seed = (seed * 48271) % 0x7fffffff
    return seed % below
  }
  for (let line = 0; line < count; line++) {
    const plain = next(2) === 0
    yield Array.from({ length: next(12) }, () => WORDS[next(plain ? 7 : WORDS.length)]).join(' ')
  }
}

describe('a line that is broken into rows', () => {
  it.each([1, 2, 5, 10, 20, 40])('is broken as by the library, for %i columns', (columns) => {
    for (const line of lines(500)) {
      expect(wrapped(line, columns)).toEqual(
        wrapAnsi(line, Math.max(1, columns - 1), { hard: true }).split('\n'),
      )
    }
  })

  it('keeps a line that is as wide as a row may be', () => {
    expect(wrapped('1234 6789', 10)).toEqual(['1234 6789'])
    expect(wrapped('1234 67890', 10)).toEqual(['1234', '67890'])
  })
})

describe('terms and what they mean', () => {
  const rows = [
    { term: 'one', meaning: 'a meaning that is longer than there is room' },
    { term: 'longer than that', meaning: 'two\nlines' },
  ]

  it('stand beside each other', () => {
    expect(definitions(rows, { width: 6, columns: 31 })).toEqual([
      'one   a meaning that is longer',
      '      than there is room',
      'longer than that',
      '      two',
      '      lines',
    ])
  })

  it('stand below each other where there is no room', () => {
    expect(definitions(rows.slice(0, 1), { width: 6, columns: 25 })).toEqual([
      'one',
      '    a meaning that is',
      '    longer than there is',
      '    room',
    ])
  })

  it('are not broken where there is no end of the line', () => {
    expect(definitions(rows.slice(0, 1), { width: 6, columns: Number.POSITIVE_INFINITY })).toEqual([
      'one   a meaning that is longer than there is room',
    ])
  })
})
