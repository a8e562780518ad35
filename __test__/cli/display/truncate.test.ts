import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'

import { truncate } from '../../../ts/cli/display/truncate.js'

describe('a text that is too long for its place', () => {
  it.each([
    ['hello', 5, 'hello'],
    ['hello', 4, 'hel…'],
    ['hello', 1, '…'],
    ['hello', 0, ''],
    ['', 0, ''],
    ['日本語です', 6, '日本…'],
    ['日本語です', 5, '日本…'],
    ['a👩‍👩‍👧‍👦b', 3, 'a…'],
    // Never half a character, though it may be one less than there is room for.
    ['\u{20000}\u{20001}\u{20002}', 4, '…'],
    ['\u{20000}\u{20001}\u{20002}', 5, '\u{20000}…'],
  ])('%j in %i columns is %j', (text, columns, cut) => {
    expect(truncate(text, columns, '…')).toBe(cut)
    expect(stringWidth(cut)).toBeLessThanOrEqual(columns)
  })

  it('has the mark that is told, which takes its room', () => {
    expect(truncate('hello world', 8, '...')).toBe('hello...')
  })

  it('ends the colours and links that it has begun, before the mark', () => {
    expect(truncate('\u001b[31mred and more\u001b[39m', 4, '…')).toBe('\u001b[31mred\u001b[39m…')
    const link = '\u001b]8;;https://example.org\u0007a link\u001b]8;;\u0007'
    expect(truncate(link, 3, '…')).toBe('\u001b]8;;https://example.org\u0007a \u001b]8;;\u0007…')
  })
})
