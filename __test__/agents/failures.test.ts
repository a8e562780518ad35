import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import {
  type ErrorCode,
  type ExecError,
  type ExecSession,
  errorInfo,
  HistoryStore,
  type SessionOptions,
} from '../../ts/index.js'
import { RealClaude } from './real-agent.js'

const claude = new RealClaude()

/** A session whose claude tries a request again so often by itself. */
function createSession(options: SessionOptions = {}, retriesOfClaude = '0'): Promise<ExecSession> {
  const env = { ...claude.environment(), CLAUDE_CODE_MAX_RETRIES: retriesOfClaude }
  return claude.createSession({ env, retry: { delayMs: 1 }, ...options })
}

const requests = () => claude.server.requests.filter(({ path }) => path === '/v1/messages').length

interface Failure {
  keywords: string
  code: ErrorCode
  /** Attempts of the engine. */
  attempts: number
  /** What the API was asked, where claude asks once for an attempt. */
  requests?: number
  message: RegExp
  options?: SessionOptions
  /** What claude tries again by itself. */
  retriesOfClaude?: string
}

const FAILURES: Failure[] = [
  { keywords: 'ERR400', code: 'API_ERROR', attempts: 1, message: /API Error: 400/ },
  { keywords: 'ERR401', code: 'AUTH', attempts: 1, requests: 1, message: /Failed to authenticate/ },
  { keywords: 'ERR429', code: 'RATE_LIMIT', attempts: 3, requests: 3, message: /\(429\)/ },
  { keywords: 'ERR429 BARE', code: 'RATE_LIMIT', attempts: 3, requests: 3, message: /\(429\)/ },
  { keywords: 'ERR500', code: 'OVERLOADED', attempts: 3, requests: 3, message: /API Error: 500/ },
  { keywords: 'ERR529', code: 'OVERLOADED', attempts: 3, requests: 3, message: /API Error: 529/ },
  // Three tries are three, whoever makes them: two of claude's in the first attempt leave one.
  {
    ...{ keywords: 'ERR529', code: 'OVERLOADED', attempts: 2, requests: 4, message: /API Error: 529/ },
    retriesOfClaude: '1',
  },
  {
    ...{ keywords: 'HANG', code: 'IDLE_TIMEOUT', attempts: 2, requests: 2, message: /silent for 2s/ },
    options: { timeouts: { idleMs: 2000 }, retry: { tries: 2, delayMs: 1 } },
  },
]

describe('a turn of the real claude that fails', () => {
  test.each(FAILURES)(
    '$keywords: $code after $attempts attempts, with a remedy, and saved',
    async ({ keywords, code, attempts, message, options, retriesOfClaude, ...expected }) => {
      const session = await createSession(options, retriesOfClaude)
      const failure = (await session.execute(`please ${keywords}`).then(
        () => expect.unreachable('it fails'),
        (error: unknown) => error,
      )) as ExecError
      expect(failure).toMatchObject({ code, message: expect.stringMatching(message) })
      expect(failure.attempts?.length ?? 1).toBe(attempts)
      if (expected.requests !== undefined) {
        expect(requests()).toBe(expected.requests)
      }
      expect(failure.remedy).toBe(errorInfo(code).remedy)
      const stored = await new HistoryStore({ projectPath: claude.project }).read(session.id)
      expect(stored.messages).toMatchObject([
        { role: 'user', content: `please ${keywords}` },
        { role: 'assistant', metadata: { errorCode: code } },
      ])
      expect(stored.records.filter(({ type }) => type === 'retry')).toHaveLength(attempts - 1)
    },
  )

  test('RATE429: succeeds at the third try, and says what came between', async () => {
    const session = await createSession()
    const retries: unknown[] = []
    session.on('retry:scheduled', ({ data }) => retries.push([data.attempt, data.code, data.how]))
    expect((await session.execute('please RATE429')).content).toContain('stand-in model')
    expect(retries).toEqual([
      [2, 'RATE_LIMIT', 'repeat'],
      [3, 'RATE_LIMIT', 'repeat'],
    ])
    expect(requests()).toBe(3)
  })

  test('CUT: claude asks again by itself, and the answer is whole', async () => {
    const session = await createSession({}, '3')
    const { content } = await session.execute('please CUT')
    expect(content).toBe('Hello from the stand-in model.')
    const stored = await new HistoryStore({ projectPath: claude.project }).read(session.id)
    expect(stored.messages[1]?.content.endsWith(content)).toBe(true)
  })

  test('kill -9 in the middle of an answer: the turn is tried again with a new process', async () => {
    const pidFile = join(claude.project, 'pid')
    const wrapper = ['/bin/sh', '-c', 'echo $$ >"$0"; exec "$@"', pidFile]
    const session = await createSession({ wrapper })
    const codes: string[] = []
    session.on('retry:scheduled', ({ data }) => codes.push(data.code))
    const result = session.execute('please GATE')
    await claude.server.gated()
    await new Promise((resolve) => session.once('text:delta', resolve))
    const first = Number(readFileSync(pidFile, 'utf8'))
    process.kill(first, 'SIGKILL')
    await new Promise((resolve) => session.once('text:delta', resolve))
    await claude.server.gated()
    claude.server.release()
    expect((await result).content).toBe('Hello from the stand-in model.')
    expect(codes).toEqual(['KILLED_BY_SIGNAL'])
    expect(Number(readFileSync(pidFile, 'utf8'))).not.toBe(first)
    await session.end()
    const { messages } = await new HistoryStore({ projectPath: claude.project }).read(session.id)
    expect(messages.map(({ content }) => content)).toEqual(['please GATE', 'Hello from the stand-in model.'])
  })

  test('kill -9 after a tool has changed something: the agent goes on, and the tool ran once', async () => {
    const [pidFile, file] = [join(claude.project, 'pid'), join(claude.project, 'made.txt')]
    const wrapper = ['/bin/sh', '-c', 'echo $$ >"$0"; exec "$@"', pidFile]
    const session = await createSession({ wrapper, allowedTools: ['Write'] })
    const used: string[] = []
    const ways: string[] = []
    session.on('tool:completed', ({ data }) => {
      used.push(data.toolName)
      process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL')
    })
    session.on('retry:scheduled', ({ data }) => ways.push(data.how))
    await session.execute(`please WRITETOOL path=${file}`)
    expect(ways).toEqual(['continue'])
    expect(used).toEqual(['Write'])
    const prompts = claude.server.requests.at(-1)?.prompts ?? []
    expect(prompts.at(-1)).toContain('Go on from where it stopped')
    expect(prompts.join('\n')).toContain('"lastTool":"Write"')
  })
})
