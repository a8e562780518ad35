import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { addUsage, type Budget, ExecSession, readUsage, type Usage } from '../ts/index.js'
import { fakeAgent } from './support/fakes.js'
import { temporaryFolder } from './support/folder.js'
import { openSession, rejectionOf } from './support/session.js'

interface Sum {
  what: string
  a: Usage
  b: Usage
  sum: Usage
}

/** The engine adds up by the same table. */
const SUMS = JSON.parse(
  readFileSync(new URL('../fixtures/usage/sums.json', import.meta.url), 'utf8'),
) as Sum[]

describe('a sum of usage', () => {
  it.each(SUMS)('has $what', ({ a, b, sum }) => {
    expect(addUsage(a, b)).toEqual(sum)
    expect(addUsage(b, a)).toEqual(sum)
  })
})

describe('the usage of a session', () => {
  it('is that of all its turns, those before it was loaded included, and stays in its history', async () => {
    const projectPath = temporaryFolder()
    const first = await openSession('says-everything', { projectPath, allowAll: true })
    expect(first.usage).toEqual({ input: 0, output: 0, cacheRead: 0, cacheWrite: 0 })
    const { usage } = await first.execute('look')
    expect(usage).toMatchObject({ input: 10, costUsd: 0.25, costSource: 'agent', requests: 1 })
    expect(first.usage).toEqual(usage)
    expect(first.getHistory()[1]?.metadata?.usage).toEqual(usage)
    await first.end()
    const options = { projectPath, executable: fakeAgent('says-everything'), allowAll: true }
    const second = await ExecSession.load(first.id, options)
    expect(second.usage).toEqual(usage)
    expect(second.getHistory()[1]?.metadata?.usage).toEqual(usage)
    await second.execute('look')
    expect(second.usage).toMatchObject({ input: 20, output: 40, costUsd: 0.5, requests: 2 })
    expect(second.usage.models?.['fake-1']).toMatchObject({ input: 20, costUsd: 0.5 })
    await second.end()
  })

  it('belongs to whoever gets it', async () => {
    const session = await openSession('says-everything', { allowAll: true })
    await session.execute('look')
    session.usage.input = 1e9
    expect(session.usage.input).toBe(10)
  })
})

describe('the usage of a project', () => {
  it('has a line for every turn of a session that is kept', async () => {
    const projectPath = temporaryFolder()
    const before = Date.now()
    const session = await openSession('says-everything', { projectPath, allowAll: true, model: 'fake-1' })
    const { usage, runId } = await session.execute('look')
    const { entries, problems } = await readUsage({ projectPath })
    expect(problems).toEqual([])
    expect(entries).toEqual([
      {
        ...{ time: expect.any(Number), session: session.id, run: runId, provider: 'claude', model: 'fake-1' },
        ...{ success: true, durationMs: expect.any(Number), attempts: 1, usage },
      },
    ])
    expect(entries[0]?.time).toBeGreaterThanOrEqual(before)
    expect((await readUsage({ projectPath }, Date.now() + 1)).entries).toEqual([])
  })

  it('has nothing of a session that is not kept', async () => {
    const projectPath = temporaryFolder()
    const session = await openSession('says-everything', { projectPath, allowAll: true, save: false })
    await session.execute('look')
    expect(await readUsage({ projectPath })).toEqual({ entries: [], problems: [] })
    expect(existsSync(join(projectPath, '.locus'))).toBe(false)
  })

  it('is where the history is', async () => {
    const projectPath = temporaryFolder()
    const historyDir = join(temporaryFolder(), 'elsewhere')
    const session = await openSession('says-everything', { projectPath, historyDir, allowAll: true })
    await session.execute('look')
    expect((await readUsage({ projectPath, historyDir })).entries).toHaveLength(1)
    expect(existsSync(join(projectPath, '.locus'))).toBe(false)
  })

  it('is asked for by a time', async () => {
    await expect(readUsage({}, Number.NaN)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })
})

describe('a budget', () => {
  it('of a turn fails it with figures, and the chunks keep the answer', async () => {
    const session = await openSession('says-everything', { allowAll: true })
    const stream = session.executeStreaming('look', { budget: { tokens: 30 } })
    expect(await rejectionOf(stream.result)).toMatchObject({
      code: 'BUDGET_EXCEEDED',
      message: expect.stringContaining('the turn used 36 of 30 tokens, 6 over'),
      retryable: false,
    })
    expect(session.usage.costUsd).toBe(0.25)
    await session.execute('look', { budget: { tokens: 36, costUsd: 0.25, turns: 1 } })
  })

  it('of a session that is used up refuses the next turn at once, also when it is loaded', async () => {
    const projectPath = temporaryFolder()
    const budget = { costUsd: 0.25 }
    const session = await openSession('says-everything', { projectPath, allowAll: true, budget })
    await session.execute('look')
    expect(await rejectionOf(session.execute('look'))).toMatchObject({
      code: 'BUDGET_EXCEEDED',
      message: expect.stringContaining('the session used $0.25 of $0.25'),
    })
    expect(session.getHistory()).toHaveLength(2)
    await session.end()
    const options = { projectPath, executable: fakeAgent('says-everything'), allowAll: true }
    const loaded = await ExecSession.load(session.id, { ...options, budget })
    expect(await rejectionOf(loaded.execute('look'))).toMatchObject({ code: 'BUDGET_EXCEEDED' })
    await loaded.use({ budget: { costUsd: 1 } })
    await loaded.execute('look')
    expect(loaded.usage.costUsd).toBe(0.5)
    await loaded.end()
  })

  it.each([
    ['a number', 5],
    ['an unknown limit', { dollars: 1 }],
    ['no dollars', { costUsd: 0 }],
    ['a text', { costUsd: '1' }],
    ['endless dollars', { costUsd: Number.POSITIVE_INFINITY }],
    ['half a token', { tokens: 0.5 }],
    ['fewer turns than none', { turns: -1 }],
  ])('that is %s is refused', async (_, wrong) => {
    const budget = wrong as Budget
    const options = { projectPath: temporaryFolder(), budget }
    expect(await rejectionOf(ExecSession.create(options))).toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining("option 'budget"),
    })
    const session = await openSession('says-everything')
    expect(await rejectionOf(session.execute('look', { budget }))).toMatchObject({ code: 'INVALID_INPUT' })
  })
})
