import { describe, expectTypeOf, it } from 'vitest'

import {
  type ConversationMessage,
  ERROR_CODES,
  type ErrorCode,
  type ExecError,
  type ExecEvent,
  type ExecEventData,
  ExecEventType,
  type ExecResult,
  ExecSession,
  execError,
  type PermissionDecision,
  type PermissionRequestChunk,
  RateLimitError,
  type SessionOptions,
  type StreamChunk,
  StreamingExecutor,
  type TurnOptions,
  type TurnStream,
  type Usage,
} from '../ts/index.js'

declare const session: ExecSession
declare const chunk: StreamChunk

describe('a chunk', () => {
  it('is told by its type', () => {
    switch (chunk.type) {
      case 'text_delta':
        expectTypeOf(chunk.content).toEqualTypeOf<string>()
        expectTypeOf(chunk.parentToolUseId).toEqualTypeOf<string | undefined>()
        break
      case 'thinking':
        expectTypeOf(chunk.content).toEqualTypeOf<string | undefined>()
        break
      case 'tool_use':
        expectTypeOf(chunk.parameters).toEqualTypeOf<Record<string, unknown> | undefined>()
        break
      case 'tool_parameters':
        expectTypeOf(chunk.parameters).toEqualTypeOf<Record<string, unknown>>()
        break
      case 'tool_result':
        expectTypeOf(chunk.success).toEqualTypeOf<boolean>()
        expectTypeOf(chunk.duration).toEqualTypeOf<number>()
        expectTypeOf(chunk.data).toEqualTypeOf<unknown>()
        break
      case 'status':
        expectTypeOf(chunk.detail).toEqualTypeOf<Record<string, unknown> | undefined>()
        break
      case 'permission_request':
        expectTypeOf(chunk).toEqualTypeOf<PermissionRequestChunk>()
        break
      case 'usage':
        expectTypeOf(chunk).toExtend<Usage>()
        expectTypeOf(chunk.costUsd).toEqualTypeOf<number | undefined>()
        break
      case 'result':
        expectTypeOf(chunk.usage).toEqualTypeOf<Usage>()
        expectTypeOf(chunk.stopReason).toEqualTypeOf<string>()
        break
      case 'error':
        expectTypeOf(chunk.error).toEqualTypeOf<string>()
        expectTypeOf(chunk.retryAfterMs).toEqualTypeOf<number | undefined>()
        break
      case 'unparsed':
        expectTypeOf(chunk.line).toEqualTypeOf<string>()
        break
      default:
        // Every type has a case above.
        expectTypeOf(chunk).toBeNever()
    }
  })

  it('has no field of another type before it is told', () => {
    // @ts-expect-error only text and thoughts have content
    void chunk.content
    // @ts-expect-error there is no such type
    void (chunk.type === 'tool_start')
  })
})

describe('an event', () => {
  it('has the data of its name', () => {
    session.on(ExecEventType.TOOL_STARTED, (event) => {
      expectTypeOf(event).toEqualTypeOf<ExecEvent<'tool:started'>>()
      expectTypeOf(event.data.toolName).toEqualTypeOf<string>()
      expectTypeOf(event.data.parameters).toEqualTypeOf<Record<string, unknown>>()
      expectTypeOf(event.seq).toEqualTypeOf<number>()
      expectTypeOf(event.timestamp).toEqualTypeOf<number>()
    })
    session.once('turn:completed', ({ data }) => {
      expectTypeOf(data.toolsUsed).toEqualTypeOf<string[]>()
      expectTypeOf(data.usage).toEqualTypeOf<Usage>()
    })
    session.on('permission:resolved', ({ data }) => {
      expectTypeOf(data.behavior).toEqualTypeOf<'allow' | 'deny' | 'withdrawn'>()
    })
    new StreamingExecutor().on('error:occurred', ({ data }) => {
      expectTypeOf(data.message).toEqualTypeOf<string>()
      // @ts-expect-error the text of an error is its message, there as everywhere
      void data.error
    })
  })

  it('has one of the known names', () => {
    // @ts-expect-error there is no such event
    session.on('tool:begun', () => {})
    expectTypeOf<ExecEventType>().toEqualTypeOf<keyof ExecEventData>()
    expectTypeOf(ExecEventType.TEXT_DELTA).toEqualTypeOf<'text:delta'>()
  })

  it('is passed alone', () => {
    // @ts-expect-error a listener gets one event and nothing else
    session.on('text:delta', (_event, _more: string) => {})
  })
})

describe('a stream', () => {
  it('can be iterated and awaited', () => {
    const stream = session.executeStreaming('hi')
    expectTypeOf(stream).toEqualTypeOf<TurnStream>()
    expectTypeOf(stream).toExtend<AsyncIterableIterator<StreamChunk, undefined>>()
    expectTypeOf(stream.result).resolves.toEqualTypeOf<ExecResult>()
    expectTypeOf(stream.cancel()).resolves.toEqualTypeOf<void>()
  })

  it('has a result that tells how the turn went', () => {
    expectTypeOf(session.execute).returns.resolves.toEqualTypeOf<ExecResult>()
    expectTypeOf<ExecResult>().toHaveProperty('toolsUsed').toEqualTypeOf<string[]>()
    expectTypeOf<ExecResult>().toHaveProperty('content').toEqualTypeOf<string>()
    expectTypeOf<ExecResult>().not.toHaveProperty('type')
  })
})

describe('a session', () => {
  it('is made by `create` and not by `new`', () => {
    expectTypeOf(ExecSession.create).parameter(0).toEqualTypeOf<SessionOptions | undefined>()
    expectTypeOf(ExecSession.create).returns.resolves.toEqualTypeOf<ExecSession>()
    // @ts-expect-error the constructor is private
    void new ExecSession({})
  })

  it('has a history, and can be disposed of', () => {
    expectTypeOf(session.getHistory()).toEqualTypeOf<ConversationMessage[]>()
    expectTypeOf(session).toExtend<AsyncDisposable>()
    expectTypeOf(session.id).toEqualTypeOf<string>()
    // @ts-expect-error the id cannot be changed
    session.id = 'another'
  })
})

describe('options', () => {
  it('are all optional', () => {
    expectTypeOf(ExecSession.create).toBeCallableWith({})
    expectTypeOf(session.execute).toBeCallableWith('hi', {})
    expectTypeOf<Partial<TurnOptions>>().toEqualTypeOf<TurnOptions>()
    expectTypeOf<Partial<SessionOptions>>().toEqualTypeOf<SessionOptions>()
  })

  it('refuse what is not one, and values of another type', () => {
    // @ts-expect-error a word that is misspelt
    void ExecSession.create({ projectpath: '.' })
    // @ts-expect-error a number is no path
    void ExecSession.create({ projectPath: 5 })
    void ExecSession.create({ env: { SET: 'value', REMOVED: null } })
    // @ts-expect-error a number is no value of a variable
    void ExecSession.create({ env: { SET: 5 } })
    // @ts-expect-error how long things may linger is a matter of the session
    void session.execute('hi', { timeouts: { lingerMs: 5 } })
  })

  it('take a handler of permissions that answers now or later', () => {
    void ExecSession.create({ onPermission: () => ({ behavior: 'deny', message: 'no' }) })
    void ExecSession.create({
      onPermission: async ({ tool, parameters }) => {
        expectTypeOf(tool).toEqualTypeOf<string>()
        expectTypeOf(parameters).toEqualTypeOf<Record<string, unknown>>()
        return { behavior: 'allow', updatedInput: { command: 'ls' } }
      },
    })
    // @ts-expect-error yes and no are no behaviours
    void ExecSession.create({ onPermission: () => ({ behavior: 'yes' }) })
    // @ts-expect-error a denial has no input
    void session.respond('1', { behavior: 'deny', updatedInput: {} })
    expectTypeOf(session.respond).parameter(1).toEqualTypeOf<PermissionDecision>()
  })
})

describe('an error', () => {
  it('has a code out of a closed list', () => {
    expectTypeOf<ErrorCode>().toExtend<string>()
    expectTypeOf<'CLI_NOT_FOUND'>().toExtend<ErrorCode>()
    expectTypeOf<'NO_SUCH_CODE'>().not.toExtend<ErrorCode>()
    expectTypeOf<string>().not.toExtend<ErrorCode>()
    expectTypeOf(ERROR_CODES).toEqualTypeOf<ErrorCode[]>()
  })

  it('can be told by its class', () => {
    const thrown: unknown = execError('RATE_LIMIT', 'slow down')
    if (thrown instanceof RateLimitError) {
      expectTypeOf(thrown).toExtend<ExecError>()
      expectTypeOf(thrown.code).toEqualTypeOf<ErrorCode>()
      expectTypeOf(thrown.retryAfterMs).toEqualTypeOf<number | undefined>()
    }
    // @ts-expect-error there is no such code
    execError('SLOW_DOWN', 'slow down')
  })
})
