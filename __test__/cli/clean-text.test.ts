import { describe, expect, it } from 'vitest'

import { CleanText, cleanValue } from '../../ts/cli/renderers/clean-text.js'

const clean = (...pieces: string[]) => {
  const text = new CleanText()
  return pieces.map((piece) => text.push(piece)).join('')
}

describe('clean text', () => {
  it.each(['plain words, tabs\tand\nlines', 'naïve 日本語 𝒳 👩‍👩‍👧‍👦 e\u0301', 'brackets [31m and ]0;title'])(
    'is left as it is where it has nothing that a terminal would obey: %j',
    (text) => {
      expect(clean(text)).toBe(text)
    },
  )

  it.each([
    ['a colour', '\u001b[31mred\u001b[0m'],
    ['a title', '\u001b]0;title\u0007red'],
    ['a clipboard', '\u001b]52;c;c2VjcmV0\u001b\\red'],
    ['a link', '\u001b]8;;https://evil.example\u001b\\red\u001b]8;;\u001b\\'],
    ['a cleared screen', '\u001b[2J\u001b[Hred'],
    ['a device control string', '\u001bP1$r0m\u001b\\red'],
    ['an application command', '\u001b_payload\u001b\\red'],
    ['C1 controls', '\u009b31mred'],
    ['backspaces', '\b\bred'],
    ['a return over the line', 'red\r'],
    ['bells', 'r\u0007ed'],
    ['text that runs backwards', '\u202ered\u202c'],
    ['a bracketed paste', '\u001b[200~red\u001b[201~'],
  ])('has no %s', (_, hostile) => {
    expect(clean(hostile)).toBe('red')
    expect(cleanValue({ list: [hostile], [hostile]: 1 })).toEqual({ list: ['red'], red: 1 })
  })

  it('has no sequence that was cut between two pieces, wherever it was cut', () => {
    const hostile = 'before \u001b]52;c;c2VjcmV0\u0007 between \u001b[31mafter\n'
    for (let cut = 0; cut <= hostile.length; cut++) {
      expect(clean(hostile.slice(0, cut), hostile.slice(cut))).toBe('before  between after\n')
    }
    expect(clean(...hostile)).toBe('before  between after\n')
  })

  it('goes on after a sequence that never ends', () => {
    expect(clean('a\u001b]52;c;', 'secret', ' secret\nb', 'c')).toBe('a\nbc')
  })
})

describe('a clean value', () => {
  it('keeps all that is no text', () => {
    const value = { number: 5, yes: true, nothing: null, missing: undefined, list: [1, [2, { three: '3' }]] }
    expect(cleanValue(value)).toEqual(value)
  })

  it('ends where no reasonable value goes on', () => {
    const nested = JSON.parse(`${'['.repeat(1000)}"\u2028"${']'.repeat(1000)}`.replaceAll('\u2028', ''))
    expect(JSON.stringify(cleanValue(nested)).length).toBeLessThan(200)
  })
})
