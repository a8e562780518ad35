import { describe, expect, it } from 'vitest'

import { CancelledError, ExecEventType, ProcessCrashedError } from '../ts/index.js'
import { isRunning, openLifeline } from './support/lifeline.js'
import { chunksOf, executorOf, nextEvent, recordEvents, textOf } from './support/session.js'

describe('a StreamingExecutor', () => {
  it('runs every prompt in a process of its own, as a session of its own', async () => {
    const executor = executorOf('answers-with-its-pid')
    const first = await executor.execute('one')
    const second = await executor.execute('two')
    expect(Number(first.content)).toBeGreaterThan(0)
    expect(second.content).not.toBe(first.content)
    expect(second.sessionId).not.toBe(first.sessionId)
  })

  it('streams chunks and tells events like a session, the end included', async () => {
    const executor = executorOf('streams-deltas', { env: { FAKE_LINES: '4' } })
    const events = recordEvents(executor)
    const ended = nextEvent(executor, ExecEventType.SESSION_ENDED)
    const chunks = await chunksOf(executor.executeStreaming('hi'))
    expect(chunks.at(-1)).toMatchObject({ type: 'result', content: 'done' })
    expect((await ended).data).toEqual({ turns: 1 })
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
    expect(events.filter(({ type }) => type === 'text:delta').map(({ data }) => data)).toHaveLength(4)
  })

  it('lets the process go when the turn is over', async () => {
    const lifeline = await openLifeline()
    const executor = executorOf('answers-with-its-pid', { env: lifeline.env })
    const ended = nextEvent(executor, ExecEventType.SESSION_ENDED)
    await executor.execute('hi')
    await ended
    expect(isRunning(await lifeline.pid)).toBe(false)
  })

  it('lets the process go when the loop is left', async () => {
    const lifeline = await openLifeline()
    const executor = executorOf('waits-for-interrupt', { env: lifeline.env })
    const ended = nextEvent(executor, ExecEventType.SESSION_ENDED)
    const stream = executor.executeStreaming('hi')
    for await (const chunk of stream) {
      if (chunk.type === 'text_delta') {
        break
      }
    }
    await expect(stream.result).rejects.toThrow(CancelledError)
    await ended
    expect(isRunning(await lifeline.pid)).toBe(false)
  })

  it('runs several prompts at the same time, each stream with its own text', async () => {
    const executor = executorOf('answers-with-the-prompt')
    const prompts = ['one', 'two', 'three', 'four']
    const answers = await Promise.all(
      prompts.map(async (prompt) => textOf(await chunksOf(executor.executeStreaming(prompt)))),
    )
    expect(answers).toEqual(prompts)
  })

  it('rejects with a typed error when the turn fails', async () => {
    await expect(executorOf('exits-non-zero').execute('hi')).rejects.toThrow(ProcessCrashedError)
  })

  it('rejects an empty prompt and options that cannot be used', async () => {
    await expect(executorOf('answers-with-its-pid').execute('')).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    })
    await expect(executorOf('answers-with-its-pid', { flushMs: 99 }).execute('hi')).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    })
  })

  it('asks for permission like a session', async () => {
    const executor = executorOf('asks-permission', { onPermission: () => ({ behavior: 'allow' }) })
    const { content } = await executor.execute('clean up')
    expect(JSON.parse(content).behavior).toBe('allow')
  })
})
