import { Chalk } from 'chalk'
import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'

import { Checklist } from '../../ts/cli/display/checklist.js'
import { boxRows } from '../../ts/cli/display/checklist-box.js'
import { ASCII, UNICODE } from '../../ts/cli/display/symbols.js'
import type { StreamChunk } from '../../ts/index.js'

let uses = 0

/** A tool that is used and returns, at this time. */
function used(
  checklist: Checklist,
  tool: string,
  parameters: Record<string, unknown>,
  now = 0,
  data?: unknown,
) {
  const id = String(++uses)
  const chunks: StreamChunk[] = [
    { type: 'tool_parameters', tool, id, parameters },
    { type: 'tool_result', tool, id, success: true, duration: 0, data },
  ]
  return chunks.map((chunk) => checklist.observe(chunk, now)).at(-1)
}

const todos = (...statuses: string[]) => ({
  todos: statuses.map((status, index) => ({ content: `step ${index}`, status })),
})
const marks = ({ items }: Checklist) => items.map(({ title, state }) => `${state} ${title}`)

describe('the list of things to do', () => {
  it("is claude's list, which comes whole each time", () => {
    const checklist = new Checklist()
    expect(used(checklist, 'TodoWrite', todos('completed', 'in_progress', 'pending'))).toBe(true)
    expect(marks(checklist)).toEqual(['done step 0', 'active step 1', 'open step 2'])
    expect(checklist.active?.title).toBe('step 1')
    expect(used(checklist, 'TodoWrite', todos('completed', 'in_progress', 'pending'))).toBe(false)
    used(checklist, 'TodoWrite', todos('completed'))
    expect(marks(checklist)).toEqual(['done step 0'])
  })

  it("is codex's plan", () => {
    const checklist = new Checklist()
    const items = [
      { text: 'look', status: 'completed' },
      { text: 'leap\n twice', status: 'in_progress' },
    ]
    used(checklist, 'todo_list', { items })
    expect(marks(checklist)).toEqual(['done look', 'active leap twice'])
  })

  it("is claude's tasks, which come one by one", () => {
    const checklist = new Checklist()
    used(checklist, 'TaskCreate', { subject: 'one' }, 0, { task: { id: '1' } })
    used(checklist, 'TaskCreate', { subject: 'two' }, 0, { task: { id: '2' } })
    used(checklist, 'TaskCreate', { subject: 'three' }, 0, { task: { id: '3' } })
    used(checklist, 'TaskUpdate', { taskId: '1', status: 'completed' })
    used(checklist, 'TaskUpdate', { taskId: '2', status: 'in_progress', subject: 'second' })
    used(checklist, 'TaskUpdate', { taskId: '3', status: 'deleted' })
    expect(marks(checklist)).toEqual(['done one', 'active second'])
  })

  it('says how long the rest will take when something of it was done', () => {
    const checklist = new Checklist()
    expect(checklist.remainingMs(0)).toBe(undefined)
    used(checklist, 'TodoWrite', todos('completed', 'in_progress', 'pending', 'pending'), 1000)
    expect(checklist.remainingMs(5000), 'what was done before is not known').toBe(undefined)
    used(checklist, 'TodoWrite', todos('completed', 'completed', 'in_progress', 'pending'), 11_000)
    expect(checklist.remainingMs(11_000)).toBe(20_000)
    expect(checklist.remainingMs(15_000)).toBe(16_000)
    expect(checklist.remainingMs(99_000)).toBe(0)
    used(checklist, 'TodoWrite', todos('completed', 'completed', 'completed', 'completed'), 21_000)
    expect(checklist.remainingMs(30_000)).toBe(0)
  })
})

describe('the box', () => {
  const checklist = new Checklist()
  const statuses = Array.from({ length: 30 }, (_, index) =>
    index < 20 ? 'completed' : index === 20 ? 'in_progress' : 'pending',
  )
  used(checklist, 'TodoWrite', todos(...statuses))
  const facts = { task: '数量 e\u0301 👩‍👩‍👧‍👦 '.repeat(20), elapsedMs: 154_000, remainingMs: undefined }
  const chalk = new Chalk({ level: 0 })

  it.each([UNICODE, ASCII])('is never larger than its place, and straight', (symbols) => {
    for (const columns of [20, 40, 80, 200]) {
      for (const height of [1, 4, 6, 9, 12, 24, 60]) {
        const rows = boxRows(checklist, facts, { columns, height }, { chalk, symbols })
        expect(rows.length).toBeLessThanOrEqual(height)
        const widths = new Set(rows.map((row) => stringWidth(row)))
        expect(widths.size).toBe(1)
        expect([...widths][0]).toBeLessThan(columns)
      }
    }
  })

  it('shows what is being done, however long the list is', () => {
    for (const height of [7, 12, 24]) {
      const rows = boxRows(checklist, facts, { columns: 80, height }, { chalk, symbols: UNICODE })
      expect(rows.join('\n')).toContain('⏳ step 20')
      expect(rows.join('\n')).toMatch(/… and \d+ more/)
    }
  })

  it('says that it does not know what it cannot know', () => {
    const rows = boxRows(
      new Checklist(),
      { ...facts, task: 'go' },
      { columns: 40, height: 24 },
      { chalk, symbols: UNICODE },
    )
    expect(rows).toMatchInlineSnapshot(`
      [
        "╔═════════════════════════════════════╗",
        "║ Task: go                            ║",
        "║ Progress: –                         ║",
        "╠═════════════════════════════════════╣",
        "║ Current: –                          ║",
        "║ Time: 2m 34s elapsed | – remaining  ║",
        "╚═════════════════════════════════════╝",
      ]
    `)
  })
})
