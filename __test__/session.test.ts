import { realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'

import { describe, expect, it } from 'vitest'

import {
  AgentError,
  type ExecError,
  ExecEventType,
  ExecSession,
  InvalidInputError,
  SessionBusyError,
  SessionEndedError,
  UnknownProviderError,
} from '../ts/index.js'
import { fakeAgent } from './support/fakes.js'
import { temporaryFolder } from './support/folder.js'
import { isRunning, openLifeline } from './support/lifeline.js'
import { chunksOf, nextEvent, openSession, recordEvents, rejectionOf, textOf } from './support/session.js'

describe('a session', () => {
  it('answers every turn from one process', async () => {
    const session = await openSession('answers-with-its-pid')
    const first = await session.execute('one')
    const second = await session.execute('two')
    expect(Number(first.content)).toBeGreaterThan(0)
    expect(second.content).toBe(first.content)
    expect(second.sessionId).toBe(session.id)
    expect(second.runId).not.toBe(first.runId)
  })

  it('tells which turn it is and whether the process was already there', async () => {
    const session = await openSession('answers-with-its-pid')
    const events = recordEvents(session)
    await session.execute('one')
    await session.execute('two')
    const started = events.filter(({ type }) => type === ExecEventType.TURN_STARTED).map(({ data }) => data)
    expect(started).toMatchObject([
      { turn: 1, warm: false },
      { turn: 2, warm: true },
    ])
  })

  it('starts nothing before its first turn: that the agent is missing is not noticed until then', async () => {
    const session = await openSession('answers-with-its-pid', { executable: '/no/such/agent' })
    const events = recordEvents(session)
    await nextTurnOfTheEventLoop()
    expect(events).toEqual([])
    await expect(session.execute('hi')).rejects.toMatchObject({ code: 'CLI_NOT_FOUND' })
    expect(events[0]?.type).toBe('session:started')
  })

  it('starts another process for the next turn when its own has crashed', async () => {
    const session = await openSession('exits-non-zero')
    await expect(session.execute('one')).rejects.toMatchObject({ code: 'PROCESS_CRASHED', exitCode: 7 })
    await expect(session.execute('two')).rejects.toMatchObject({ code: 'PROCESS_CRASHED', exitCode: 7 })
  })

  it('refuses a second turn while the first one runs, and the first goes on', async () => {
    const session = await openSession('waits-for-interrupt')
    const first = session.executeStreaming('one')
    const said = nextEvent(session, ExecEventType.TEXT_DELTA)
    const loop = chunksOf(first)
    await said
    const second = session.executeStreaming('two')
    await expect(second.next()).rejects.toThrow(SessionBusyError)
    expect(await second.next()).toEqual({ done: true, value: undefined })
    await expect(session.execute('three')).rejects.toMatchObject({ code: 'SESSION_BUSY' })
    await first.cancel()
    expect(textOf(await loop)).toContain('for one')
  })

  it('is free for its next turn as soon as a turn has ended', async () => {
    const session = await openSession('answers-with-the-prompt')
    for (let turn = 1; turn <= 20; turn++) {
      expect((await session.execute(`prompt ${turn}`)).content).toBe(`prompt ${turn}`)
    }
  })

  it('lets its process go when it ends, and tells so in its last event', async () => {
    const lifeline = await openLifeline()
    const session = await openSession('answers-with-its-pid', { env: lifeline.env })
    const events = recordEvents(session)
    await session.execute('hi')
    const pid = await lifeline.pid
    expect(isRunning(pid)).toBe(true)
    await session.end()
    expect(isRunning(pid)).toBe(false)
    expect(events.at(-1)).toMatchObject({ type: 'session:ended', data: { turns: 1 } })
  })

  it('ends only once, however often it is asked to', async () => {
    const session = await openSession('answers-with-its-pid')
    const events = recordEvents(session)
    await session.execute('hi')
    await Promise.all([session.end(), session.end()])
    await session.end()
    expect(events.filter(({ type }) => type === ExecEventType.SESSION_ENDED)).toHaveLength(1)
  })

  it('refuses turns after its end', async () => {
    const session = await openSession('answers-with-its-pid')
    await session.end()
    await expect(session.execute('hi')).rejects.toThrow(SessionEndedError)
    await expect(session.executeStreaming('hi').next()).rejects.toThrow(SessionEndedError)
  })

  it('cancels the turn under way when it ends, and its process is gone then', async () => {
    const lifeline = await openLifeline()
    const session = await openSession('waits-for-interrupt', { env: lifeline.env })
    const stream = session.executeStreaming('hi')
    const loop = chunksOf(stream)
    const pid = await lifeline.pid
    await session.end()
    expect(isRunning(pid)).toBe(false)
    expect((await loop).at(-1)).toMatchObject({ type: 'result', success: false, stopReason: 'cancelled' })
    await expect(stream.result).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('tells its end also when a loop was still reading the turn that it cut short', async () => {
    const session = await openSession('waits-for-interrupt')
    const events = recordEvents(session)
    for await (const chunk of session.executeStreaming('hi')) {
      if (chunk.type === 'text_delta') {
        await session.end()
      }
    }
    await nextTurnOfTheEventLoop()
    expect(events.slice(-2).map(({ type }) => type)).toEqual(['turn:completed', 'session:ended'])
  })

  it('tells its events also when nobody reads the turn that its end cuts short', async () => {
    const lifeline = await openLifeline()
    const session = await openSession('waits-for-interrupt', { env: lifeline.env })
    const events = recordEvents(session)
    session.executeStreaming('hi')
    await lifeline.pid
    await session.end()
    await nextTurnOfTheEventLoop()
    expect(events.slice(-2).map(({ type }) => type)).toEqual(['turn:completed', 'session:ended'])
  })

  it('ends a turn that begins in the same moment, whichever of the two is faster', async () => {
    for (let round = 0; round < 30; round++) {
      const session = await openSession('waits-for-interrupt')
      const failure = rejectionOf(session.execute('hi'))
      await session.end()
      expect(['CANCELLED', 'SESSION_ENDED']).toContain(((await failure) as ExecError).code)
    }
  })

  it('is ended by `await using`', async () => {
    const lifeline = await openLifeline()
    const session = await openSession('answers-with-its-pid', { env: lifeline.env })
    await session.execute('hi')
    await session[Symbol.asyncDispose]()
    expect(isRunning(await lifeline.pid)).toBe(false)
    await expect(session.execute('again')).rejects.toThrow(SessionEndedError)
  })

  it('does nothing on cancel when no turn runs', async () => {
    const session = await openSession('answers-with-its-pid')
    await session.cancel()
    const { content } = await session.execute('hi')
    await session.cancel()
    expect((await session.execute('again')).content).toBe(content)
  })

  it('cancels the turn under way by its own `cancel`', async () => {
    const session = await openSession('waits-for-interrupt')
    const failure = rejectionOf(session.execute('hi'))
    await nextEvent(session, ExecEventType.TEXT_DELTA)
    await session.cancel()
    expect(await failure).toMatchObject({ code: 'CANCELLED' })
  })

  it.each(['', ' \n\t'])('refuses the empty prompt %j', async (prompt) => {
    const session = await openSession('answers-with-its-pid')
    await expect(session.execute(prompt)).rejects.toThrow(InvalidInputError)
  })

  it('passes a prompt on as it is, whatever is in it', async () => {
    const session = await openSession('answers-with-the-prompt')
    const prompt = ' -p "--help" \\ \u0000 \u001b[2J é 日本 𝒳 👩‍👧 \u2028\r\n{"type":"user"}\n'
    expect((await session.execute(prompt)).content).toBe(prompt)
    const long = 'x'.repeat(1_000_000)
    expect((await session.execute(long)).content).toBe(long)
  })

  it('runs its agent in the folder of the project', async () => {
    const projectPath = temporaryFolder()
    const session = await openSession('answers-with-how-it-was-started', { projectPath })
    expect(JSON.parse((await session.execute('where?')).content).cwd).toBe(projectPath)
  })

  it('names a provider that it does not know, and those that it knows', async () => {
    const failure = await rejectionOf(ExecSession.create({ provider: 'hal' }))
    expect(failure).toBeInstanceOf(UnknownProviderError)
    expect(failure).toMatchObject({
      message: expect.stringMatching(
        /^unknown provider 'hal'; known providers: acp, claude, codex, .*, qwen$/,
      ),
    })
  })
})

describe('the history of a session', () => {
  it('has what was said, with tools and times', async () => {
    const session = await openSession('says-everything', { allowAll: true })
    const before = Date.now()
    await session.execute('look')
    const history = session.getHistory()
    const runId = history[0]?.runId
    expect(runId).toMatch(/^[0-9a-f-]{36}$/)
    expect(history).toEqual([
      { role: 'user', content: 'look', timestamp: expect.any(Number), runId },
      {
        ...{ role: 'assistant', content: 'I will look. That is all.', timestamp: expect.any(Number), runId },
        metadata: {
          ...{ durationMs: expect.any(Number), toolsUsed: ['Read', 'Task', 'Grep'] },
          usage: expect.objectContaining({ input: 10, output: 20, costUsd: 0.25 }),
        },
      },
    ])
    expect(history[0]?.timestamp).toBeGreaterThanOrEqual(before)
    expect(history[1]?.timestamp).toBeLessThanOrEqual(Date.now())
  })

  it('keeps the prompt of a turn that failed, with an empty answer that says why', async () => {
    const session = await openSession('fails-as-told')
    await expect(session.execute('{}')).rejects.toThrow(AgentError)
    expect(session.getHistory()).toMatchObject([
      { role: 'user', content: '{}' },
      { role: 'assistant', content: '', metadata: { errorCode: expect.any(String) } },
    ])
  })

  it('does not put the tools of a turn that failed to the answer before it', async () => {
    const session = await openSession('says-everything', { allowAll: true })
    await session.execute('look')
    await rejectionOf(session.execute('fail'))
    expect(session.getHistory()[1]?.metadata?.toolsUsed).toEqual(['Read', 'Task', 'Grep'])
    expect(session.getHistory()[3]).toMatchObject({
      ...{ role: 'assistant', metadata: { errorCode: expect.any(String) } },
    })
    expect(session.getHistory()[3]?.metadata?.toolsUsed).toBeUndefined()
  })

  it('cannot be changed from outside', async () => {
    const session = await openSession('answers-with-the-prompt')
    await session.execute('hi')
    const [message] = session.getHistory()
    if (message) {
      message.content = 'changed'
    }
    session.getHistory().length = 0
    expect(session.getHistory().map(({ content }) => content)).toEqual(['hi', 'hi'])
  })
})

describe('the demo agent', () => {
  it('talks offline, and remembers', async () => {
    const projectPath = temporaryFolder()
    const session = await ExecSession.create({ provider: 'demo', projectPath, extraArgs: ['--pace=0'] })
    const first = await session.execute('first thing')
    expect(first.content).toContain('You asked: *first thing*')
    expect(first.toolsUsed).toEqual(['Glob'])
    expect((await session.execute('second thing')).content).toContain('- *first thing*')
    await session.end()
  })
})

it('uses the current directory where no project is named', async () => {
  const session = await ExecSession.create({
    executable: fakeAgent('answers-with-how-it-was-started'),
    save: false,
  })
  expect(JSON.parse((await session.execute('where?')).content).cwd).toBe(realpathSync(process.cwd()))
  await session.end()
  expect(process.cwd()).not.toBe(tmpdir())
})

/** What the addon has told by now has been handed out then. */
function nextTurnOfTheEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
