import { readFileSync } from 'node:fs'

import { expect, it } from 'vitest'

import { pageWithTables, recordingsTable } from '../scripts/conformance.mjs'

it('docs/agents.md has the table of what the recordings show', () => {
  const page = readFileSync(new URL('../docs/agents.md', import.meta.url), 'utf8')
  expect(pageWithTables(page)).toBe(page)
})

it('the table has a column for each way of speaking, and claude and codex show nearly all', () => {
  const [head = '', , ...rows] = recordingsTable().split('\n')
  const columns = head.split('|').map((cell) => cell.trim())
  const shown = (column: string) => {
    const at = columns.indexOf(column)
    return rows.filter((row) => row.split('|')[at]?.trim() === '✓').length
  }
  expect(shown('claude')).toBeGreaterThan(12)
  expect(shown('codex')).toBeGreaterThan(12)
  expect(shown('codex, by `exec`')).toBeGreaterThan(2)
})
