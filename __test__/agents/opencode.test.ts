import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'

import type { SessionOptions } from '../../ts/index.js'
import { chunksOf } from '../support/session.js'
import { markedProcesses } from './marked-processes.js'
import { opencodeEnv } from './opencode-env.mjs'
import { RealOpencode } from './real-agent.js'

const opencode = new RealOpencode()

/** Some tests start it five times, which takes seconds each. */
const timeout = 180_000

describe('opencode by its JSON stream, where nobody can be asked', () => {
  /** A session with one whose own settings allow everything. */
  function trusting(options: SessionOptions) {
    const permission = { bash: 'allow', edit: 'allow', '*': 'allow' }
    const env = opencodeEnv(opencode.server.url, { home: opencode.home, permission })
    return opencode.createSession({ provider: 'opencode-json', save: false, env, ...options })
  }

  /** Whether it made a file. */
  async function makes(options: SessionOptions): Promise<boolean> {
    const file = join(opencode.project, `${randomUUID()}.txt`)
    const session = await trusting(options)
    await session.execute(`please WRITETOOL path=<${file}>`)
    return existsSync(file)
  }

  /** What its shell printed, in a tool of its own or in those of a subagent. */
  async function shellSaid(prompt: string, options: SessionOptions): Promise<boolean> {
    const chunks = await chunksOf((await trusting(options)).executeStreaming(prompt))
    const results = chunks.filter((chunk) => chunk.type === 'tool_result')
    expect(results).toHaveLength(1)
    // A subagent's answer does not repeat what its tools printed.
    return results.some(
      (result) => result.success && /hi-from-shell|what came of it/.test(String(result.data)),
    )
  }

  test('changes files only where that is allowed, whatever its own settings say', { timeout }, async () => {
    expect(await makes({})).toBe(false)
    expect(await makes({ allowedTools: ['edit'] })).toBe(true)
    expect(await makes({ allowAll: true, deniedTools: ['write'] })).toBe(false)
    expect(await makes({ allowAll: true, permissionMode: 'plan' })).toBe(false)
  })

  test('runs only the commands that are allowed, in subagents, too', { timeout }, async () => {
    expect(await shellSaid('please TOOL', {})).toBe(false)
    expect(await shellSaid('please TOOL', { allowedTools: ['bash(echo *)'] })).toBe(true)
    expect(await shellSaid('please TOOL', { allowedTools: ['bash'], deniedTools: ['bash(echo hi*)'] })).toBe(
      false,
    )
    expect(await shellSaid('please AGENT', {})).toBe(false)
    expect(await shellSaid('please AGENT', { allowedTools: ['bash'] })).toBe(true)
  })

  test.runIf(process.platform === 'linux')(
    'leaves nothing behind when it is stopped while a tool runs',
    { timeout },
    async () => {
      const [name, value] = ['LOCUS_TEST_MARKER', randomUUID()]
      const marked = () => markedProcesses(`${name}=${value}`)
      const session = await opencode.createSession({
        provider: 'opencode-json',
        allowAll: true,
        env: { ...opencode.environment(), [name]: value },
      })
      const failed = session.execute('please SLEEPTOOL').catch(({ code }) => code)
      const sleepers = () => marked().filter((it) => it.includes('setTimeout') && !it.includes('&'))
      await vi.waitFor(() => expect(sleepers()).toHaveLength(2), { timeout: 40_000 })
      await session.cancel()
      expect(await failed).toBe('CANCELLED')
      await vi.waitFor(() => expect(marked()).toEqual([]), { timeout: 10_000 })
      expect((await session.execute('please ECHO')).content).toContain('please SLEEPTOOL')
    },
  )
})

describe('opencode by ACP', () => {
  test('tells what a turn cost, its requests all together, and how full the window is', async () => {
    const session = await opencode.createSession({ allowAll: true, save: false })
    const chunks = await chunksOf(session.executeStreaming('please TOOL'))
    const end = chunks.findLast((chunk) => chunk.type === 'result')
    // 25 and 15 tokens, and 7 out of the cache, at 3, 15 and 0.3 dollars for a million; twice.
    expect(end?.usage.costUsd).toBeCloseTo(2 * 0.0003021, 8)
    expect(chunks).toContainEqual({
      type: 'status',
      status: 'context',
      detail: { tokens: expect.any(Number), window: 200_000 },
    })
  })
})
