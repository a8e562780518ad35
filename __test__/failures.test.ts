import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

import { type ErrorCode, type ExecError, errorInfo, HistoryStore, type SessionOptions } from '../ts/index.js'
import { fakeAgent } from './support/fakes.js'
import { temporaryFolder } from './support/folder.js'
import { type Step, script } from './support/script.js'
import { openSession, rejectionOf } from './support/session.js'

interface Failure {
  name: string
  code: ErrorCode
  /** How often the agent is given the prompt. */
  attempts: number
  executable?: string
  prompt?: string
  options?: SessionOptions
  /** What the agent does for each prompt, for `follows-a-script`. */
  steps?: Step[]
}

/** A fake of the Rust tests. */
const fakeOfRust = (name: string) => fileURLToPath(new URL(`../tests/agents/${name}`, import.meta.url))

const thrice = (step: Step): Step[] => [step, step, step]
const refused = (status: number, more: object = {}) =>
  thrice({ result: { api_error_status: status, ...more } })

/** How turns fail: what is tried again, how often, and what it is called in the end. With the real claude: agents/failures.test.ts. */
const FAILURES: Failure[] = [
  { name: 'a missing executable', code: 'CLI_NOT_FOUND', attempts: 1, executable: '/nowhere/claude' },
  {
    ...{ name: 'an agent that leaves without reading 10 MB (EPIPE)', code: 'PROCESS_CRASHED', attempts: 3 },
    ...{ executable: fakeOfRust('exits-without-reading'), prompt: 'x'.repeat(10_000_000) },
  },
  { name: 'no login', code: 'AUTH', attempts: 1, executable: fakeOfRust('is-not-logged-in') },
  { name: 'kill -9', code: 'KILLED_BY_SIGNAL', attempts: 3, steps: thrice({ text: 'Half', kill: true }) },
  { name: 'a crash', code: 'PROCESS_CRASHED', attempts: 3, steps: thrice({ exit: 7 }) },
  {
    name: 'an exit without a result',
    code: 'NO_RESULT',
    attempts: 3,
    steps: thrice({ text: 'Hm', exit: 0 }),
  },
  {
    ...{ name: 'silence', code: 'IDLE_TIMEOUT', attempts: 3, steps: thrice({ silent: true }) },
    options: { timeouts: { idleMs: 200, settleMs: 100 } },
  },
  { name: 'a garbled protocol', code: 'PROTOCOL', attempts: 1, executable: fakeAgent('prints-garbage') },
  { name: 'status 400', code: 'API_ERROR', attempts: 1, steps: refused(400) },
  {
    ...{ name: 'a prompt that is too long', code: 'CONTEXT_LIMIT', attempts: 1 },
    steps: refused(400, { result: 'prompt is too long: 210000 tokens > 200000 maximum' }),
  },
  { name: 'status 401', code: 'AUTH', attempts: 1, steps: refused(401) },
  { name: 'status 429', code: 'RATE_LIMIT', attempts: 3, steps: refused(429) },
  { name: 'status 500', code: 'OVERLOADED', attempts: 3, steps: refused(500) },
  { name: 'status 529', code: 'OVERLOADED', attempts: 3, steps: refused(529) },
  {
    ...{ name: 'a broken connection', code: 'NETWORK_ERROR', attempts: 3 },
    steps: thrice({ result: { api_error: 'connection_failed' } }),
  },
  {
    ...{ name: 'the limit of model requests', code: 'MAX_TURNS', attempts: 1 },
    steps: thrice({ result: { subtype: 'error_max_turns' } }),
  },
  {
    ...{ name: 'a crash after a change', code: 'PROCESS_CRASHED', attempts: 3 },
    steps: thrice({ tool: 'Write', exit: 7 }),
  },
]

describe('a turn that fails', () => {
  it.each(FAILURES)('of $name: $code after $attempts attempts, with a remedy, and saved', async (failure) => {
    const { code, attempts, executable = fakeAgent('follows-a-script'), prompt = 'do it', options } = failure
    const { env, told } = script(...(failure.steps ?? []))
    const projectPath = temporaryFolder()
    const session = await openSession('follows-a-script', {
      ...{ projectPath, executable, env, retry: { delayMs: 1 } },
      ...options,
    })
    const error = (await rejectionOf(session.execute(prompt))) as ExecError
    expect([error.code, error.remedy]).toEqual([code, errorInfo(code).remedy])
    expect(error.attempts?.map(({ attempt }) => attempt) ?? [1]).toEqual(
      Array.from({ length: attempts }, (_, index) => index + 1),
    )
    if (failure.steps) {
      expect(told()).toHaveLength(attempts)
    }
    await session.end()
    const { messages, records } = await new HistoryStore({ projectPath }).read(session.id)
    expect(messages).toMatchObject([
      { role: 'user', content: prompt },
      { role: 'assistant', metadata: { errorCode: code } },
    ])
    expect(records.filter(({ type }) => type === 'retry')).toHaveLength(attempts - 1)
  })
})
