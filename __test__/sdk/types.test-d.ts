import { describe, expectTypeOf, it } from 'vitest'

import type * as engine from '../../ts/index.js'
import {
  type AiRunner,
  type Artifact,
  ClaudeRunner,
  CodexRunner,
  type ContextTracker,
  type ConversationMessage,
  type ConversationSession,
  createAiRunner,
  type ExecEvent,
  type ExecEventEmitter,
  ExecEventType,
  type ExecResult,
  ExecSession,
  HistoryManager,
  JsonStreamEncoder,
  type LogFn,
  type StreamChunk,
  type Task,
} from '../../ts/sdk/index.js'

declare const session: ExecSession
declare const history: HistoryManager
declare const runner: AiRunner

describe('runners', () => {
  it('are made as in Locus', () => {
    const log: LogFn = (message, level = 'info') => void [message, level]
    expectTypeOf(new ClaudeRunner('.')).toExtend<AiRunner>()
    expectTypeOf(new ClaudeRunner('.', 'opus', log, 1000)).toExtend<AiRunner>()
    expectTypeOf(new CodexRunner('.', 'gpt', log, 'high', 1000)).toExtend<AiRunner>()
    expectTypeOf(createAiRunner(undefined, { projectPath: '.' })).toEqualTypeOf<AiRunner>()
    const config = { projectPath: '.', model: 'm', log, timeoutMs: 1, reasoningEffort: 'low', maxTurns: 3 }
    expectTypeOf(createAiRunner('claude', config)).toEqualTypeOf<AiRunner>()
    // @ts-expect-error the project is needed
    createAiRunner('claude', { model: 'm' })
    // @ts-expect-error the fourth is a duration
    new ClaudeRunner('.', 'opus', log, 'high')
  })

  it('run prompts', () => {
    expectTypeOf(runner.run('hi')).toEqualTypeOf<Promise<string>>()
    expectTypeOf(runner.runStream('hi')).toEqualTypeOf<AsyncGenerator<StreamChunk, void, unknown>>()
    expectTypeOf(runner.abort()).toEqualTypeOf<void>()
    expectTypeOf(runner.run).toBeCallableWith('hi', { signal: new AbortController().signal })
    expectTypeOf(runner.setEventEmitter).toEqualTypeOf<((emitter: ExecEventEmitter) => void) | undefined>()
  })

  it('may be any object that was written for Locus', () => {
    type LocusChunk =
      | { type: 'text_delta'; content: string }
      | { type: 'tool_use'; tool: string; id?: string; parameters?: Record<string, unknown> }
      | { type: 'tool_result'; tool: string; id?: string; success: boolean; error?: string }
      | { type: 'thinking'; content?: string }
      | { type: 'result'; content: string }
      | { type: 'error'; error: string }
    class Own {
      async run(prompt: string): Promise<string> {
        return prompt
      }
      async *runStream(prompt: string): AsyncGenerator<LocusChunk, void, unknown> {
        yield { type: 'text_delta', content: prompt }
      }
      abort(): void {}
    }
    expectTypeOf<Own>().toExtend<AiRunner>()
    new ExecSession({ aiRunner: new Own(), projectPath: '.', model: 'm', provider: 'p' })
    // @ts-expect-error one that cannot be aborted is none
    new ExecSession({ aiRunner: { run: async () => '' }, projectPath: '.', model: 'm', provider: 'p' })
  })
})

describe('a chunk', () => {
  it('is told by its type, and every chunk of the engine is one', () => {
    expectTypeOf<engine.StreamChunk>().toExtend<StreamChunk>()
    const chunk = {} as StreamChunk
    switch (chunk.type) {
      case 'text_delta':
        expectTypeOf(chunk.content).toEqualTypeOf<string>()
        break
      case 'tool_use':
        expectTypeOf(chunk.id).toEqualTypeOf<string | undefined>()
        break
      case 'tool_result':
        expectTypeOf(chunk.success).toEqualTypeOf<boolean>()
        expectTypeOf(chunk.duration).toEqualTypeOf<number | undefined>()
        break
      case 'result':
        expectTypeOf(chunk.content).toEqualTypeOf<string>()
        expectTypeOf(chunk.usage).toEqualTypeOf<engine.Usage | undefined>()
        break
      case 'error':
        expectTypeOf(chunk.error).toEqualTypeOf<string>()
        expectTypeOf(chunk.code).toEqualTypeOf<string | undefined>()
        break
      default:
    }
    // @ts-expect-error there is no such type
    void (chunk.type === 'text')
  })
})

describe('a session', () => {
  it('is synchronous but for what the agent does', () => {
    new ExecSession({ aiRunner: runner, projectPath: '.', model: 'm', provider: 'p', debug: true })
    expectTypeOf(session.initialize()).toEqualTypeOf<void>()
    expectTypeOf(session.save()).toEqualTypeOf<void>()
    expectTypeOf(session.reset()).toEqualTypeOf<void>()
    expectTypeOf(session.startNewSession()).toEqualTypeOf<void>()
    expectTypeOf(session.end(false)).toEqualTypeOf<void>()
    expectTypeOf(session.getSession()).toEqualTypeOf<ConversationSession | null>()
    expectTypeOf(session.getSessionId()).toEqualTypeOf<string | null>()
    expectTypeOf(session.getEventEmitter()).toEqualTypeOf<ExecEventEmitter>()
    expectTypeOf(session.getHistoryManager()).toEqualTypeOf<HistoryManager>()
    expectTypeOf(session.getContextTracker()).toEqualTypeOf<ContextTracker>()
    expectTypeOf(session.getMessages()).toEqualTypeOf<ConversationMessage[]>()
    expectTypeOf(session.addMessage).toBeCallableWith({ role: 'user', content: 'hi' })
    expectTypeOf(session.createArtifact({ title: 't', type: 'plan', content: '' })).toEqualTypeOf<Artifact>()
    expectTypeOf(session.createTask({ title: 't', status: 'pending' })).toEqualTypeOf<Task>()
    expectTypeOf(session.resolveArtifactReference('it')).toEqualTypeOf<Artifact | null>()
    expectTypeOf(session.resolveTaskReference('it')).toEqualTypeOf<Task | null>()
    expectTypeOf(session.executeStreaming('hi')).toEqualTypeOf<AsyncGenerator<StreamChunk, void, unknown>>()
    expectTypeOf(session.execute('hi')).toEqualTypeOf<Promise<ExecResult>>()
  })

  it('tells typed events', () => {
    const same = session.on(ExecEventType.TOOL_COMPLETED, (event) => {
      expectTypeOf(event).toEqualTypeOf<ExecEvent<'tool:completed'>>()
      expectTypeOf(event.data.toolName).toEqualTypeOf<string>()
      expectTypeOf(event.data.duration).toEqualTypeOf<number | undefined>()
    })
    expectTypeOf(same).toEqualTypeOf<ExecSession>()
    // @ts-expect-error there is no such event
    session.on('tool:begun', () => {})
  })
})

describe('the history', () => {
  it('is synchronous', () => {
    new HistoryManager('.', { maxSessions: 5, historyDir: 'x', historyFormat: 'json' })
    const stored = history.createNewSession('m', 'p')
    expectTypeOf(stored).toEqualTypeOf<ConversationSession>()
    expectTypeOf(history.saveSession(stored)).toEqualTypeOf<void>()
    expectTypeOf(history.loadSession('x')).toEqualTypeOf<ConversationSession | null>()
    expectTypeOf(history.deleteSession('x')).toEqualTypeOf<boolean>()
    expectTypeOf(history.clearAllSessions()).toEqualTypeOf<number>()
    expectTypeOf(history.pruneSessions()).toEqualTypeOf<number>()
    const filter = { query: 'a', after: 1, before: 2, limit: 3, offset: 4 }
    expectTypeOf(history.listSessions(filter)).toEqualTypeOf<ConversationSession[]>()
    expectTypeOf(history.searchSessions('a', 1)).toEqualTypeOf<ConversationSession[]>()
    expectTypeOf(history.getCurrentSession()).toEqualTypeOf<ConversationSession>()
    expectTypeOf(history.getSessionCount()).toEqualTypeOf<number>()
    expectTypeOf(history.sessionExists('x')).toEqualTypeOf<boolean>()
    expectTypeOf(history.findSessionByPartialId('x')).toEqualTypeOf<ConversationSession | null>()
    expectTypeOf(history.getHistoryDir()).toEqualTypeOf<string>()
    // @ts-expect-error there is no such format
    new HistoryManager('.', { historyFormat: 'xml' })
  })
})

describe('the encoder', () => {
  it('makes bytes of chunks', () => {
    const encoder = new JsonStreamEncoder({ sessionId: 'x' })
    expectTypeOf(encoder.encode).parameter(0).toEqualTypeOf<Iterable<StreamChunk>>()
    expectTypeOf(encoder.end()).toExtend<Uint8Array>()
  })
})
