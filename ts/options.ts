import { resolve } from 'node:path'

import type { NativeSessionOptions } from '../index.js'
import type { PermissionRequestChunk } from './chunks.js'
import { execError } from './errors.js'
import { runnerPath } from './native.js'

/** The answer to a question for permission. */
export type PermissionDecision =
  | {
      behavior: 'allow'
      /** Another input to use in place of the one asked about. */
      updatedInput?: Record<string, unknown>
    }
  | {
      behavior: 'deny'
      /** The reason that the agent is given. */
      message?: string
    }

/** Answers a question for permission. What it throws becomes a denial with that message. */
export type PermissionHandler = (
  request: PermissionRequestChunk,
) => PermissionDecision | Promise<PermissionDecision>

/** How long the steps of a cancellation may take. */
export interface Timeouts {
  /** Milliseconds from asking the agent to stop until its process is asked to end (default 2000). */
  settleMs?: number
  /** Milliseconds from then until the process is killed (default 5000). */
  graceMs?: number
}

/** How a session is to be run. */
export interface SessionOptions {
  /** The agent's working directory (default: the current directory). */
  projectPath?: string
  /** `claude` (default) or `demo`. */
  provider?: string
  /** The model; the agent's own choice where absent. */
  model?: string
  /** The agent's executable, a path or a name (default: found on PATH, widened by the usual folders). */
  executable?: string
  /** An argv put in front of the agent's own, for example a sandbox. */
  wrapper?: string[]
  /** Arguments added behind the agent's own. */
  extraArgs?: string[]
  /** Variables added to the agent's environment, or removed from it (`null`). */
  env?: Record<string, string | null>
  /** The agent's own permission mode, for example `acceptEdits`. */
  permissionMode?: string
  /** Tools that may be used: names, or rules in the agent's syntax such as `Bash(git *)`. */
  allowedTools?: string[]
  /** Tools that may not be used; stronger than all else. */
  deniedTools?: string[]
  /** Answer every question for permission with allow, except for denied tools (default false). */
  allowAll?: boolean
  /** Asked when the agent wants to use a tool that is neither allowed nor denied; without it the answer is no. */
  onPermission?: PermissionHandler
  /** Text added to the agent's system prompt. */
  systemPrompt?: string
  /** 0 to 16: for how many milliseconds events may be gathered after one that was delivered at once (default 0). */
  flushMs?: number
  timeouts?: Timeouts
}

/** Options of one turn. */
export interface TurnOptions {
  /** Cancels the turn when aborted. */
  signal?: AbortSignal
  /** Overrides the session's `onPermission` for this turn. */
  onPermission?: PermissionHandler
}

const MAX_FLUSH_MS = 16
const MAX_TIMEOUT_MS = 0xffff_ffff

/** The options as the addon takes them; throws `InvalidInputError` for values that cannot be used. */
export function toNative(options: SessionOptions): NativeSessionOptions & { projectPath: string } {
  const { timeouts = {} } = options
  return {
    provider: text(options, 'provider') ?? 'claude',
    projectPath: resolve(text(options, 'projectPath') ?? '.'),
    runner: runnerPath(),
    model: text(options, 'model'),
    executable: text(options, 'executable'),
    wrapper: texts(options, 'wrapper'),
    extraArgs: texts(options, 'extraArgs'),
    env: options.env,
    permissionMode: text(options, 'permissionMode'),
    allowedTools: texts(options, 'allowedTools'),
    deniedTools: texts(options, 'deniedTools'),
    allowAll: options.allowAll ?? false,
    systemPrompt: text(options, 'systemPrompt'),
    flushMs: number('flushMs', options.flushMs, MAX_FLUSH_MS) ?? 0,
    settleMs: number('timeouts.settleMs', timeouts.settleMs, MAX_TIMEOUT_MS),
    graceMs: number('timeouts.graceMs', timeouts.graceMs, MAX_TIMEOUT_MS),
  }
}

type KeysOf<V> = { [K in keyof SessionOptions]-?: NonNullable<SessionOptions[K]> extends V ? K : never }[keyof SessionOptions]

function text(options: SessionOptions, name: KeysOf<string>): string | undefined {
  const value: unknown = options[name]
  if (value === undefined || (typeof value === 'string' && value !== '' && !value.includes('\0'))) {
    return value
  }
  throw invalid(name, 'a non-empty string', value)
}

function texts(options: SessionOptions, name: KeysOf<string[]>): string[] | undefined {
  const value: unknown = options[name]
  if (value === undefined || (Array.isArray(value) && value.every((item) => typeof item === 'string'))) {
    return value
  }
  throw invalid(name, 'an array of strings', value)
}

function number(name: string, value: unknown, max: number): number | undefined {
  if (value === undefined || (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max)) {
    return value
  }
  throw invalid(name, `a whole number of milliseconds from 0 to ${max}`, value)
}

function invalid(name: string, wanted: string, value: unknown): Error {
  return execError('INVALID_INPUT', `option '${name}' must be ${wanted}, not ${JSON.stringify(value) ?? String(value)}`)
}
