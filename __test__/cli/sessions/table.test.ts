import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'

import { type Column, table } from '../../../ts/cli/sessions/table.js'

const columns: Column[] = [
  { title: 'ID' },
  { title: 'TURNS', right: true },
  { title: 'AGENT', fromWidth: 60 },
  { title: 'SESSION' },
]
const rows = [
  ['a8f3d9e2', '8', 'claude', 'create a user authentication module'],
  ['5b2c7a4f', '120', '日本語', '四半期の計画を作成してください 👩‍👩‍👧‍👦 e\u0301'],
  ['x', '', '', ''],
]

describe('a table', () => {
  it('has its columns below each other, wide characters and all', () => {
    expect(`\n${table(columns, rows).join('\n')}\n`).toMatchInlineSnapshot(`
      "
      ID        TURNS  AGENT   SESSION
      a8f3d9e2      8  claude  create a user authentication module
      5b2c7a4f    120  日本語  四半期の計画を作成してください 👩‍👩‍👧‍👦 é
      x
      "
    `)
    const [, ...lines] = table(columns, rows)
    const widths = lines.slice(0, 2).map((line, index) => {
      const last = rows[index]?.[3] ?? ''
      return stringWidth(line.slice(0, line.length - last.length))
    })
    expect(widths[0]).toBe(widths[1])
  })

  it.each([200, 80, 60, 59, 40, 30])('fits a terminal of %d columns', (width) => {
    const lines = table(columns, rows, width)
    for (const line of lines) {
      expect(stringWidth(line)).toBeLessThan(width)
    }
    expect(lines[0]?.includes('AGENT')).toBe(width >= 60)
  })

  it('leaves something of the last column in a terminal that is too narrow for anything', () => {
    expect(table(columns, rows, 1)[1]).toBe('a8f3d9e2      8  create …')
  })

  it('colours cells and not titles, and colours change no width', () => {
    const style = (cell: string) => `<${cell}>`
    expect(table([{ title: 'A', style }, { title: 'B' }], [['1', '2']])).toEqual(['A  B', '<1>  2'])
  })
})
