import { expect, it } from 'vitest'

import { formatCost, formatDuration, formatTokens } from '../../ts/cli/format.js'

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
  [1_234_567, '1234.6k'],
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
