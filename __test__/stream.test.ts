import { describe, expect, it } from 'vitest'
import { type Engine, type Taken, TURN_ENDED } from '../ts/engine.js'
import {
  type ErrorChunk,
  ExecEventType,
  InvalidInputError,
  type ModelUsage,
  ProcessCrashedError,
  type ResultChunk,
  SessionEndedError,
  type StreamChunk,
} from '../ts/index.js'
import { TurnStream } from '../ts/stream.js'
import { deltaText } from './support/fakes/text.mjs'
import { chunksOf, openSession, recordEvents, rejectionOf, textOf, typesOf } from './support/session.js'

describe('a stream', () => {
  it('gives all chunks in the order in which the agent said them, and the result last', async () => {
    const session = await openSession('says-everything', { allowAll: true })
    const chunks = await chunksOf(session.executeStreaming('look'))
    expect(typesOf(chunks)).toEqual([
      ...['status', 'status', 'status', 'status', 'usage', 'status', 'thinking', 'thinking', 'text_delta'],
      ...['tool_use', 'tool_parameters', 'tool_result', 'tool_use', 'tool_parameters'],
      ...['thinking', 'text_delta', 'tool_use', 'tool_parameters', 'tool_result', 'tool_result'],
      ...['unparsed', 'text_delta', 'usage', 'status', 'usage', 'result'],
    ])
    expect(textOf(chunks)).toBe('I will look. That is all.')
  })

  it('gives every chunk with all of its fields', async () => {
    const session = await openSession('says-everything', { allowAll: true })
    const chunks = await chunksOf(session.executeStreaming('look'))
    const duration = expect.any(Number)
    const sent = { input: 10, output: 1, cacheRead: 0, cacheWrite: 0, requests: 1 }
    const told: ModelUsage = {
      input: 10,
      output: 20,
      cacheRead: 4,
      cacheWrite: 2,
      costUsd: 0.25,
      costSource: 'agent',
    }
    const whole = { ...told, requests: 1, models: { 'fake-1': told } }
    const of = (usage: ModelUsage) => ({ ...usage, models: { 'fake-1': usage } })
    const expected: StreamChunk[] = [
      { type: 'status', status: 'starting' },
      {
        type: 'status',
        status: 'initialized',
        detail: { model: 'fake-1', permissionMode: 'default', agentVersion: '9.9.9' },
      },
      { type: 'status', status: 'requesting' },
      {
        type: 'status',
        status: 'retrying',
        detail: { attempt: 1, maxRetries: 10, delayMs: 500, errorStatus: 529 },
      },
      { type: 'usage', ...of(sent) },
      { type: 'status', status: 'context', detail: { tokens: 11 } },
      { type: 'thinking' },
      { type: 'thinking', content: 'Let me see.' },
      { type: 'text_delta', content: 'I will look. ' },
      { type: 'tool_use', tool: 'Read', id: 'read' },
      { type: 'tool_parameters', tool: 'Read', id: 'read', parameters: { file_path: 'a.txt' } },
      {
        type: 'tool_result',
        tool: 'Read',
        id: 'read',
        success: true,
        duration,
        data: { file: { numLines: 3 } },
      },
      { type: 'tool_use', tool: 'Task', id: 'task' },
      { type: 'tool_parameters', tool: 'Task', id: 'task', parameters: { description: 'look closer' } },
      { type: 'thinking', content: 'As a subagent.', parentToolUseId: 'task' },
      { type: 'text_delta', content: 'I am a subagent.', parentToolUseId: 'task' },
      { type: 'tool_use', tool: 'Grep', id: 'grep', parentToolUseId: 'task' },
      {
        type: 'tool_parameters',
        tool: 'Grep',
        id: 'grep',
        parameters: { pattern: 'x' },
        parentToolUseId: 'task',
      },
      {
        ...{ type: 'tool_result', tool: 'Grep', id: 'grep', success: false, duration },
        ...{ error: 'no such folder', data: 'no such folder', parentToolUseId: 'task' },
      },
      { type: 'tool_result', tool: 'Task', id: 'task', success: true, duration, data: 'closer' },
      { type: 'unparsed', line: 'this is no JSON', reason: expect.any(String) },
      { type: 'text_delta', content: 'That is all.' },
      { type: 'usage', ...of({ ...sent, output: 20 }) },
      { type: 'status', status: 'context', detail: { tokens: 30 } },
      { type: 'usage', ...whole },
      {
        ...{ type: 'result', content: 'I will look. That is all.', success: true, stopReason: 'end_turn' },
        usage: whole,
        ...{ durationMs: duration, turns: 2, agentSessionId: 'fake-session' },
      },
    ]
    expect(chunks).toEqual(expected)
  })

  it('has a result that tells how the turn went, with the tools in the order of their first use', async () => {
    const session = await openSession('says-everything', { allowAll: true })
    const stream = session.executeStreaming('look')
    const chunks = await chunksOf(stream)
    const { type: _, ...last } = chunks.at(-1) as ResultChunk
    expect(await stream.result).toEqual({
      ...last,
      toolsUsed: ['Read', 'Task', 'Grep'],
      sessionId: session.id,
      runId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
  })

  it('needs no loop for its result', async () => {
    const session = await openSession('streams-deltas', { env: { FAKE_LINES: '2000' } })
    const events = recordEvents(session)
    const { content, success } = await session.executeStreaming('hi').result
    expect({ content, success }).toEqual({ content: 'done', success: true })
    expect(events.filter(({ type }) => type === ExecEventType.TEXT_DELTA)).toHaveLength(2000)
  })

  it('gives the loop everything although the result is asked for before', async () => {
    const session = await openSession('streams-deltas', { env: { FAKE_LINES: '50' } })
    const stream = session.executeStreaming('hi')
    const { result } = stream
    expect(textOf(await chunksOf(stream))).toBe(
      Array.from({ length: 50 }, (_, index) => deltaText(index)).join(''),
    )
    expect((await result).content).toBe('done')
  })

  it('gives the same result to everybody who asks', async () => {
    const session = await openSession('answers-with-its-pid')
    const stream = session.executeStreaming('hi')
    expect(await stream.result).toBe(await stream.result)
  })

  it('answers several calls of next() in their order, although none was awaited', async () => {
    const session = await openSession('streams-deltas', { env: { FAKE_LINES: '30' } })
    const stream = session.executeStreaming('hi')
    const steps = await Promise.all(Array.from({ length: 40 }, () => stream.next()))
    const chunks = steps.flatMap(({ value }) => value ?? [])
    expect(textOf(chunks)).toBe(Array.from({ length: 30 }, (_, index) => deltaText(index)).join(''))
    expect(steps.map(({ done }) => done)).toEqual(steps.map((_, index) => index >= chunks.length))
    expect(chunks.at(-1)?.type).toBe('result')
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })

  it('waits for a loop that is slow, and loses nothing', async () => {
    const session = await openSession('streams-deltas', { env: { FAKE_LINES: '300' } })
    const chunks: StreamChunk[] = []
    for await (const chunk of session.executeStreaming('hi')) {
      await new Promise((resolve) => setImmediate(resolve))
      chunks.push(chunk)
    }
    expect(textOf(chunks)).toBe(Array.from({ length: 300 }, (_, index) => deltaText(index)).join(''))
  })

  it('gathers for at most `flushMs`, and loses nothing', async () => {
    const session = await openSession('streams-deltas', { flushMs: 16, env: { FAKE_LINES: '5000' } })
    const chunks = await chunksOf(session.executeStreaming('hi'))
    expect(textOf(chunks)).toBe(Array.from({ length: 5000 }, (_, index) => deltaText(index)).join(''))
  })
})

describe('an agent that is faster than its consumer', () => {
  /** The stream of a turn that always has more, until the event loop has had so many turns. */
  function endlessStream(turns: number): TurnStream {
    let left = turns
    setImmediate(function turn() {
      left--
      if (left > 0) {
        setImmediate(turn)
      }
    })
    const take = (): Taken => (left > 0 ? { type: 'text_delta', content: 'more' } : TURN_ENDED)
    return new TurnStream({ take, begin: () => {}, runId: 'run-1' } as unknown as Engine, 'hi', {})
  }

  // Timers fire, signals are heard and output is written in these turns; without them neither would ever end.
  it('does not keep the event loop from turning while a loop reads', async () => {
    for await (const chunk of endlessStream(5)) {
      expect(chunk.type).toBe('text_delta')
    }
  })

  it('does not keep the event loop from turning while nobody reads', async () => {
    await rejectionOf(endlessStream(5).result)
  })
})

describe('a stream of a turn that fails', () => {
  it('ends with an error and a result while its `result` rejects with the same', async () => {
    const session = await openSession('exits-non-zero')
    const stream = session.executeStreaming('hi')
    const chunks = await chunksOf(stream)
    const [error, result] = chunks.slice(-2) as [ErrorChunk, ResultChunk]
    expect(error).toEqual({
      type: 'error',
      error: 'claude ended in the middle of the turn (exit code 7)',
      code: 'PROCESS_CRASHED',
      retryable: true,
      exitCode: 7,
      stderrTail: 'fake: the disk is full',
    })
    expect(result).toMatchObject({ type: 'result', success: false, content: '', stopReason: 'error' })
    expect(textOf(chunks)).toBe('half an ans')
    const failure = await rejectionOf(stream.result)
    expect(failure).toBeInstanceOf(ProcessCrashedError)
    expect(failure).toMatchObject({
      ...{
        code: 'PROCESS_CRASHED',
        retryable: true,
        exitCode: 7,
        stderrTail: 'fake: the disk is full',
        result,
      },
      message: error.error,
    })
  })

  it('rejects the result also where nobody iterates', async () => {
    const session = await openSession('exits-without-result')
    await expect(session.executeStreaming('hi').result).rejects.toMatchObject({
      code: 'NO_RESULT',
      exitCode: 0,
    })
  })

  it('does not trouble anybody who does not ask for its result', async () => {
    const session = await openSession('exits-non-zero')
    // An unhandled rejection would fail the whole run.
    await chunksOf(session.executeStreaming('hi'))
  })
})

describe('a stream of a turn that cannot begin', () => {
  it('throws in the loop and rejects its result', async () => {
    const session = await openSession('answers-with-its-pid')
    const stream = session.executeStreaming('')
    await expect(chunksOf(stream)).rejects.toThrow(InvalidInputError)
    await expect(stream.result).rejects.toThrow(InvalidInputError)
  })

  it('throws once, and then is at its end', async () => {
    const session = await openSession('answers-with-its-pid')
    await session.end()
    const stream = session.executeStreaming('hi')
    await expect(stream.next()).rejects.toThrow(SessionEndedError)
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    await stream.cancel()
  })

  it('leaves the session usable', async () => {
    const session = await openSession('answers-with-the-prompt')
    await rejectionOf(session.execute(' '))
    expect((await session.execute('hi')).content).toBe('hi')
  })
})

it('a session tells also what its agent says between two turns', async () => {
  const session = await openSession('speaks-after-its-result')
  const tidying = new Promise((resolve) => {
    session.on(ExecEventType.STATUS_CHANGED, ({ data }) => data.status === 'tidying' && resolve(data))
  })
  await chunksOf(session.executeStreaming('hi'))
  expect(await tidying).toEqual({ status: 'tidying' })
})
