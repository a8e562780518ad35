import { setTimeout as sleep } from 'node:timers/promises'

import { asExecError } from './classify.js'
import { type ErrorCode, type ExecError, execError } from './errors.js'
import type { SessionOptions } from './options.js'

/** What can be done about a turn that failed. */
export type RecoveryAction = 'retry' | 'continue' | 'skip' | 'switch' | 'abort'

/** One thing that can be done. */
export interface RecoveryChoice {
  action: RecoveryAction
  /** What it means, for people. */
  label: string
}

/** What was chosen. */
export interface Recovery {
  action: RecoveryAction
  /** For `switch`: the model, the agent or both to go on with. */
  model?: string
  provider?: string
}

/** A failure, with what can be done about it. */
export interface RecoveryRequest {
  error: ExecError
  /** The best first. */
  choices: RecoveryChoice[]
  /** The prompt of the turn that failed. */
  prompt: string
}

/** Chooses what is done. */
export type RecoveryChooser = (request: RecoveryRequest) => Recovery | Promise<Recovery>

/** The part of a session that is needed. */
export interface RecoverableSession {
  /** The agent of the next turn. */
  readonly provider?: string
  save(): Promise<void>
  use(changes: SessionOptions): Promise<void>
}

/** What comes of a failure: the prompt of the next turn, or nothing more. */
export type RecoveryOutcome =
  | { action: 'abort' }
  | {
      action: Exclude<RecoveryAction, 'abort'>
      prompt: string
      /** The agent that goes on, where it is another one. */
      provider?: string
    }

/** Agents that take over where one cannot do a turn. */
export interface Fallback {
  /** Their names, the first choice first. */
  agents: readonly string[]
  /** Also where the failed turn changed something: the next agent is told to look first (default false). */
  afterChanges?: boolean | undefined
}

const LABELS: Record<RecoveryAction, string> = {
  retry: 'try the same again',
  continue: 'go on where it stopped',
  skip: 'go on without what failed',
  switch: 'go on with another model',
  abort: 'leave it',
}

/** What a turn failed of that no other turn of the session would get further with. */
const HOPELESS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'INVALID_INPUT',
  'UNKNOWN_PROVIDER',
  'AGENT_NOT_ALLOWED',
  'INVALID_DIRECTORY',
  'CLI_NOT_FOUND',
  'SPAWN_FAILED',
  'BROKEN_INSTALLATION',
  'PROTOCOL',
  'CANCELLED',
  'SESSION_BUSY',
  'SESSION_ENDED',
  'SESSION_NOT_FOUND',
  'SESSION_AMBIGUOUS',
  'HISTORY',
  'SCHEMA_TOO_NEW',
  'INTERNAL',
])

/** Failures of a model or its API, which another one may not have. */
const OF_THE_MODEL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'RATE_LIMIT',
  'OVERLOADED',
  'API_ERROR',
  'CONTEXT_LIMIT',
])

/** Failures of an agent, its account or its model's API for which another agent is no worse than waiting. */
const OF_THE_AGENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CLI_NOT_FOUND',
  'SPAWN_FAILED',
  'AUTH',
  'RATE_LIMIT',
  'OVERLOADED',
])

/** The agents that may take over after this failure, in order; none of those that were `tried`. */
export function fallbackAgents(
  error: Pick<ExecError, 'code' | 'changed' | 'needsConsent'>,
  { agents, afterChanges = false }: Fallback,
  tried: ReadonlySet<string>,
): string[] {
  const isSafe = afterChanges || !(error.changed || error.needsConsent)
  return OF_THE_AGENT.has(error.code) && isSafe ? agents.filter((agent) => !tried.has(agent)) : []
}

/** What can be done about a failure, the best first; always `abort`, the last. */
export function recoveryChoices(error: ExecError): RecoveryChoice[] {
  const actions: RecoveryAction[] = []
  if (!HOPELESS.has(error.code)) {
    const stopped = error.needsConsent || error.code === 'MAX_TURNS' || error.code === 'BUDGET_EXCEEDED'
    if (error.code !== 'CONTEXT_LIMIT') {
      actions.push(...(stopped ? (['continue', 'retry'] as const) : (['retry', 'continue'] as const)))
    }
    if (lastTool(error) !== undefined || error.code === 'TOOL_FAILURE') {
      actions.push('skip')
    }
    actions.push('switch')
    if (OF_THE_MODEL.has(error.code)) {
      actions.sort((a, b) => Number(b === 'switch') - Number(a === 'switch'))
    }
  }
  return [...actions, 'abort' as const].map((action) => ({ action, label: LABELS[action] }))
}

/** The tool that was used last before the turn failed. */
function lastTool({ attempts = [] }: ExecError): string | undefined {
  return attempts.at(-1)?.lastTool
}

/** How failures are handled. */
export interface ErrorHandlerOptions {
  /** Chooses what is done; it is only asked where there is a choice (default: nothing is done). */
  choose?: RecoveryChooser
  /** Who takes over, before anybody is asked. */
  fallback?: Fallback
  /** How often a failure of one request is recovered from (default: without a limit). */
  maxRecoveries?: number
  /** Ends a wait for a limit to be reset. */
  signal?: AbortSignal
}

/**
 * Decides with somebody how to go on after a turn that failed. Every failure first has the session saved. Where a limit will
 * be reset at a known time, `retry` and `continue` wait for it.
 */
export class ErrorHandler {
  readonly #options: ErrorHandlerOptions
  #recoveries = 0
  /** The agents that have had their turn at this request. */
  readonly #tried = new Set<string>()

  constructor(options: ErrorHandlerOptions) {
    if (typeof options?.choose !== 'function' && options?.fallback === undefined) {
      throw execError('INVALID_INPUT', "option 'choose' must be a function that chooses what is done")
    }
    this.#options = options
  }

  /** What is to be done about the failure of a turn with this prompt. Rejects only with what `choose` throws. */
  async handle(thrown: unknown, session: RecoverableSession, prompt: string): Promise<RecoveryOutcome> {
    const error = asExecError(thrown)
    // What cannot be saved was told by a `not_saved` status; it is no reason not to go on.
    await session.save().catch(() => {})
    const fallen = await this.#fallBack(error, session, prompt)
    if (fallen) {
      return fallen
    }
    const choices = recoveryChoices(error)
    const { choose, maxRecoveries = Number.POSITIVE_INFINITY } = this.#options
    if (choose === undefined || choices.length === 1 || this.#recoveries >= maxRecoveries) {
      return { action: 'abort' }
    }
    const recovery = await choose({ error, choices, prompt })
    if (recovery.action === 'abort' || !choices.some(({ action }) => action === recovery.action)) {
      return { action: 'abort' }
    }
    this.#recoveries++
    return await this.#recover(recovery, error, session, prompt)
  }

  /** Has the next agent take over, if there is one that may and can. */
  async #fallBack(
    error: ExecError,
    session: RecoverableSession,
    prompt: string,
  ): Promise<RecoveryOutcome | undefined> {
    const { fallback, signal } = this.#options
    if (fallback === undefined || signal?.aborted) {
      return undefined
    }
    if (session.provider !== undefined) {
      this.#tried.add(session.provider)
    }
    for (const provider of fallbackAgents(error, fallback, this.#tried)) {
      this.#tried.add(provider)
      try {
        await session.use({ provider })
      } catch (refused) {
        // One that is not known or not allowed is passed over; what the turn failed of is told in the end.
        if (asExecError(refused).code === 'SESSION_BUSY') {
          throw refused
        }
        continue
      }
      return {
        action: 'switch',
        provider,
        prompt: error.changed || error.needsConsent ? goOn(error) : prompt,
      }
    }
    return undefined
  }

  async #recover(
    { action, model, provider }: Recovery,
    error: ExecError,
    session: RecoverableSession,
    prompt: string,
  ): Promise<RecoveryOutcome> {
    switch (action) {
      case 'retry':
        return (await this.#waited(error)) ? { action, prompt } : { action: 'abort' }
      case 'continue':
        return (await this.#waited(error)) ? { action, prompt: goOn(error) } : { action: 'abort' }
      case 'skip':
        return {
          action,
          prompt: `${goOn(error)} Do without ${lastTool(error) ?? 'the tool that failed'} this time.`,
        }
      case 'switch':
        await session.use({
          ...(model !== undefined && { model }),
          ...(provider !== undefined && { provider }),
        })
        return { action, prompt: error.needsConsent ? goOn(error) : prompt }
      default:
        return { action: 'abort' }
    }
  }

  /** Whether the limit that was reached has been waited for. */
  async #waited({ retryAfterMs, resetsAt }: ExecError): Promise<boolean> {
    const wait = retryAfterMs ?? (resetsAt === undefined ? 0 : Math.max(0, resetsAt - Date.now()))
    if (wait === 0) {
      return true
    }
    try {
      await sleep(wait, undefined, { signal: this.#options.signal })
      return true
    } catch {
      // It fails only because of the signal.
      return false
    }
  }
}

function goOn({ code, message }: ExecError): string {
  return (
    `Your work on the last request was interrupted before it was done (${code}: ${message}). ` +
    'Go on from where it stopped: look at what is already there, and do not do again what has been done.'
  )
}
