import { getEventListeners } from 'node:events'

import { describe, expect, it } from 'vitest'

import { CancelledError, ExecEventType, type ExecSession, type StreamChunk } from '../ts/index.js'
import { isRunning, openLifeline } from './support/lifeline.js'
import {
  chunksOf,
  nextEvent,
  openSession,
  recordEvents,
  rejectionOf,
  textOf,
  typesOf,
} from './support/session.js'

const CANCELLED = [
  { type: 'error', code: 'CANCELLED', error: 'the turn was cancelled', retryable: false },
  { type: 'result', success: false, content: '', stopReason: 'cancelled' },
]

/** Runs a turn until the agent has answered. */
async function expectNextTurnToRun(session: ExecSession): Promise<void> {
  let answer = ''
  for await (const chunk of session.executeStreaming('the next turn')) {
    if (chunk.type === 'text_delta') {
      answer = chunk.content
      break
    }
  }
  // An agent that was not given the prompt of the cancelled turn is told of it with this one.
  expect(answer).toMatch(/(for |\n\n)the next turn$/)
}

describe('break', () => {
  it('stops the turn, keeps the process, and frees the session', async () => {
    const session = await openSession('waits-for-interrupt')
    const pids: string[] = []
    for (let turn = 0; turn < 3; turn++) {
      for await (const chunk of session.executeStreaming('hi')) {
        if (chunk.type === 'text_delta') {
          pids.push(chunk.content)
          break
        }
      }
    }
    expect(pids).toHaveLength(3)
    expect(new Set(pids).size).toBe(1)
  })

  it('stops an agent that talks without end', async () => {
    const session = await openSession('streams-until-interrupted')
    const events = recordEvents(session)
    let count = 0
    for await (const chunk of session.executeStreaming('hi')) {
      if (chunk.type === 'text_delta' && ++count === 5) {
        break
      }
    }
    expect(count).toBe(5)
    expect(events.at(-1)).toMatchObject({
      type: 'turn:completed',
      data: { success: false, code: 'CANCELLED' },
    })
  })

  it('makes the result reject', async () => {
    const session = await openSession('waits-for-interrupt')
    const stream = session.executeStreaming('hi')
    for await (const chunk of stream) {
      if (chunk.type === 'text_delta') {
        break
      }
    }
    await expect(stream.result).rejects.toThrow(CancelledError)
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })

  it('before the first chunk stops the turn as well', async () => {
    const session = await openSession('waits-for-interrupt')
    for await (const _ of session.executeStreaming('hi')) {
      break
    }
    await expectNextTurnToRun(session)
  })

  it('after the result does nothing', async () => {
    const session = await openSession('answers-with-its-pid')
    const stream = session.executeStreaming('hi')
    for await (const chunk of stream) {
      if (chunk.type === 'result') {
        break
      }
    }
    expect((await stream.result).success).toBe(true)
  })

  it('by an exception in the loop stops the turn as well', async () => {
    const session = await openSession('waits-for-interrupt')
    const stream = session.executeStreaming('hi')
    const loop = (async () => {
      for await (const chunk of stream) {
        if (chunk.type === 'text_delta') {
          throw new Error('the loop failed')
        }
      }
    })()
    await expect(loop).rejects.toThrow('the loop failed')
    await expect(stream.result).rejects.toThrow(CancelledError)
  })
})

describe('return() and throw()', () => {
  it('return() resolves when the turn is over, and drops what was not read', async () => {
    const session = await openSession('waits-for-interrupt')
    const events = recordEvents(session)
    const stream = session.executeStreaming('hi')
    await readUntilText(stream)
    expect(await stream.return()).toEqual({ done: true, value: undefined })
    expect(events.at(-1)?.type).toBe('turn:completed')
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })

  it('throw() rejects with its error when the turn is over', async () => {
    const session = await openSession('waits-for-interrupt')
    const events = recordEvents(session)
    const stream = session.executeStreaming('hi')
    await readUntilText(stream)
    await expect(stream.throw(new Error('enough'))).rejects.toThrow('enough')
    expect(events.at(-1)?.type).toBe('turn:completed')
  })

  it('`await using` stops the turn', async () => {
    const session = await openSession('waits-for-interrupt')
    const stream = session.executeStreaming('hi')
    await readUntilText(stream)
    await stream[Symbol.asyncDispose]()
    await expect(stream.result).rejects.toThrow(CancelledError)
  })
})

describe('cancel()', () => {
  it('gives the loop the error and the result, and then its end', async () => {
    const session = await openSession('waits-for-interrupt')
    const stream = session.executeStreaming('hi')
    const said = nextEvent(session, ExecEventType.TEXT_DELTA)
    const loop = chunksOf(stream)
    await said
    await stream.cancel()
    const chunks = await loop
    expect(chunks.slice(-2)).toMatchObject(CANCELLED)
    expect(textOf(chunks)).toContain('for hi')
    await expect(stream.result).rejects.toThrow(CancelledError)
  })

  it('inside of the loop gives the loop the rest of the turn', async () => {
    const session = await openSession('waits-for-interrupt')
    const stream = session.executeStreaming('hi')
    const chunks: StreamChunk[] = []
    for await (const chunk of stream) {
      chunks.push(chunk)
      if (chunk.type === 'text_delta') {
        await stream.cancel()
        await stream.cancel()
      }
    }
    expect(chunks.slice(-2)).toMatchObject(CANCELLED)
    expect(typesOf(chunks).filter((type) => type === 'result')).toHaveLength(1)
  })

  it('frees the session for the next turn before the loop has read to its end', async () => {
    const session = await openSession('waits-for-interrupt')
    const stream = session.executeStreaming('first')
    for await (const chunk of stream) {
      if (chunk.type === 'text_delta' && chunk.content.endsWith('first')) {
        await stream.cancel()
        await expectNextTurnToRun(session)
      }
    }
    expect(textOf(await chunksOf(stream))).toBe('')
  })

  it('works while nobody reads, although the agent talks without end', async () => {
    const session = await openSession('streams-until-interrupted')
    const stream = session.executeStreaming('hi')
    await stream.cancel()
    const chunks = await chunksOf(stream)
    expect(chunks.slice(-2)).toMatchObject(CANCELLED)
    await expect(stream.result).rejects.toThrow(CancelledError)
  })

  it('right after the start is not lost', async () => {
    const session = await openSession('waits-for-interrupt')
    for (let turn = 0; turn < 200; turn++) {
      const stream = session.executeStreaming(`turn ${turn}`)
      await stream.cancel()
      await expect(stream.result).rejects.toThrow(CancelledError)
    }
  })

  it('ends an agent that heeds nothing, with all deadlines kept', async () => {
    const lifeline = await openLifeline()
    const timeouts = { settleMs: 20, graceMs: 20 }
    const session = await openSession('ignores-interrupts', { env: lifeline.env, timeouts })
    const stream = session.executeStreaming('hi')
    const said = nextEvent(session, ExecEventType.TEXT_DELTA)
    const loop = chunksOf(stream)
    await said
    const pid = await lifeline.pid
    await stream.cancel()
    expect(isRunning(pid)).toBe(false)
    expect((await loop).slice(-2)).toMatchObject(CANCELLED)
    await lifeline.closed
  })

  it('of the session does the same as that of the stream, for the loop and for the next turn', async () => {
    const session = await openSession('waits-for-interrupt')
    const stream = session.executeStreaming('first')
    const chunks: StreamChunk[] = []
    for await (const chunk of stream) {
      chunks.push(chunk)
      if (chunk.type === 'text_delta') {
        await session.cancel()
        await expectNextTurnToRun(session)
      }
    }
    expect(chunks.slice(-2)).toMatchObject(CANCELLED)
  })

  it('of the session frees it also where nobody reads the turn', async () => {
    const session = await openSession('waits-for-interrupt')
    const stream = session.executeStreaming('first')
    await session.cancel()
    await expectNextTurnToRun(session)
    expect((await chunksOf(stream)).slice(-2)).toMatchObject(CANCELLED)
  })
})

describe('an AbortSignal', () => {
  it('that is aborted during the turn stops it, and its reason is the cause', async () => {
    const session = await openSession('waits-for-interrupt')
    const abort = new AbortController()
    const stream = session.executeStreaming('hi', { signal: abort.signal })
    const said = nextEvent(session, ExecEventType.TEXT_DELTA)
    const loop = chunksOf(stream)
    await said
    const reason = new Error('the user went away')
    abort.abort(reason)
    expect((await loop).slice(-2)).toMatchObject(CANCELLED)
    const failure = await rejectionOf(stream.result)
    expect(failure).toBeInstanceOf(CancelledError)
    expect(failure).toHaveProperty('cause', reason)
  })

  it('that is aborted before the turn keeps it from beginning', async () => {
    const lifeline = await openLifeline()
    const session = await openSession('waits-for-interrupt', { env: lifeline.env })
    const events = recordEvents(session)
    const signal = AbortSignal.abort('too late')
    const failure = await rejectionOf(session.execute('hi', { signal }))
    expect(failure).toBeInstanceOf(CancelledError)
    expect(failure).toHaveProperty('cause', 'too late')
    expect(events).toEqual([])
  })

  it('that is aborted after the turn does nothing, and is not held on to', async () => {
    const session = await openSession('waits-for-interrupt')
    const abort = new AbortController()
    const stream = session.executeStreaming('hi', { signal: abort.signal })
    await readUntilText(stream)
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(1)
    await stream.cancel()
    expect(getEventListeners(abort.signal, 'abort')).toEqual([])
    abort.abort(new Error('too late'))
    expect(await rejectionOf(stream.result)).toBeInstanceOf(CancelledError)
  })

  it('works where nobody iterates', async () => {
    const session = await openSession('waits-for-interrupt')
    const abort = new AbortController()
    const failure = rejectionOf(session.execute('hi', { signal: abort.signal }))
    await nextEvent(session, ExecEventType.TEXT_DELTA)
    abort.abort()
    expect(await failure).toBeInstanceOf(CancelledError)
  })
})

/** Reads until the agent has said something. */
async function readUntilText(stream: AsyncIterator<StreamChunk>): Promise<void> {
  while ((await stream.next()).value?.type !== 'text_delta');
}
