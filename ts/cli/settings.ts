import { accessSync, constants, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { execError } from '../errors.js'
import type { RetentionPolicy } from '../history.js'
import { type Budget, budgetOf } from '../options.js'
import type { RetryPolicy } from '../retry.js'
import { parseDuration } from './duration.js'

/** What a project's `.locus/settings.json` may say; other keys belong to other commands. */
export interface Settings {
  provider?: string
  model?: string
  /** How often and how patiently a turn is tried. */
  retry?: RetryPolicy
  /** Which conversations are kept; `null` for a limit that is none. */
  history?: Pick<RetentionPolicy, 'keep' | 'maxAgeDays' | 'compressAfterDays' | 'maxBytes'>
  /** What each turn, and what a whole conversation may use. */
  budget?: { turn?: Budget; session?: Budget }
  /** How long a turn may take, for example `10m`. */
  timeout?: string
  /** Who takes over, in this order, where an agent cannot do a turn. */
  fallback?: string[]
  /** Also where the turn that failed had changed something. */
  fallbackAfterChanges?: boolean
}

/** Where the settings of a project are. */
export function settingsPath(projectPath: string): string {
  return join(projectPath, '.locus', 'settings.json')
}

/** The settings of a project, overridden by `LOCUS_PROVIDER` and `LOCUS_MODEL`; a missing file is an empty one. */
export function loadSettings(projectPath: string, env: NodeJS.ProcessEnv): Settings {
  const { provider, model, ...others } = readSettings(projectPath)
  return { provider: env.LOCUS_PROVIDER || provider, model: env.LOCUS_MODEL || model, ...others }
}

function readSettings(projectPath: string): Settings {
  const path = settingsPath(projectPath)
  let content: string
  try {
    // Some editors begin a file with a byte order mark, which JSON does not know.
    content = readFileSync(path, 'utf8').replace(/^\ufeff/, '')
  } catch (error) {
    // A project folder that is missing or forbidden is named by the engine, with its own code.
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || !canEnter(projectPath)) {
      return {}
    }
    throw execError('INVALID_INPUT', `cannot read the settings in '${path}': ${(error as Error).message}`, {
      cause: error,
    })
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(content)
  } catch (cause) {
    throw execError('INVALID_INPUT', `the settings in '${path}' are not JSON: ${(cause as Error).message}`, {
      cause,
    })
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw execError('INVALID_INPUT', `the settings in '${path}' must be a JSON object`)
  }
  return {
    provider: word(parsed, 'provider', path),
    model: word(parsed, 'model', path),
    history: limits(parsed, path),
    retry: retry(parsed, path),
    budget: budgets(parsed, path),
    timeout: duration(parsed, path),
    fallback: agents(parsed, path),
    fallbackAfterChanges: yesOrNo(parsed, 'fallbackAfterChanges', path),
  }
}

/** Which of them are known is checked where they are needed. */
function agents(settings: object, path: string): string[] | undefined {
  const { fallback } = settings as { fallback?: unknown }
  const isList = Array.isArray(fallback) && fallback.every((name) => typeof name === 'string' && name !== '')
  if (fallback === undefined || isList) {
    return fallback as string[] | undefined
  }
  throw execError('INVALID_INPUT', `the setting 'fallback' in '${path}' must be an array of providers`)
}

function yesOrNo(settings: object, key: 'fallbackAfterChanges', path: string): boolean | undefined {
  const value = (settings as Record<string, unknown>)[key]
  if (value === undefined || typeof value === 'boolean') {
    return value
  }
  throw execError('INVALID_INPUT', `the setting '${key}' in '${path}' must be true or false`)
}

function retry(settings: object, path: string): RetryPolicy | undefined {
  const { retry } = settings as { retry?: unknown }
  if (retry === undefined || (typeof retry === 'object' && retry !== null && !Array.isArray(retry))) {
    // What is in it is checked with the options of the session.
    return retry as RetryPolicy | undefined
  }
  throw execError('INVALID_INPUT', `the setting 'retry' in '${path}' must be an object`)
}

const LIMITS = ['keep', 'maxAgeDays', 'compressAfterDays', 'maxBytes']

function limits(settings: object, path: string): Settings['history'] {
  const { history } = settings as { history?: unknown }
  if (history === undefined) {
    return undefined
  }
  const isLimit = ([name, value]: [string, unknown]) =>
    LIMITS.includes(name) && (value === null || (Number.isInteger(value) && (value as number) >= 0))
  if (typeof history === 'object' && history !== null && Object.entries(history).every(isLimit)) {
    return history
  }
  throw execError(
    'INVALID_INPUT',
    `the setting 'history' in '${path}' must be an object of ${LIMITS.join(', ')}, each a whole number or null`,
  )
}

const BUDGETS = ['turn', 'session']

function budgets(settings: object, path: string): Settings['budget'] {
  const { budget } = settings as { budget?: unknown }
  if (budget === undefined) {
    return undefined
  }
  if (
    typeof budget !== 'object' ||
    budget === null ||
    !Object.keys(budget).every((key) => BUDGETS.includes(key))
  ) {
    throw execError(
      'INVALID_INPUT',
      `the setting 'budget' in '${path}' must be an object of ${BUDGETS.join(', ')}, each with costUsd, tokens, turns`,
    )
  }
  const { turn, session } = budget as { turn?: unknown; session?: unknown }
  return { turn: limitsIn('turn', turn, path), session: limitsIn('session', session, path) }
}

function limitsIn(name: string, budget: unknown, path: string): Budget | undefined {
  try {
    return budgetOf(budget)
  } catch (cause) {
    const problem = (cause as Error).message.replace(/^option 'budget/, `'budget.${name}`)
    throw execError('INVALID_INPUT', `in the settings in '${path}', ${problem}`, { cause })
  }
}

function duration(settings: object, path: string): string | undefined {
  const { timeout } = settings as { timeout?: unknown }
  if (timeout !== undefined) {
    parseDuration(String(timeout), `the setting 'timeout' in '${path}'`)
  }
  return timeout as string | undefined
}

function canEnter(folder: string): boolean {
  try {
    accessSync(folder, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function word(settings: object, key: 'provider' | 'model', path: string): string | undefined {
  const value = (settings as Record<string, unknown>)[key]
  if (value === undefined || (typeof value === 'string' && value !== '')) {
    return value
  }
  throw execError('INVALID_INPUT', `the setting '${key}' in '${path}' must be a non-empty string`)
}
