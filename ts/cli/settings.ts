import { accessSync, constants, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { execError } from '../errors.js'
import type { RetentionPolicy } from '../history.js'
import type { RetryPolicy } from '../retry.js'

/** What a project's `.locus/settings.json` may say; other keys belong to other commands. */
export interface Settings {
  provider?: string
  model?: string
  /** Which conversations are kept; `null` for a limit that is none. */
  /** How often and how patiently a turn is tried. */
  retry?: RetryPolicy
  history?: Pick<RetentionPolicy, 'keep' | 'maxAgeDays' | 'compressAfterDays'>
}

/** The settings of a project, overridden by `LOCUS_PROVIDER` and `LOCUS_MODEL`; a missing file is an empty one. */
export function loadSettings(projectPath: string, env: NodeJS.ProcessEnv): Settings {
  const { provider, model, ...others } = readSettings(projectPath)
  return { provider: env.LOCUS_PROVIDER || provider, model: env.LOCUS_MODEL || model, ...others }
}

function readSettings(projectPath: string): Settings {
  const path = join(projectPath, '.locus', 'settings.json')
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
  }
}

function retry(settings: object, path: string): RetryPolicy | undefined {
  const { retry } = settings as { retry?: unknown }
  if (retry === undefined || (typeof retry === 'object' && retry !== null && !Array.isArray(retry))) {
    // What is in it is checked with the options of the session.
    return retry as RetryPolicy | undefined
  }
  throw execError('INVALID_INPUT', `the setting 'retry' in '${path}' must be an object`)
}

const LIMITS = ['keep', 'maxAgeDays', 'compressAfterDays']

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
