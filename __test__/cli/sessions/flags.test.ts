import { describe, expect, it } from 'vitest'

import { countOf, limitOf, timeOf } from '../../../ts/cli/sessions/flags.js'

const NOW = Date.UTC(2026, 1, 1)

describe('a time', () => {
  it.each([
    ['30m', NOW - 1_800_000],
    ['12h', NOW - 43_200_000],
    ['7d', NOW - 604_800_000],
    ['2w', NOW - 1_209_600_000],
    ['2026-01-05', new Date(2026, 0, 5).getTime()],
    ['2026-01-05T09:30', new Date(2026, 0, 5, 9, 30).getTime()],
    ['2026-01-05T09:30:00Z', Date.UTC(2026, 0, 5, 9, 30)],
  ])('may be %s', (value, time) => {
    expect(timeOf('--after', value, NOW)).toBe(time)
  })

  it.each(['', 'yesterday', '7', '7y', '-7d', '2026-13-45', '5', '01/02/2026'])('may not be %j', (value) => {
    expect(() => timeOf('--after', value, NOW)).toThrow(/^--after must be a date such as/)
  })
})

it.each(['', '-1', '1.5', 'x', '0x10', '1e3', '99999999999', '4294967296'])(
  'a count may not be %j',
  (value) => {
    expect(() => countOf('--limit', value)).toThrow('--limit must be a whole number from 0 on')
  },
)

it('a count may have a least value', () => {
  expect(countOf('--limit', '0')).toBe(0)
  expect(countOf('--limit', '7', 1)).toBe(7)
  expect(() => countOf('--limit', '0', 1)).toThrow('from 1 on')
})

it('a limit may be never, or not named', () => {
  expect([limitOf('--keep', 'never'), limitOf('--keep', undefined), limitOf('--keep', '0')]).toEqual([
    null,
    undefined,
    0,
  ])
  expect(() => limitOf('--keep', 'always')).toThrow('--keep must be a whole number, or never')
})
