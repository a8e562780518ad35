import { setTimeout as sleep } from 'node:timers/promises'

import type { NativeRetryPolicy } from '../index.js'
import type { FailedAttempt } from './chunks.js'
import { asExecError } from './classify.js'
import { type ExecError, execError } from './errors.js'
import { native } from './native.js'
import { flag, invalid, number } from './values.js'

/** How often and how patiently something is tried. Waits are in milliseconds. */
export interface RetryPolicy {
  /** Tries in all, those that an agent makes by itself included (default 3); 1 means that nothing is tried again. */
  tries?: number
  /** The longest wait before the second try (default 1000). */
  delayMs?: number
  /** By what the longest wait grows from try to try (default 2). */
  factor?: number
  /** What it grows up to (default 30,000). */
  maxDelayMs?: number
  /** Choose each wait at random between nothing and the longest (default true). */
  jitter?: boolean
  /** For how long a limit may be waited for whose end is known (default 60,000); such a wait uses up no try. */
  maxWaitMs?: number
  /** How long all waits may be together (default 900,000). */
  maxTotalMs?: number
  /**
   * When the agent has used a tool that changes things: `continue` (default) tells it to go on where it stopped, `ask` lets the
   * turn fail with `needsConsent`. It is never told to do the same again.
   */
  afterChanges?: 'continue' | 'ask'
}

/** What an agent, or a function, is told of earlier attempts at the same thing. */
export interface RetryContext {
  /** Oldest first. */
  failures: FailedAttempt[]
  /** What somebody thinks the reason is, and what to do otherwise. */
  hypothesis?: string
}

/** The policy as the addon takes it; throws `InvalidInputError` for one that cannot be used. */
export function nativePolicy(retry: RetryPolicy | false | undefined): NativeRetryPolicy | undefined {
  if (retry === false) {
    return { tries: 1 }
  }
  if (retry === undefined) {
    return undefined
  }
  const { factor, afterChanges } = retry
  if (factor !== undefined && !(typeof factor === 'number' && factor >= 1)) {
    throw invalid('retry.factor', 'a number from 1', factor)
  }
  if (afterChanges !== undefined && afterChanges !== 'continue' && afterChanges !== 'ask') {
    throw invalid('retry.afterChanges', "'continue' or 'ask'", afterChanges)
  }
  return {
    tries: number('retry.tries', retry.tries),
    delayMs: number('retry.delayMs', retry.delayMs),
    factor,
    maxDelayMs: number('retry.maxDelayMs', retry.maxDelayMs),
    jitter: flag('retry.jitter', retry.jitter),
    maxWaitMs: number('retry.maxWaitMs', retry.maxWaitMs),
    maxTotalMs: number('retry.maxTotalMs', retry.maxTotalMs),
    askAfterChanges: afterChanges && afterChanges === 'ask',
  }
}

/** That something failed and is tried again. */
export interface ScheduledRetry {
  /** Which attempt comes next: 2, 3, … */
  attempt: number
  /** Milliseconds until then. */
  delayMs: number
  /** What the last attempt failed of. */
  error: ExecError
}

/** How one thing is tried. */
export interface RetryRunOptions {
  /** Ends the waiting; what runs gets it, too. */
  signal?: AbortSignal
  /** Told before each wait. */
  onRetry?: (retry: ScheduledRetry) => void
  /** What earlier attempts failed of. */
  context?: RetryContext
}

/** What an attempt is given. */
export interface Attempt {
  /** 1, 2, 3, … */
  attempt: number
  /** What the attempts before it failed of. */
  context: RetryContext
  signal: AbortSignal | undefined
}

/**
 * Tries any function again where it fails of something that may pass, by the same decision as the engine tries turns
 * (`src/run/retry.rs`). The function has to be one that does no harm when it is called twice.
 */
export class RetryManager {
  readonly #policy: NativeRetryPolicy

  /** Throws `InvalidInputError` for a policy that cannot be used. */
  constructor(policy: RetryPolicy = {}) {
    this.#policy = nativePolicy(policy) ?? {}
  }

  /**
   * Resolves to what the function does in the end; rejects with the last failure, as an `ExecError` that has all `attempts`
   * where there were several, or with `CancelledError`.
   */
  async run<T>(
    operation: (attempt: Attempt) => T | Promise<T>,
    { signal, onRetry, context }: RetryRunOptions = {},
  ): Promise<T> {
    const failures = [...(context?.failures ?? [])]
    let tries = 0
    let waitedMs = 0
    for (let attempt = 1; ; attempt++) {
      throwIfAborted(signal)
      try {
        return await operation({ attempt, context: { ...context, failures: [...failures] }, signal })
      } catch (thrown) {
        throwIfAborted(signal)
        const error = asExecError(thrown)
        failures.push({ attempt, code: error.code, message: error.message })
        const { code, retryAfterMs, resetsAt } = error
        const retry = error.retryable
          ? native().decideRetry(
              { code, retryAfterMs, resetsAt, tries, waitedMs },
              this.#policy,
              Date.now(),
              Math.random(),
            )
          : null
        if (retry === null) {
          throw attempt === 1 ? error : withAttempts(error, failures)
        }
        tries = retry.tries
        waitedMs += retry.delayMs
        onRetry?.({ attempt: attempt + 1, delayMs: retry.delayMs, error })
        await pause(retry.delayMs, signal)
      }
    }
  }
}

function withAttempts(error: ExecError, attempts: FailedAttempt[]): ExecError {
  return Object.assign(error, { attempts })
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw execError('CANCELLED', 'it was cancelled', { cause: signal.reason })
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch {
    // It fails only because of the signal.
    throwIfAborted(signal)
  }
}
