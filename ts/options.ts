import { resolve } from 'node:path'

import type { NativeImage, NativeSessionOptions } from '../index.js'
import type { PermissionRequestChunk } from './chunks.js'
import { execError } from './errors.js'
import type { JSON_LINES } from './json-lines.js'
import { runnerPath } from './native.js'
import type { RetryContext, RetryPolicy } from './retry.js'
import { flag, invalid, number } from './values.js'

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

/** How long things may take, in milliseconds; 0 means for ever for the first three. */
export interface Timeouts {
  /** From the start of the agent until it is ready (default 60,000); `START_TIMEOUT`. */
  startMs?: number
  /**
   * Without any output in the middle of a turn (default 900,000); `IDLE_TIMEOUT`. Time in which somebody is asked for
   * permission, or in which the chunks are not read, does not count.
   */
  idleMs?: number
  /** The whole turn (default 0); `TURN_TIMEOUT`. */
  totalMs?: number
  /** For how long the agent may stay when the session has ended (default 2000). */
  lingerMs?: number
  /** From asking the agent to stop a turn until its process is asked to end (default 2000). */
  settleMs?: number
  /** From asking a process to end until it is killed with all that it started (default 5000). */
  graceMs?: number
}

/**
 * What may be used. It is looked at whenever the agent tells what it used, so one model request may go beyond it; the
 * turn is then stopped and ends with `BUDGET_EXCEEDED`.
 */
export interface Budget {
  /** US dollars. */
  costUsd?: number
  /** Tokens of all kinds: sent, generated, read from the cache and written to it. */
  tokens?: number
  /** Model requests of the main agent. */
  turns?: number
}

/** How much is logged. */
export type LogLevel = 'off' | 'error' | 'warn' | 'info' | 'debug' | 'trace'

/** How a session is to be run. */
export interface SessionOptions {
  /** @internal */
  [JSON_LINES]?: boolean
  /** The agent's working directory (default: the current directory). */
  projectPath?: string
  /** The agent, a name from the registry: `claude` (default), `codex`, `demo`, or one of docs/agents.md. */
  provider?: string
  /**
   * Agents that take over in `session.execute()` where one is limited (after its retries), missing or not logged in: the
   * same prompt goes to the next of them, with the conversation so far. Not where the failed turn changed something.
   */
  fallback?: string[]
  /** Let them take over even then; they are told to look first at what is there (default false). */
  fallbackAfterChanges?: boolean
  /** Run agents as the project's `.locus/agents.toml` says, without the user's consent to that file (default false). */
  trustProject?: boolean
  /** The model; the agent's own choice where absent. */
  model?: string
  /** The agent's executable, a path or a name (default: found on PATH, widened by the usual folders). */
  executable?: string
  /**
   * The command of any agent that speaks ACP, for example `gemini --acp`: words as a shell would split them, but there is no shell. The
   * provider is then `acp`.
   */
  agentCommand?: string
  /** An argv put in front of the agent's own, for example a sandbox. */
  wrapper?: string[]
  /** Arguments added behind the agent's own. */
  extraArgs?: string[]
  /** Variables added to the agent's environment, or removed from it (`null`). */
  env?: Record<string, string | null>
  /** The agent's own permission mode, for example `acceptEdits`; for codex's see docs/agents.md. */
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
  /**
   * 0 to 16: for how many milliseconds events may be gathered after one that was delivered at once (default: 0 while up
   * to 4 turns run in this process, 16 while there are more).
   */
  flushMs?: number
  timeouts?: Timeouts
  /** How often and how patiently a turn is tried that fails of something that may pass; `false`: once. */
  retry?: RetryPolicy | false
  /**
   * What the whole conversation may use, what it used before it was loaded included. When nothing is left, a turn is
   * refused with `BUDGET_EXCEEDED`.
   */
  budget?: Budget
  /** Keep the conversation on disk, in `.locus/exec-history` of the project (default true; `StreamingExecutor` never does). */
  save?: boolean
  /** Another folder to keep it in, relative to the project. */
  historyDir?: string
  /** How many messages an agent is told that cannot resume the conversation by itself, the newest (default 10). */
  maxContextMessages?: number
  /**
   * What is logged in `.locus/logs` of a conversation that is kept, from this level on: ids, codes, durations, tokens, costs and
   * messages of errors, never what was said (default: `LOCUS_LOG`, else `info`).
   */
  log?: LogLevel
  /** The longest line of the agent in bytes that is understood; a longer one is skipped (default 16 MiB). */
  maxLineBytes?: number
}

/** An image that goes with a prompt: the path of a PNG, JPEG, GIF or WebP file, relative to the project, or its bytes. */
export type ImageInput = string | ImageBytes

/** An image as bytes. */
export interface ImageBytes {
  /** As in a file; a string is base64. */
  data: Uint8Array | string
  /** `image/png`, `image/jpeg`, `image/gif` or `image/webp`. */
  mediaType: string
  /** What it is called in the history (default: its media type). */
  name?: string
}

/** Options of one turn. */
export interface TurnOptions {
  /** Cancels the turn when aborted. */
  signal?: AbortSignal
  /** Overrides the session's `onPermission` for this turn. */
  onPermission?: PermissionHandler
  /** Override the session's for this turn. */
  timeouts?: Pick<Timeouts, 'startMs' | 'idleMs' | 'totalMs'>
  /** Overrides the session's for this turn. */
  retry?: RetryPolicy | false
  /** What the agent is to know of earlier attempts at the same thing; for example the `attempts` of an error, with a hypothesis. */
  retryContext?: RetryContext
  /** What this turn may use; the session's budget counts too. */
  budget?: Budget
  /**
   * Images for the agent to look at: at most 20, each at most 3.9 MB (5 MiB in base64, as the Anthropic API takes), together
   * 18.8 MB. `InvalidInputError` for one that cannot be used, and for an agent that takes none.
   */
  images?: readonly ImageInput[]
}

/** The images of a turn as the addon takes them; paths are relative to `projectPath`. */
export function imagesOf(images: unknown, projectPath: string): NativeImage[] | undefined {
  if (images === undefined) {
    return undefined
  }
  // What is wrong is not shown: it may be megabytes.
  const wrong = () =>
    execError('INVALID_INPUT', "option 'images' must be an array of paths and of `{ data, mediaType }`")
  if (!Array.isArray(images)) {
    throw wrong()
  }
  return images.map((image: unknown) => {
    if (typeof image === 'string' && image !== '' && !image.includes('\0')) {
      return { name: image, path: resolve(projectPath, image) }
    }
    const { data, mediaType, name = mediaType } = (image ?? {}) as Partial<ImageBytes>
    const isData = typeof data === 'string' || data instanceof Uint8Array
    if (!isData || typeof mediaType !== 'string' || typeof name !== 'string') {
      throw wrong()
    }
    // A view of the bytes, not a copy.
    const bytes =
      typeof data === 'string'
        ? Buffer.from(data, 'base64')
        : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    return { name, data: bytes, mediaType }
  })
}

/** A decision as the addon takes it; throws `InvalidInputError` for one that cannot be used. */
export function checkedDecision(
  decision: PermissionDecision,
): { behavior: 'allow'; updatedInput: string | undefined } | { behavior: 'deny'; message: string } {
  switch (decision?.behavior) {
    case 'allow': {
      const { updatedInput } = decision
      return {
        behavior: 'allow',
        updatedInput: updatedInput === undefined ? undefined : jsonObject(updatedInput),
      }
    }
    case 'deny':
      return { behavior: 'deny', message: decision.message ?? 'the user said no' }
    default:
      throw execError('INVALID_INPUT', "a decision about a permission needs a `behavior`, 'allow' or 'deny'")
  }
}

function jsonObject(input: Record<string, unknown>): string {
  try {
    const json: string | undefined = JSON.stringify(input)
    if (json?.startsWith('{')) {
      return json
    }
  } catch (cause) {
    throw execError(
      'INVALID_INPUT',
      `\`updatedInput\` cannot be written as JSON: ${(cause as Error).message}`,
      { cause },
    )
  }
  throw execError('INVALID_INPUT', '`updatedInput` must be an object')
}

const DEFAULT_PROVIDER = 'claude'
/** Any agent that speaks ACP, by its command. */
const COMMANDED_PROVIDER = 'acp'

/** The agent that is asked for, if one is; throws `InvalidInputError` for a command of an agent that has its own. */
export function askedProvider(options: SessionOptions): string | undefined {
  const [provider, command] = [text(options, 'provider'), text(options, 'agentCommand')]
  if (command === undefined) {
    return provider
  }
  if (provider !== undefined && provider !== COMMANDED_PROVIDER) {
    throw execError(
      'INVALID_INPUT',
      `option 'agentCommand' (--agent-command) is for the agent 'acp', not for '${provider}'`,
    )
  }
  return COMMANDED_PROVIDER
}

/** The agent that these options mean. */
export function providerOf(options: SessionOptions): string {
  return askedProvider(options) ?? DEFAULT_PROVIDER
}

const MAX_FLUSH_MS = 16

/** The options as the addon takes them; throws `InvalidInputError` for values that cannot be used. */
export function toNative(options: SessionOptions): NativeSessionOptions & { projectPath: string } {
  const { timeouts = {} } = options
  return {
    provider: providerOf(options),
    projectPath: resolve(text(options, 'projectPath') ?? '.'),
    runner: runnerPath(),
    model: text(options, 'model'),
    executable: text(options, 'executable'),
    agentCommand: text(options, 'agentCommand'),
    wrapper: texts(options, 'wrapper'),
    extraArgs: texts(options, 'extraArgs'),
    env: variables(options.env),
    permissionMode: text(options, 'permissionMode'),
    allowedTools: texts(options, 'allowedTools'),
    deniedTools: texts(options, 'deniedTools'),
    allowAll: flag('allowAll', options.allowAll) ?? false,
    systemPrompt: text(options, 'systemPrompt'),
    trustProject: flag('trustProject', options.trustProject),
    flushMs: number('flushMs', options.flushMs, MAX_FLUSH_MS),
    settleMs: number('timeouts.settleMs', timeouts.settleMs),
    graceMs: number('timeouts.graceMs', timeouts.graceMs),
    lingerMs: number('timeouts.lingerMs', timeouts.lingerMs),
    log: text(options, 'log') ?? (process.env.LOCUS_LOG || undefined),
    lineLimit: number('maxLineBytes', options.maxLineBytes),
    budget: budgetOf(options.budget),
  }
}

/** Who takes over where an agent cannot do a turn, checked. */
export function fallbackOption(
  options: SessionOptions,
): { agents: string[]; afterChanges: boolean } | undefined {
  const agents = texts(options, 'fallback')
  const afterChanges = flag('fallbackAfterChanges', options.fallbackAfterChanges) ?? false
  return agents && { agents, afterChanges }
}

/** The options about the history, checked. */
export function historyOptions(options: SessionOptions): {
  save: boolean
  historyDir: string | undefined
  maxContextMessages: number | undefined
} {
  return {
    save: flag('save', options.save) ?? true,
    historyDir: text(options, 'historyDir'),
    maxContextMessages: number('maxContextMessages', options.maxContextMessages),
  }
}

/** The watchdogs of a turn, checked; the turn's own are stronger than the session's. */
export function watchdogs(
  session: Timeouts = {},
  turn: Timeouts = {},
): Pick<Timeouts, 'startMs' | 'idleMs' | 'totalMs'> {
  return {
    startMs: number('timeouts.startMs', turn.startMs ?? session.startMs),
    idleMs: number('timeouts.idleMs', turn.idleMs ?? session.idleMs),
    totalMs: number('timeouts.totalMs', turn.totalMs ?? session.totalMs),
  }
}

/** A budget, checked. */
export function budgetOf(budget: unknown): Budget | undefined {
  if (budget === undefined) {
    return undefined
  }
  if (!isRecord(budget)) {
    throw invalid('budget', 'an object', budget)
  }
  const unknown = Object.keys(budget).find((name) => !BUDGET_KEYS.includes(name))
  if (unknown !== undefined) {
    throw execError('INVALID_INPUT', `option 'budget' has no '${unknown}', only ${BUDGET_KEYS.join(', ')}`)
  }
  return {
    costUsd: limit('costUsd', budget.costUsd, Number.isFinite, 'a number of US dollars above 0'),
    tokens: limit('tokens', budget.tokens, Number.isSafeInteger, 'a whole number above 0'),
    turns: limit('turns', budget.turns, Number.isSafeInteger, 'a whole number above 0'),
  }
}

function limit(
  name: keyof Budget,
  value: unknown,
  isNumber: (value: unknown) => boolean,
  wanted: string,
): number | undefined {
  if (value === undefined || (isNumber(value) && (value as number) > 0)) {
    return value as number | undefined
  }
  throw invalid(`budget.${name}`, wanted, value)
}

const BUDGET_KEYS = ['costUsd', 'tokens', 'turns']

type KeysOf<V> = {
  [K in keyof SessionOptions]-?: NonNullable<SessionOptions[K]> extends V ? K : never
}[keyof SessionOptions]

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

function variables(env: unknown): Record<string, string | null> | undefined {
  const isVariable = (value: unknown) => value === null || typeof value === 'string'
  if (env === undefined || (isRecord(env) && Object.values(env).every(isVariable))) {
    return env as Record<string, string | null> | undefined
  }
  throw invalid('env', 'an object of strings and nulls', env)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
