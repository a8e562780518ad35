import { describe, expect, it } from 'vitest'
import { dataOfChunk } from '../ts/events.js'
import { type ExecEvent, ExecEventType, type StreamChunk } from '../ts/index.js'
import { native } from '../ts/native.js'
import { temporaryFolder } from './support/folder.js'
import { chunksOf, openSession, recordEvents, rejectionOf } from './support/session.js'

/** Both turns of the agent that says everything, with all events. */
async function everything() {
  const projectPath = temporaryFolder()
  const session = await openSession('says-everything', { projectPath, model: 'fake-1' })
  const events = recordEvents(session)
  session.on(
    ExecEventType.PERMISSION_REQUESTED,
    ({ data }) => void session.respond(data.id, { behavior: 'allow' }),
  )
  const first = await chunksOf(session.executeStreaming('look'))
  const second = await chunksOf(session.executeStreaming('fail'))
  await session.end()
  return { session, events, chunks: [...first, ...second], projectPath }
}

const FACTS: string[] = [
  ...['session:started', 'prompt:submitted', 'turn:started', 'thinking:started', 'thinking:stopped'],
  ...['permission:resolved', 'turn:completed', 'session:ended'],
]

describe('the names of the events', () => {
  it('are those of the addon, in its order', () => {
    expect(Object.values(ExecEventType)).toEqual(native().eventNames())
  })

  it('are written as their keys are', () => {
    for (const [key, name] of Object.entries(ExecEventType)) {
      expect(name.replace(':', '_').toUpperCase()).toBe(key)
    }
  })
})

describe('the events of a session', () => {
  it('come in all their types, in the order of what happened', async () => {
    const { events } = await everything()
    expect(events.map(({ type }) => type)).toEqual([
      ...['session:started', 'prompt:submitted', 'turn:started'],
      ...['status:changed', 'status:changed', 'status:changed', 'status:changed'],
      ...[
        'usage:updated',
        'status:changed',
        'thinking:started',
        'thinking:delta',
        'thinking:delta',
        'thinking:stopped',
        'text:delta',
      ],
      ...['tool:requested', 'tool:started', 'tool:completed', 'tool:requested', 'tool:started'],
      ...['thinking:delta', 'text:delta', 'tool:requested', 'tool:started', 'tool:failed', 'tool:completed'],
      ...['line:unparsed', 'permission:requested', 'permission:resolved', 'text:delta'],
      ...['usage:updated', 'status:changed', 'usage:updated', 'response:completed', 'turn:completed'],
      ...['prompt:submitted', 'turn:started', 'usage:updated', 'error:occurred', 'response:completed'],
      ...['turn:completed', 'session:ended'],
    ])
    // All but the one of a turn that is tried again: retry.test.ts.
    const { RETRY_SCHEDULED: _, ...types } = ExecEventType
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(Object.values(types)))
  })

  it('have a sequence from 1 without gaps, none twice', async () => {
    const { events } = await everything()
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
  })

  it('have a time that never goes back', async () => {
    const before = Date.now()
    const { events } = await everything()
    const times = events.map(({ timestamp }) => timestamp)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(times[0]).toBeGreaterThanOrEqual(before)
    expect(times.at(-1)).toBeLessThanOrEqual(Date.now())
  })

  it('name their session and their run, one run for each turn', async () => {
    const { session, events } = await everything()
    expect(new Set(events.map(({ sessionId }) => sessionId))).toEqual(new Set([session.id]))
    const runs = events.flatMap((event) =>
      event.type === 'turn:started' ? [(event.data as { runId: string }).runId] : [],
    )
    expect(new Set(runs).size).toBe(2)
    const boundary = events.findIndex(({ type }) => type === 'turn:completed')
    expect(new Set(events.slice(0, boundary + 1).map(({ runId }) => runId))).toEqual(new Set([runs[0]]))
    expect(new Set(events.slice(boundary + 1).map(({ runId }) => runId))).toEqual(new Set([runs[1]]))
  })

  it('are the chunks, in the same order, with the facts of the run between them', async () => {
    const { events, chunks } = await everything()
    const ofChunks = events.filter(({ type }) => !FACTS.includes(type)).map(({ data }) => data)
    expect(ofChunks).toEqual(chunks.map((chunk) => dataOfChunk(chunk)))
  })

  it('carry what the contract says', async () => {
    const { session, events, projectPath } = await everything()
    const data = dataByType(events)
    const durationMs = expect.any(Number)
    const [runId] = events.map((event) => event.runId)
    const told = { input: 10, output: 20, cacheRead: 4, cacheWrite: 2, costUsd: 0.25, costSource: 'agent' }
    const usage = { ...told, requests: 1, models: { 'fake-1': told } }
    const sent = { input: 10, output: 1, cacheRead: 0, cacheWrite: 0, requests: 1 }
    expect(data['session:started']).toEqual({ provider: 'claude', model: 'fake-1', projectPath })
    expect(data['prompt:submitted']).toEqual({ prompt: 'look' })
    expect(data['turn:started']).toEqual({ runId, turn: 1, warm: false })
    expect(data['thinking:started']).toEqual({})
    expect(data['thinking:stopped']).toEqual({})
    expect(data['text:delta']).toEqual({ content: 'I will look. ' })
    expect(data['tool:requested']).toEqual({ toolName: 'Read', toolId: 'read' })
    expect(data['tool:started']).toEqual({
      toolName: 'Read',
      toolId: 'read',
      parameters: { file_path: 'a.txt' },
    })
    expect(data['tool:completed']).toEqual({
      ...{ toolName: 'Read', toolId: 'read', duration: durationMs, result: { file: { numLines: 3 } } },
    })
    expect(data['tool:failed']).toEqual({
      ...{ toolName: 'Grep', toolId: 'grep', duration: durationMs, parentToolUseId: 'task' },
      ...{ error: 'no such folder', result: 'no such folder' },
    })
    expect(data['permission:requested']).toEqual({
      ...{ id: 'question', tool: 'Bash', parameters: { command: 'ls' }, toolUseId: 'bash' },
    })
    expect(data['permission:resolved']).toEqual({
      id: 'question',
      tool: 'Bash',
      behavior: 'allow',
      decidedBy: 'user',
    })
    expect(data['line:unparsed']).toEqual({ line: 'this is no JSON', reason: expect.any(String) })
    expect(data['usage:updated']).toEqual({ ...sent, models: { 'fake-1': sent } })
    expect(data['response:completed']).toEqual({
      ...{ content: 'I will look. That is all.', success: true, stopReason: 'end_turn', usage, durationMs },
      ...{ turns: 2, agentSessionId: 'fake-session' },
    })
    expect(data['error:occurred']).toEqual({ message: 'overloaded', code: 'OVERLOADED', retryable: true })
    expect(data['turn:completed']).toEqual({
      ...{ runId, success: true, durationMs, usage, toolsUsed: ['Read', 'Task', 'Grep'] },
    })
    expect(data['session:ended']).toEqual({ turns: 2 })
    expect(session.listenerCount('session:ended')).toBe(1)
  })

  it('tell the code of a turn that failed', async () => {
    const { events } = await everything()
    const completed = events.filter(({ type }) => type === 'turn:completed').map(({ data }) => data)
    expect(completed).toMatchObject([
      { success: true },
      { success: false, code: 'OVERLOADED', toolsUsed: [] },
    ])
    expect(completed[0]).not.toHaveProperty('code')
  })
})

describe('a listener', () => {
  it('that was added by `once` is called once, and one that was removed by `off` never', async () => {
    const session = await openSession('streams-deltas', { env: { FAKE_LINES: '5' } })
    let once = 0
    let removed = 0
    const listener = () => removed++
    session.once(ExecEventType.TEXT_DELTA, () => once++)
    session.on(ExecEventType.TEXT_DELTA, listener)
    session.off(ExecEventType.TEXT_DELTA, listener)
    await session.execute('hi')
    expect({ once, removed }).toEqual({ once: 1, removed: 0 })
  })

  it('is called before the loop gets the chunk of the same event', async () => {
    const session = await openSession('streams-deltas', { env: { FAKE_LINES: '20' } })
    const seen: string[] = []
    session.on(ExecEventType.TEXT_DELTA, ({ data }) => seen.push(`event ${data.content}`))
    for await (const chunk of session.executeStreaming('hi')) {
      if (chunk.type === 'text_delta') {
        expect(seen.at(-1)).toBe(`event ${chunk.content}`)
        seen.push(`chunk ${chunk.content}`)
      }
    }
    expect(seen).toHaveLength(40)
  })

  it('hears everything although no loop reads the chunks', async () => {
    const session = await openSession('says-everything', { allowAll: true })
    const events = recordEvents(session)
    await session.execute('look')
    await rejectionOf(session.execute('fail'))
    await session.end()
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
    expect(events.at(-1)?.type).toBe('session:ended')
  })

  it('gets data of its own: what it changes is not seen by the loop', async () => {
    const session = await openSession('streams-deltas', { env: { FAKE_LINES: '3' } })
    session.on(ExecEventType.TEXT_DELTA, ({ data }) => {
      data.content = 'changed'
    })
    const chunks: StreamChunk[] = await chunksOf(session.executeStreaming('hi'))
    expect(JSON.stringify(chunks)).not.toContain('changed')
  })
})

/** The data of the first event of each type. */
function dataByType(events: ExecEvent[]): Record<string, unknown> {
  return Object.fromEntries(events.toReversed().map(({ type, data }) => [type, data]))
}
