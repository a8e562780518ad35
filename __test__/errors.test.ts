import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'
import { errorOfChunk, errorOfNative } from '../ts/errors.js'
import * as exported from '../ts/index.js'
import {
  ERROR_CODES,
  type ErrorCode,
  ExecError,
  type ExecErrorDetails,
  execError,
  type SessionOptions,
} from '../ts/index.js'
import { native } from '../ts/native.js'
import { fakeAgent } from './support/fakes.js'
import { temporaryFolder } from './support/folder.js'
import { openSession, rejectionOf } from './support/session.js'

const CLASSES: Record<ErrorCode, typeof ExecError> = {
  INVALID_INPUT: exported.InvalidInputError,
  UNKNOWN_PROVIDER: exported.UnknownProviderError,
  AGENT_NOT_ALLOWED: exported.AgentNotAllowedError,
  INVALID_DIRECTORY: exported.InvalidDirectoryError,
  CLI_NOT_FOUND: exported.CliNotFoundError,
  SPAWN_FAILED: exported.SpawnFailedError,
  BROKEN_INSTALLATION: exported.BrokenInstallationError,
  EXITED_BEFORE_INIT: exported.ExitedBeforeInitError,
  NO_RESULT: exported.NoResultError,
  PROCESS_CRASHED: exported.ProcessCrashedError,
  KILLED_BY_SIGNAL: exported.KilledBySignalError,
  PROTOCOL: exported.ProtocolError,
  API_ERROR: exported.ApiError,
  AUTH: exported.AuthError,
  RATE_LIMIT: exported.RateLimitError,
  OVERLOADED: exported.OverloadedError,
  NETWORK_ERROR: exported.NetworkError,
  MAX_TURNS: exported.MaxTurnsError,
  BUDGET_EXCEEDED: exported.BudgetExceededError,
  CONTEXT_LIMIT: exported.ContextLimitError,
  PERMISSION_DENIED: exported.PermissionDeniedError,
  TOOL_FAILURE: exported.ToolFailureError,
  SYNTAX: exported.CodeSyntaxError,
  DEPENDENCY: exported.DependencyError,
  UNKNOWN: exported.UnknownError,
  AGENT_ERROR: exported.AgentError,
  START_TIMEOUT: exported.StartTimeoutError,
  IDLE_TIMEOUT: exported.IdleTimeoutError,
  TURN_TIMEOUT: exported.TurnTimeoutError,
  CANCELLED: exported.CancelledError,
  SESSION_BUSY: exported.SessionBusyError,
  SESSION_ENDED: exported.SessionEndedError,
  SESSION_NOT_FOUND: exported.SessionNotFoundError,
  SESSION_AMBIGUOUS: exported.SessionAmbiguousError,
  HISTORY: exported.HistoryError,
  SCHEMA_TOO_NEW: exported.SchemaTooNewError,
  INTERNAL: exported.InternalError,
}

/** How a turn of a fake agent is rejected. */
async function failureOf(fake: string, prompt = 'hi', options: SessionOptions = {}): Promise<ExecError> {
  const session = await openSession(fake, options)
  return (await rejectionOf(session.execute(prompt))) as ExecError
}

describe('the error codes', () => {
  it('are those of the addon, in its order', () => {
    expect(ERROR_CODES).toEqual(
      native()
        .errorCodes()
        .map(({ code }) => code),
    )
  })

  it.each(ERROR_CODES)('%s has a class of its own', (code) => {
    const error = execError(code, 'it failed')
    expect(error).toBeInstanceOf(CLASSES[code])
    expect(error).toBeInstanceOf(ExecError)
    expect(error).toBeInstanceOf(Error)
    expect(error.constructor).toBe(CLASSES[code])
    expect(error.name).toBe(CLASSES[code].name)
    expect(error).toMatchObject({ code, message: 'it failed', retryable: false })
    expect(String(error)).toBe(`${error.name}: it failed`)
    expect(error.stack).toContain(import.meta.filename)
  })

  it('have all the classes that are exported', () => {
    const names = Object.keys(exported).filter((name) => /^[A-Z].*Error$/.test(name) && name !== 'ExecError')
    expect(names.toSorted()).toEqual(
      Object.values(CLASSES)
        .map(({ name }) => name)
        .toSorted(),
    )
    expect(new Set(Object.values(CLASSES)).size).toBe(ERROR_CODES.length)
  })
})

describe('a turn that fails', () => {
  const AGENT_FAILURES: [ErrorCode, object][] = [
    ['AUTH', { api_error_status: 401 }],
    ['AUTH', { api_error_status: 403 }],
    ['RATE_LIMIT', { api_error_status: 429 }],
    ['OVERLOADED', { api_error_status: 529 }],
    ['API_ERROR', { api_error_status: 400 }],
    ['NETWORK_ERROR', { api_error: 'connection_failed' }],
    ['MAX_TURNS', { subtype: 'error_max_turns' }],
    ['BUDGET_EXCEEDED', { subtype: 'error_max_budget_usd' }],
    ['AGENT_ERROR', { subtype: 'error_during_execution' }],
  ]

  it.each(AGENT_FAILURES)('by the agent with %s rejects with that code: %j', async (code, fields) => {
    const failure = await failureOf(
      'fails-as-told',
      JSON.stringify({ errors: ['this', 'and that'], ...fields }),
    )
    expect(failure).toBeInstanceOf(CLASSES[code])
    const retryable = native()
      .errorCodes()
      .find((known) => known.code === code)?.retryable
    expect(failure).toMatchObject({ code, message: 'this; and that', retryable })
    expect(failure.result).toMatchObject({
      success: false,
      stopReason: 'error',
      agentSessionId: 'fake-session',
    })
  })

  const DEATHS: [string, ErrorCode, Partial<ExecError>][] = [
    [
      'exits-before-init',
      'EXITED_BEFORE_INIT',
      { exitCode: 3, stderrTail: 'fake: the configuration is broken' },
    ],
    ['exits-without-result', 'NO_RESULT', { exitCode: 0 }],
    ['exits-non-zero', 'PROCESS_CRASHED', { exitCode: 7, stderrTail: 'fake: the disk is full' }],
    ['kills-itself', 'KILLED_BY_SIGNAL', { signal: 'SIGKILL' }],
    ['prints-garbage', 'PROTOCOL', { exitCode: 0 }],
  ]

  it.each(DEATHS)('by an agent that %s rejects with %s', async (fake, code, facts) => {
    const failure = await failureOf(fake)
    expect(failure).toBeInstanceOf(CLASSES[code])
    expect(failure).toMatchObject({ code, ...facts })
    expect(failure).toHaveProperty('exitCode' in facts ? 'exitCode' : 'signal')
    expect(failure.message).toMatch(/^claude /)
  })

  const TIMEOUTS: [ErrorCode, string, SessionOptions['timeouts'], string][] = [
    ['START_TIMEOUT', 'never-gets-ready', { startMs: 20 }, 'claude was not ready after 20ms and was stopped'],
    ['IDLE_TIMEOUT', 'waits-for-interrupt', { idleMs: 20 }, 'claude was silent for 20ms and was stopped'],
    [
      'TURN_TIMEOUT',
      'streams-until-interrupted',
      { totalMs: 50 },
      'claude took longer than 50ms and was stopped',
    ],
  ]

  it.each(TIMEOUTS)(
    'by a watchdog rejects with %s, for an agent that %s',
    async (code, fake, timeouts, message) => {
      const failure = await failureOf(fake, 'hi', { timeouts: { ...timeouts, settleMs: 0 } })
      expect(failure).toBeInstanceOf(CLASSES[code])
      expect(failure).toMatchObject({ code, message })
    },
  )

  it('by a watchdog of its own leaves the others their time', async () => {
    const session = await openSession('waits-for-interrupt', { timeouts: { idleMs: 60_000 } })
    const limits = { timeouts: { totalMs: 20 } }
    await expect(session.execute('hi', limits)).rejects.toMatchObject({ code: 'TURN_TIMEOUT' })
    const stream = session.executeStreaming('again')
    expect((await stream.next()).done).toBe(false)
    await stream.cancel()
    await expect(stream.result).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('by garbage shows the beginning of it', async () => {
    expect((await failureOf('prints-garbage')).message).toContain('Segmentation fault (core dumped)')
  })

  it('by a missing executable names it and the remedy', async () => {
    const failure = await failureOf('answers-with-its-pid', 'hi', { executable: 'locus-no-such-agent' })
    expect(failure).toBeInstanceOf(exported.CliNotFoundError)
    expect(failure.message).toMatch(/^'locus-no-such-agent' was not found on PATH; install Claude Code with/)
    const path = join(temporaryFolder(), 'claude')
    const other = await failureOf('answers-with-its-pid', 'hi', { executable: path })
    expect(other.message).toContain(`'${path}' was not found; `)
  })

  it('by a missing directory does not blame the executable', async () => {
    const missing = join(temporaryFolder(), 'missing')
    const failure = await failureOf('answers-with-its-pid', 'hi', { projectPath: missing })
    expect(failure).toBeInstanceOf(exported.InvalidDirectoryError)
    expect(failure.message).toBe(`working directory '${missing}' does not exist`)
    const file = await failureOf('answers-with-its-pid', 'hi', { projectPath: fakeAgent('kills-itself') })
    expect(file.message).toBe(`working directory '${fakeAgent('kills-itself')}' is not a directory`)
  })

  it('by a broken executable tells the reason of the operating system, as its cause too', async () => {
    const executable = join(temporaryFolder(), 'claude')
    writeFileSync(executable, 'no program')
    chmodSync(executable, 0o644)
    const failure = await failureOf('answers-with-its-pid', 'hi', { executable })
    expect(failure).toBeInstanceOf(exported.SpawnFailedError)
    expect(failure.message).toMatch(/^cannot start '.*claude': Permission denied/)
    expect(failure.cause).toBeInstanceOf(Error)
    expect((failure.cause as Error).message).toMatch(/^Permission denied/)
  })
})

describe('an error from a report', () => {
  it('has its causes as a chain', () => {
    const error = errorOfChunk({
      error: 'a: b: c',
      code: 'SPAWN_FAILED',
      retryable: false,
      causes: ['b', 'c'],
    })
    const causes = [error.cause, (error.cause as Error).cause] as Error[]
    expect(causes.map(({ message }) => message)).toEqual(['b', 'c'])
    expect(causes[1]).not.toHaveProperty('cause')
    expect(error).not.toHaveProperty('causes')
  })

  it('has only what is known', () => {
    const error = errorOfChunk({ type: 'error', error: 'it failed', code: 'AUTH', retryable: false } as never)
    expect(Object.keys(error).sort()).toEqual(['code', 'name', 'retryable'])
    expect(error).not.toHaveProperty('cause')
  })

  it('has every fact that is known', () => {
    const facts: ExecErrorDetails = {
      ...{ retryable: true, retryAfterMs: 1500, exitCode: 7, signal: 'SIGTERM', stderrTail: 'the end' },
    }
    const error = errorOfChunk({ error: 'it failed', code: 'RATE_LIMIT', ...facts, retryable: true })
    expect(error).toMatchObject(facts)
  })

  it('with a code that is not known is a defect, whatever the code is', () => {
    for (const code of ['NO_SUCH_CODE', 'toString', '__proto__', '']) {
      const error = errorOfChunk({ error: 'it failed', code, retryable: false })
      expect(error).toMatchObject({ code: 'INTERNAL', message: 'it failed' })
    }
  })
})

describe('what the addon throws', () => {
  it('becomes the error that its report names', () => {
    const report = { error: 'unknown provider', code: 'UNKNOWN_PROVIDER', retryable: false }
    expect(errorOfNative(new Error(JSON.stringify(report)))).toBeInstanceOf(exported.UnknownProviderError)
  })

  it.each([new TypeError('napi went wrong'), 'napi went wrong'])(
    'is a defect where it is no report: %s',
    (thrown) => {
      const error = errorOfNative(thrown)
      expect(error).toBeInstanceOf(exported.InternalError)
      expect(error).toMatchObject({ message: 'the native engine failed: napi went wrong', cause: thrown })
    },
  )
})
