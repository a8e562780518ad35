import { describe, expect, it, vi } from 'vitest'

import { ExecEventType as EngineEventType } from '../../ts/index.js'
import {
  type ExecEvent,
  ExecEventEmitter,
  ExecEventType,
  ExecSession,
  type StreamChunk,
} from '../../ts/sdk/index.js'
import { temporaryFolder } from '../support/folder.js'
import { ScriptedRunner } from './support.js'

/** What is told of these chunks: the types, and their data. */
function told(chunks: StreamChunk[]): Array<[string, unknown]> {
  const emitter = new ExecEventEmitter({ debug: true })
  for (const chunk of chunks) {
    emitter.relay(chunk)
  }
  return emitter.getEventLog().map(({ type, data }) => [type, data])
}

describe('the names', () => {
  it('are those of the engine', () => {
    expect(EngineEventType).toMatchObject(ExecEventType)
  })
})

describe('an emitter', () => {
  it('tells each event with its time and data', () => {
    const emitter = new ExecEventEmitter()
    const events: ExecEvent[] = []
    for (const type of Object.values(ExecEventType)) {
      emitter.on(type, (event: ExecEvent) => events.push(event))
    }
    const before = Date.now()
    expect(emitter.isActive()).toBe(false)
    emitter.emitSessionStarted({ model: 'opus', provider: 'claude' })
    expect(emitter.isActive()).toBe(true)
    emitter.emitPromptSubmitted('hi')
    emitter.emitThinkingStarted('hm')
    emitter.emitThinkingStopped()
    emitter.emitThinkingStoped()
    emitter.emitToolStarted('Read', 't1')
    emitter.emitToolCompleted('Read', 't1', { lines: 3 }, 12)
    emitter.emitToolFailed('Bash', 'exit 1', 't2')
    emitter.emitTextDelta('hello')
    emitter.emitResponseCompleted('hello')
    emitter.emitErrorOccurred('no', 'RATE_LIMIT')
    emitter.emitSessionEnded(true)
    expect(emitter.isActive()).toBe(false)
    const sessionId = emitter.getSessionId()
    expect(events.map(({ type, data }) => [type, data])).toEqual([
      ['session:started', { sessionId, model: 'opus', provider: 'claude' }],
      ['prompt:submitted', { prompt: 'hi', truncated: false }],
      ['thinking:started', { content: 'hm' }],
      ['thinking:stopped', {}],
      ['thinking:stopped', {}],
      ['tool:started', { toolName: 'Read', toolId: 't1' }],
      ['tool:completed', { toolName: 'Read', toolId: 't1', result: { lines: 3 }, duration: 12 }],
      ['tool:failed', { toolName: 'Bash', toolId: 't2', error: 'exit 1' }],
      ['text:delta', { content: 'hello' }],
      ['response:completed', { content: 'hello' }],
      ['error:occurred', { error: 'no', code: 'RATE_LIMIT' }],
      ['session:ended', { sessionId, success: true }],
    ])
    for (const { timestamp } of events) {
      expect(timestamp).toBeGreaterThanOrEqual(before)
    }
  })

  it('tells only the beginning of a long prompt', () => {
    const emitter = new ExecEventEmitter({ debug: true })
    emitter.emitPromptSubmitted('x'.repeat(501))
    expect(emitter.getEventLog()[0]?.data).toEqual({ prompt: `${'x'.repeat(500)}...`, truncated: true })
  })

  it('lets listeners go', () => {
    const emitter = new ExecEventEmitter()
    const [gone, also] = [vi.fn(), vi.fn()]
    emitter.on(ExecEventType.TEXT_DELTA, gone).on(ExecEventType.TOOL_STARTED, also)
    emitter.removeAllListeners(ExecEventType.TEXT_DELTA)
    emitter.emitTextDelta('x')
    emitter.emitToolStarted('Read')
    emitter.removeAllListeners()
    emitter.emitToolStarted('Read')
    expect([gone.mock.calls.length, also.mock.calls.length]).toEqual([0, 1])
  })

  it('keeps a log only for debugging, and only so much of it', () => {
    const quiet = new ExecEventEmitter()
    quiet.emitTextDelta('x')
    expect(quiet.getEventLog()).toEqual([])
    const emitter = new ExecEventEmitter({ debug: true })
    for (let index = 0; index < 25_000; index++) {
      emitter.emitTextDelta(String(index))
    }
    const log = emitter.getEventLog()
    expect([log.length, log.at(0)?.data, log.at(-1)?.data]).toEqual([
      ...[10_000, { content: '15000' }, { content: '24999' }],
    ])
    emitter.clearEventLog()
    expect(emitter.getEventLog()).toEqual([])
  })
})

describe('the chunks of a runner', () => {
  it('are told as what they stand for', () => {
    expect(
      told([
        { type: 'thinking', content: 'hm' },
        { type: 'thinking', content: ' more' },
        { type: 'status', status: 'requesting' },
        { type: 'tool_use', tool: 'Read', id: '1' },
        { type: 'tool_parameters', tool: 'Read', id: '1', parameters: { file_path: 'a' } },
        { type: 'tool_result', tool: 'Read', id: '1', success: true, duration: 3, data: 'text' },
        { type: 'tool_use', tool: 'Bash' },
        { type: 'tool_result', tool: 'Bash', success: false },
        { type: 'usage', input: 1, output: 2, cacheRead: 0, cacheWrite: 0 },
        { type: 'result', content: 'done' },
      ]),
    ).toEqual([
      ['thinking:started', { content: 'hm' }],
      ['status:changed', { status: 'requesting' }],
      ['thinking:stopped', {}],
      ['tool:started', { toolName: 'Read', toolId: '1' }],
      [
        'tool:completed',
        { toolName: 'Read', toolId: '1', parameters: { file_path: 'a' }, result: 'text', duration: 3 },
      ],
      ['tool:started', { toolName: 'Bash' }],
      ['tool:failed', { toolName: 'Bash', error: 'the tool failed' }],
      ['usage:updated', { input: 1, output: 2, cacheRead: 0, cacheWrite: 0 }],
      ['response:completed', { content: 'done' }],
    ])
  })

  it('are no response where the turn failed', () => {
    expect(
      told([
        { type: 'error', error: 'no', code: 'AUTH' },
        { type: 'result', content: '', success: false },
      ]),
    ).toEqual([['error:occurred', { error: 'no', code: 'AUTH' }]])
  })

  it('of a subagent are no words of the agent, and its tools are tools', () => {
    const parentToolUseId = 'task'
    expect(
      told([
        { type: 'text_delta', content: 'I am another', parentToolUseId },
        { type: 'thinking', content: 'hm', parentToolUseId },
        { type: 'tool_use', tool: 'Grep', id: 'g', parentToolUseId },
      ]),
    ).toEqual([['tool:started', { toolName: 'Grep', toolId: 'g' }]])
  })

  it('are told as often as they come, also where a runner gives the same object again', async () => {
    const dot: StreamChunk = { type: 'text_delta', content: '.' }
    expect(told([dot, dot, dot])).toHaveLength(3)
    const session = new ExecSession({
      ...{ aiRunner: new ScriptedRunner([dot, dot]), projectPath: temporaryFolder(), autoSave: false },
      ...{ model: 'm', provider: 'p', debug: true },
    })
    session.initialize()
    await session.execute('hi')
    const types = session
      .getEventEmitter()
      .getEventLog()
      .map(({ type }) => type)
    expect(types).toEqual(['session:started', 'prompt:submitted', 'text:delta', 'text:delta'])
  })
})
