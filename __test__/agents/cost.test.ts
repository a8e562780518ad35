import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

import {
  addUsage,
  ExecEventType,
  type ExecSession,
  type ModelUsage,
  readUsage,
  type SessionOptions,
  type Usage,
} from '../../ts/index.js'
import { RealClaude } from './real-agent.js'

interface Price {
  input: number
  output: number
  cacheRead: number
  cacheWrite: number
}

/** What models cost, as our own table says. */
const { models: PRICES } = JSON.parse(
  readFileSync(new URL('../../src/usage/prices.json', import.meta.url), 'utf8'),
) as { models: Record<string, Price> }
const MODEL = 'claude-opus-5-5'

const claude = new RealClaude({ CLAUDE_CODE_MAX_RETRIES: '3' })
const DEFAULTS: SessionOptions = { allowAll: true, model: MODEL }

function create(options: SessionOptions = {}): Promise<ExecSession> {
  return claude.createSession({ ...DEFAULTS, ...options })
}

/** What the server has charged, with what that costs. */
function charged(model = MODEL): Usage {
  const usage = claude.server.usage()
  const price = PRICES[model] as Price
  const kinds = ['input', 'output', 'cacheRead', 'cacheWrite'] as const
  const costUsd = kinds.reduce((sum, kind) => sum + usage[kind] * price[kind], 0) / 1e6
  return { ...usage, costUsd }
}

function expectExactly(usage: ModelUsage, expected: ModelUsage): void {
  const { input, output, cacheRead, cacheWrite } = usage
  const { costUsd: expectedCost, ...tokens } = expected
  expect({ input, output, cacheRead, cacheWrite }).toEqual(tokens)
  expect(usage.costUsd).toBeCloseTo(expectedCost as number, 9)
}

describe('what the real claude costs', () => {
  test('is exactly what the model server charged: ten turns, a resume, a retry and a subagent', async () => {
    const first = await create()
    const prompts = ['one', 'two', 'please TOOL', 'please AGENT', 'please RATE429', 'six', 'please TWOTOOLS']
    const turns: Usage[] = []
    for (const prompt of prompts) {
      turns.push((await first.execute(prompt)).usage)
      expectExactly(turns.reduce(addUsage), charged())
    }
    expect(first.usage).toEqual(turns.reduce(addUsage))
    await first.end()

    const second = await claude.loadSession(first.id, DEFAULTS)
    for (const prompt of ['eight', 'please THINK', 'please AGENT']) {
      turns.push((await second.execute(prompt)).usage)
    }
    expect(turns).toHaveLength(10)
    const all = turns.reduce(addUsage)
    expectExactly(all, charged())
    expect(all.costSource).toBe('agent')
    expect(all.costPartial).toBeUndefined()
    // The whole conversation, that before it was loaded included.
    expect(second.usage).toEqual(all)
    expectExactly(second.usage.models?.[MODEL] as ModelUsage, charged())
    // And what outlives it.
    const { entries, problems } = await readUsage({ projectPath: claude.project })
    expect(problems).toEqual([])
    expect(entries.map(({ usage }) => usage)).toEqual(turns)
  })

  test('is told while a turn runs, and what is told first is what it costs in the end', async () => {
    const session = await create()
    const told: Usage[] = []
    session.on(ExecEventType.USAGE_UPDATED, ({ data }) => told.push(data))
    await session.execute('please TOOL')
    const [last, ...earlier] = told.reverse()
    expect(last?.costSource).toBe('agent')
    expect(earlier.every(({ costSource }) => costSource === 'prices')).toBe(true)
    // Two requests, of which each is told when it begins and when it ends; the last of these is the whole turn.
    expect(earlier.length).toBe(4)
    expectExactly(earlier[0] as Usage, charged())
    expectExactly(last as Usage, charged())
  })

  test('is by the table what claude itself says, for every model of the table that it knows', async () => {
    const models = Object.keys(PRICES).filter(
      (model) => model.startsWith('claude-') && model !== 'claude-opus-4-1',
    )
    for (const model of models) {
      const session = await create({ model, save: false })
      const before = claude.server.usage()
      const { usage } = await session.execute('hello')
      await session.end()
      expect(Object.keys(usage.models ?? {}), 'no other model answered').toEqual([model])
      const { input, output, cacheRead, cacheWrite } = PRICES[model] as Price
      expect(claude.server.usage().input - before.input).toBe(25)
      const expected = (25 * input + 15 * output + 7 * cacheRead + 3 * cacheWrite) / 1e6
      expect(usage.costUsd, model).toBeCloseTo(expected, 9)
      expect(usage.costSource).toBe('agent')
    }
  })

  test('is kept of a turn that was stopped in the middle of its answer', async () => {
    const session = await create()
    const stream = session.executeStreaming('please SLOW')
    for await (const chunk of stream) {
      if (chunk.type === 'text_delta') {
        break
      }
    }
    await expect(stream.result).rejects.toMatchObject({ code: 'CANCELLED' })
    const { usage } = session
    expect(usage).toMatchObject({ input: 25, cacheRead: 7, cacheWrite: 3, requests: 1 })
    expect(usage.costUsd).toBeGreaterThan(0)
    // It does not come back with the next turn.
    await session.execute('hello')
    expect(session.usage).toMatchObject({ input: 50, requests: 2 })
  })
})

describe('a budget, with the real claude', () => {
  test('stops a turn that goes on, with figures', async () => {
    const session = await create()
    const stream = session.executeStreaming('please TOOL', { budget: { costUsd: 0.0005 } })
    await expect(stream.result).rejects.toMatchObject({
      code: 'BUDGET_EXCEEDED',
      message: expect.stringMatching(/^the turn used \$0\.000\d+ of \$0\.0005, \$0\.000\d+ over/),
    })
    const { content } = await session.execute('please ECHO')
    expect(content).toContain('please TOOL')
  })

  test('of model requests is kept by claude itself, without one request too many', async () => {
    const session = await create()
    await expect(session.execute('please TOOL', { budget: { turns: 1 } })).rejects.toMatchObject({
      code: 'BUDGET_EXCEEDED',
      message: expect.stringContaining('the turn made 1 of 1 model requests'),
    })
    expect(claude.server.requests.filter(({ usage }) => usage !== null)).toHaveLength(1)
    await session.execute('hello', { budget: { turns: 1 } })
    await session.execute('please TOOL', { budget: { turns: 2 } })
  })

  test('of a session refuses the turn after the one that used it up, also when it was loaded again', async () => {
    const session = await create({ budget: { costUsd: 0.0004 } })
    await expect(session.execute('one')).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' })
    const before = claude.server.requests.length
    await expect(session.execute('two')).rejects.toMatchObject({
      code: 'BUDGET_EXCEEDED',
      message: expect.stringContaining('the session used $0.000416 of $0.0004'),
    })
    await session.end()
    const loaded = await claude.loadSession(session.id, { ...DEFAULTS, budget: { costUsd: 0.0004 } })
    await expect(loaded.execute('three')).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' })
    expect(claude.server.requests.length).toBe(before)
  })
})
