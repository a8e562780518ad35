import { expect, it } from 'vitest'

import {
  costMark,
  costText,
  formatAge,
  formatBytes,
  formatCost,
  formatCount,
  formatDuration,
  formatTime,
  formatTokens,
} from '../../ts/cli/format.js'

it.each([
  [0, '0ms'],
  [85.4, '85ms'],
  [999, '999ms'],
  [999.6, '1.0s'],
  [1000, '1.0s'],
  [3249, '3.2s'],
  [59_940, '59.9s'],
  [59_960, '1m 00s'],
  [60_000, '1m 00s'],
  [125_400, '2m 05s'],
  [3_599_999, '60m 00s'],
])('a duration of %d ms is shown as %s', (milliseconds, shown) => {
  expect(formatDuration(milliseconds)).toBe(shown)
})

it.each([
  [0, '0'],
  [850, '850'],
  [999, '999'],
  [1000, '1.0k'],
  [12_345, '12.3k'],
  [999_949, '999.9k'],
  [999_950, '1.0M'],
  [1_234_567, '1.2M'],
])('%d tokens are shown as %s', (tokens, shown) => {
  expect(formatTokens(tokens)).toBe(shown)
})

it.each([
  [0, '$0.00'],
  [0.0012, '$0.0012'],
  [0.1, '$0.10'],
  [12.345, '$12.35'],
])('%d dollars are shown as %s', (usd, shown) => {
  expect(formatCost(usd)).toBe(shown)
})

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

it.each([
  [-5 * MINUTE, 'just now'],
  [0, 'just now'],
  [MINUTE - 1, 'just now'],
  [MINUTE, '1 minute ago'],
  [59 * MINUTE, '59 minutes ago'],
  [90 * MINUTE, '1 hour ago'],
  [DAY - 1, '23 hours ago'],
  [DAY, '1 day ago'],
  [13 * DAY, '1 week ago'],
  [29 * DAY, '4 weeks ago'],
  [45 * DAY, '1 month ago'],
  [800 * DAY, '2 years ago'],
])('what was %d ms ago was %s', (age, shown) => {
  const now = Date.UTC(2026, 1, 1)
  expect(formatAge(now - age, now)).toBe(shown)
})

it('a time is shown in the time zone of the reader, and one that is none is unknown', () => {
  expect(formatTime(new Date(2026, 1, 1, 9, 5).getTime())).toBe('2026-02-01 09:05')
  expect(formatTime(Number.NaN)).toBe('unknown')
  expect(formatTime(8.64e15 + 1)).toBe('unknown')
})

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 KB'],
  [999_949, '999.9 KB'],
  [999_950, '1.0 MB'],
  [12_345_678, '12.3 MB'],
])('%d bytes are shown as %s', (bytes, shown) => {
  expect(formatBytes(bytes)).toBe(shown)
})

it('a count has its noun in the right number', () => {
  expect([formatCount(0, 'turn'), formatCount(1, 'turn'), formatCount(2, 'match', 'matches')]).toEqual([
    '0 turns',
    '1 turn',
    '2 matches',
  ])
})

it.each([
  [{}, 'unknown', 'unknown'],
  [{ costUsd: 0 }, '$0.00', '$0.00'],
  [{ costUsd: 0.25, costSource: 'agent' as const }, '$0.25', '$0.25'],
  [{ costUsd: 0.25, costSource: 'prices' as const }, '~$0.25', '$0.25, by the price table'],
  [{ costUsd: 0.25, costPartial: true as const }, '≥$0.25', 'at least $0.25, a part is unknown'],
  [
    { costUsd: 0.25, costSource: 'prices' as const, costPartial: true as const },
    '≥~$0.25',
    'at least $0.25, by the price table, a part is unknown',
  ],
])('the cost %j is shown as %s in a table and as %s in words', (cost, mark, text) => {
  expect(costMark(cost)).toBe(mark)
  expect(costText(cost)).toBe(text)
})
