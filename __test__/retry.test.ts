import { describe, expect, it, vi } from 'vitest'

import {
  CancelledError,
  ExecEventType,
  HistoryStore,
  NetworkError,
  RateLimitError,
  type RetryContext,
  RetryManager,
  type RetryPolicy,
  type ScheduledRetry,
} from '../ts/index.js'
import { temporaryFolder } from './support/folder.js'
import { script } from './support/script.js'
import { chunksOf, nextEvent, openSession, recordEvents, rejectionOf } from './support/session.js'

/** Three tries, with waits that take no time. */
const QUICK: RetryPolicy = { delayMs: 1 }

describe('a turn that fails of something that may pass', () => {
  it('is tried again, and its stream has one result and says what is void', async () => {
    const { env, told } = script({ text: 'Half of', kill: true }, { result: { api_error_status: 529 } })
    const session = await openSession('follows-a-script', { env, retry: QUICK })
    const events = recordEvents(session)
    const chunks = await chunksOf(session.executeStreaming('do it'))
    expect(chunks.filter(({ type }) => type === 'result')).toMatchObject([
      { success: true, content: 'It is done.' },
    ])
    expect(chunks.filter(({ type }) => type === 'error')).toEqual([])
    const retrying = chunks.filter((chunk) => chunk.type === 'status' && chunk.status === 'retrying')
    expect(retrying).toMatchObject([
      { detail: { attempt: 1, maxRetries: 2, code: 'KILLED_BY_SIGNAL', how: 'repeat' } },
      { detail: { attempt: 2, maxRetries: 2, code: 'OVERLOADED', how: 'repeat' } },
    ])
    const scheduled = events.filter(({ type }) => type === ExecEventType.RETRY_SCHEDULED)
    expect(scheduled.map(({ data }) => data)).toMatchObject([
      { attempt: 2, maxTries: 3, code: 'KILLED_BY_SIGNAL', how: 'repeat' },
      { attempt: 3, maxTries: 3, code: 'OVERLOADED', how: 'repeat' },
    ])
    expect(told()).toHaveLength(3)
  })

  it('has in its history only what is not void', async () => {
    const projectPath = temporaryFolder()
    const { env } = script({ text: 'Half of', kill: true })
    const session = await openSession('follows-a-script', { env, retry: QUICK, projectPath })
    await session.execute('do it')
    await session.end()
    const { messages, records } = await new HistoryStore({ projectPath }).read(session.id)
    expect(messages.map(({ content }) => content)).toEqual(['do it', 'It is done.'])
    expect(records.find(({ type }) => type === 'retry')).toMatchObject({
      ...{ attempt: 2, errorCode: 'KILLED_BY_SIGNAL', how: 'repeat' },
    })
  })

  it('is not tried again where that is not wished', async () => {
    const { env, told } = script({ kill: true })
    const session = await openSession('follows-a-script', { env, retry: QUICK })
    expect(await rejectionOf(session.execute('do it', { retry: false }))).toMatchObject({
      code: 'KILLED_BY_SIGNAL',
    })
    expect(told()).toHaveLength(1)
  })

  it('fails with what all its attempts failed of', async () => {
    const { env } = script({ kill: true }, { exit: 7 }, { kill: true })
    const session = await openSession('follows-a-script', { env, retry: QUICK })
    expect(await rejectionOf(session.execute('do it'))).toMatchObject({
      code: 'KILLED_BY_SIGNAL',
      attempts: [
        { attempt: 1, code: 'KILLED_BY_SIGNAL' },
        { attempt: 2, code: 'PROCESS_CRASHED' },
        { attempt: 3, code: 'KILLED_BY_SIGNAL' },
      ],
    })
  })

  it('is not repeated once a tool was used that changes things: the agent is told to go on', async () => {
    const { env, told } = script({ tool: 'Write', exit: 1 }, { exit: 1 })
    const session = await openSession('follows-a-script', { env, retry: QUICK })
    await session.execute('write it')
    expect(told().map(({ prompt }) => prompt.includes('write it'))).toEqual([true, false, false])
    expect(told()[1]?.args).toContain('--resume=fake-session')
  })

  it('asks for consent where that is wished, and goes on with what is known', async () => {
    const { env, told } = script({ tool: 'Write', exit: 1 })
    const session = await openSession('follows-a-script', { env, retry: { ...QUICK, afterChanges: 'ask' } })
    const error = (await rejectionOf(session.execute('write it'))) as NetworkError
    expect(error).toMatchObject({ code: 'PROCESS_CRASHED', needsConsent: true })
    const failures = [{ attempt: 1, code: error.code, message: error.message, lastTool: 'Write' }]
    const retryContext: RetryContext = { failures, hypothesis: 'the file is locked' }
    await session.execute('look first', { retryContext })
    expect(told()[1]?.prompt).toMatch(
      /^look first\n\n<earlier_attempts>\n\{.*"hypothesis":"the file is locked"\}/,
    )
  })

  it('is tried again after a tool that only looks', async () => {
    const { env, told } = script({ tool: 'Read', exit: 1 })
    const session = await openSession('follows-a-script', { env, retry: QUICK })
    await session.execute('read it')
    expect(told()[1]?.prompt).toMatch(/^read it\n/)
  })

  it('can be cancelled while it waits', async () => {
    const { env } = script({ kill: true })
    const retry = { delayMs: 3_600_000, maxDelayMs: 3_600_000, maxTotalMs: 3_600_000, jitter: false }
    const session = await openSession('follows-a-script', { env, retry })
    const controller = new AbortController()
    const stream = session.executeStreaming('do it', { signal: controller.signal })
    const scheduled = nextEvent(session, ExecEventType.RETRY_SCHEDULED)
    const chunks = chunksOf(stream)
    expect((await scheduled).data.delayMs).toBe(3_600_000)
    controller.abort()
    await chunks
    expect(await rejectionOf(stream.result)).toBeInstanceOf(CancelledError)
  })
})

describe('the policy of retries', () => {
  const BAD: [RetryPolicy, RegExp][] = [
    [{ tries: -1 }, /'retry.tries' must be a whole number/],
    [{ factor: 0.5 }, /'retry.factor' must be a number from 1, not 0.5/],
    [{ jitter: 'yes' as never }, /'retry.jitter' must be a boolean/],
    [{ afterChanges: 'never' as never }, /'retry.afterChanges' must be 'continue' or 'ask'/],
  ]

  it.each(BAD)('is refused where it cannot be used: %j', async (retry, message) => {
    await expect(openSession('answers-with-the-prompt', { retry })).rejects.toThrow(message)
    expect(() => new RetryManager(retry)).toThrow(message)
  })

  it('is refused for a turn, too', async () => {
    const session = await openSession('answers-with-the-prompt')
    const failure = rejectionOf(session.execute('hi', { retry: { tries: 1.5 } }))
    expect(await failure).toMatchObject({ code: 'INVALID_INPUT' })
    const odd = rejectionOf(session.execute('hi', { retryContext: { failures: 3 } as never }))
    expect(await odd).toMatchObject({ code: 'INVALID_INPUT', message: /retryContext/ })
  })
})

describe('a RetryManager', () => {
  it('tries a function until it succeeds, and tells it what happened before', async () => {
    const seen: RetryContext[] = []
    const retries: ScheduledRetry[] = []
    const answer = await new RetryManager(QUICK).run(
      ({ attempt, context }) => {
        seen.push(context)
        if (attempt < 3) throw Object.assign(new Error('connect failed'), { code: 'ECONNREFUSED' })
        return attempt
      },
      { onRetry: (retry) => retries.push(retry) },
    )
    expect(answer).toBe(3)
    expect(seen.map(({ failures }) => failures.length)).toEqual([0, 1, 2])
    expect(retries.map(({ attempt, error }) => [attempt, error.code])).toEqual([
      [2, 'NETWORK_ERROR'],
      [3, 'NETWORK_ERROR'],
    ])
  })

  it('gives up after three tries, with all that failed', async () => {
    const operation = vi.fn(() => Promise.reject(new Error('fetch failed')))
    const error = await rejectionOf(new RetryManager(QUICK).run(operation))
    expect(error).toBeInstanceOf(NetworkError)
    expect(error).toMatchObject({ attempts: [{ attempt: 1 }, { attempt: 2 }, { attempt: 3 }] })
    expect(operation).toHaveBeenCalledTimes(3)
  })

  it('fails at once where another try is of no use', async () => {
    const operation = vi.fn(() => Promise.reject(new TypeError('x is undefined')))
    expect(await rejectionOf(new RetryManager(QUICK).run(operation))).toMatchObject({ code: 'UNKNOWN' })
    expect(operation).toHaveBeenCalledTimes(1)
  })

  it('waits as long as a limit asks for, which uses up no try', async () => {
    const delays: number[] = []
    const limited = new RateLimitError('RATE_LIMIT', 'slow down', { retryable: true, retryAfterMs: 5 })
    const operation = vi.fn(({ attempt }: { attempt: number }) => {
      if (attempt <= 4) throw limited
      return 'done'
    })
    const onRetry = ({ delayMs }: ScheduledRetry) => delays.push(delayMs)
    expect(await new RetryManager({ tries: 2 }).run(operation, { onRetry })).toBe('done')
    expect(delays).toEqual([5, 5, 5, 5])
    const long = new RateLimitError('RATE_LIMIT', 'slow down', { retryable: true, retryAfterMs: 61_000 })
    expect(await rejectionOf(new RetryManager().run(() => Promise.reject(long)))).toBe(long)
  })

  it('stops waiting when its signal is aborted', async () => {
    const controller = new AbortController()
    const running = new RetryManager({
      delayMs: 3_600_000,
      maxDelayMs: 3_600_000,
      jitter: false,
      maxTotalMs: 3_600_000,
    }).run(() => Promise.reject(new Error('fetch failed')), {
      signal: controller.signal,
      onRetry: () => controller.abort('enough'),
    })
    const error = await rejectionOf(running)
    expect(error).toBeInstanceOf(CancelledError)
    expect((error as CancelledError).cause).toBe('enough')
  })
})
