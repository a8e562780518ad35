import { describe, expect, it, vi } from 'vitest'

import {
  type ErrorCode,
  ErrorHandler,
  type ExecErrorDetails,
  execError,
  type RecoverableSession,
  type Recovery,
  recoveryChoices,
} from '../ts/index.js'

const actionsFor = (code: ErrorCode, details?: ExecErrorDetails) =>
  recoveryChoices(execError(code, 'it failed', details)).map(({ action }) => action)

/** A session that only remembers. */
function fakeSession() {
  const session = { save: vi.fn(async () => {}), use: vi.fn(async () => {}) }
  return session satisfies RecoverableSession
}

const failure = (code: ErrorCode, details?: ExecErrorDetails) => execError(code, 'it failed', details)

describe('what can be done about a failure', () => {
  const withTool = { attempts: [{ attempt: 1, code: 'PROCESS_CRASHED', message: '', lastTool: 'Bash' }] }
  const CASES: [ErrorCode, ExecErrorDetails, string[]][] = [
    ['PROCESS_CRASHED', {}, ['retry', 'continue', 'switch', 'abort']],
    ['PROCESS_CRASHED', withTool, ['retry', 'continue', 'skip', 'switch', 'abort']],
    ['PROCESS_CRASHED', { needsConsent: true }, ['continue', 'retry', 'switch', 'abort']],
    ['RATE_LIMIT', {}, ['switch', 'retry', 'continue', 'abort']],
    ['CONTEXT_LIMIT', {}, ['switch', 'abort']],
    ['MAX_TURNS', {}, ['continue', 'retry', 'switch', 'abort']],
    ['TOOL_FAILURE', {}, ['retry', 'continue', 'skip', 'switch', 'abort']],
    ['CLI_NOT_FOUND', {}, ['abort']],
    ['CANCELLED', {}, ['abort']],
  ]

  it.each(CASES)('of %s %j', (code, details, actions) => {
    expect(actionsFor(code, details)).toEqual(actions)
  })
})

describe('an ErrorHandler', () => {
  const choosing = (recovery: Recovery) => new ErrorHandler({ choose: () => recovery })

  it('saves the session whatever happens then', async () => {
    const session = fakeSession()
    const outcome = await choosing({ action: 'retry' }).handle(failure('CANCELLED'), session, 'do it')
    expect(outcome).toEqual({ action: 'abort' })
    expect(session.save).toHaveBeenCalledOnce()
  })

  it('asks only where there is a choice', async () => {
    const choose = vi.fn(() => ({ action: 'abort' as const }))
    const handler = new ErrorHandler({ choose })
    await handler.handle(failure('CLI_NOT_FOUND'), fakeSession(), 'do it')
    expect(choose).not.toHaveBeenCalled()
    const error = failure('NETWORK_ERROR')
    await handler.handle(error, fakeSession(), 'do it')
    expect(choose).toHaveBeenCalledWith({ error, choices: recoveryChoices(error), prompt: 'do it' })
  })

  it('gives the prompt that belongs to what was chosen', async () => {
    const outcomeOf = (recovery: Recovery, details?: ExecErrorDetails) =>
      choosing(recovery).handle(failure('PROCESS_CRASHED', details), fakeSession(), 'do it')
    expect(await outcomeOf({ action: 'retry' })).toEqual({ action: 'retry', prompt: 'do it' })
    expect(await outcomeOf({ action: 'continue' })).toEqual({
      action: 'continue',
      prompt: expect.stringMatching(/PROCESS_CRASHED: it failed.*do not do again what has been done/),
    })
    const attempts = [{ attempt: 1, code: 'PROCESS_CRASHED', message: '', lastTool: 'Bash' }]
    expect(await outcomeOf({ action: 'skip' }, { attempts })).toEqual({
      action: 'skip',
      prompt: expect.stringMatching(/Do without Bash this time\.$/),
    })
    // Not offered for this failure.
    expect(await outcomeOf({ action: 'skip' })).toEqual({ action: 'abort' })
  })

  it('switches the model, and does not repeat what changed something', async () => {
    const session = fakeSession()
    const recovery: Recovery = { action: 'switch', model: 'sonnet' }
    const outcome = await choosing(recovery).handle(failure('OVERLOADED'), session, 'do it')
    expect(outcome).toEqual({ action: 'switch', prompt: 'do it' })
    expect(session.use).toHaveBeenCalledWith({ model: 'sonnet' })
    const changed = await choosing(recovery).handle(
      failure('OVERLOADED', { needsConsent: true }),
      session,
      'do it',
    )
    expect(changed).toMatchObject({ prompt: expect.stringContaining('Go on from where it stopped') })
  })

  it('recovers no more often than it may', async () => {
    const handler = new ErrorHandler({ choose: () => ({ action: 'retry' }), maxRecoveries: 1 })
    const actions = []
    for (let count = 0; count < 2; count++) {
      actions.push((await handler.handle(failure('NETWORK_ERROR'), fakeSession(), 'do it')).action)
    }
    expect(actions).toEqual(['retry', 'abort'])
  })

  it('waits for a limit to be reset, unless it is stopped', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const controller = new AbortController()
    const handler = new ErrorHandler({ choose: () => ({ action: 'retry' }), signal: controller.signal })
    const limited = failure('RATE_LIMIT', { resetsAt: Date.now() + 3_600_000 })
    const outcome = handler.handle(limited, fakeSession(), 'do it')
    controller.abort()
    expect(await outcome).toEqual({ action: 'abort' })
    const over = failure('RATE_LIMIT', { resetsAt: Date.now() - 1 })
    expect((await choosing({ action: 'retry' }).handle(over, fakeSession(), 'do it')).action).toBe('retry')
    vi.useRealTimers()
  })

  it('needs somebody who chooses', () => {
    expect(() => new ErrorHandler({} as never)).toThrow(/option 'choose' must be a function/)
  })
})
