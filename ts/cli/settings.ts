import { accessSync, constants, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { execError } from '../errors.js'

/** What a project's `.locus/settings.json` may say; other keys belong to other commands. */
export interface Settings {
  provider?: string
  model?: string
}

/** The settings of a project, overridden by `LOCUS_PROVIDER` and `LOCUS_MODEL`; a missing file is an empty one. */
export function loadSettings(projectPath: string, env: NodeJS.ProcessEnv): Settings {
  const { provider, model } = readSettings(projectPath)
  return { provider: env.LOCUS_PROVIDER || provider, model: env.LOCUS_MODEL || model }
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
  return { provider: word(parsed, 'provider', path), model: word(parsed, 'model', path) }
}

function canEnter(folder: string): boolean {
  try {
    accessSync(folder, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function word(settings: object, key: keyof Settings, path: string): string | undefined {
  const value = (settings as Record<string, unknown>)[key]
  if (value === undefined || (typeof value === 'string' && value !== '')) {
    return value
  }
  throw execError('INVALID_INPUT', `the setting '${key}' in '${path}' must be a non-empty string`)
}
