import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type * as Native from '../index.js'
import { execError } from './errors.js'

const require = createRequire(import.meta.url)

let loaded: typeof Native | undefined

/** The addon, loaded when it is first needed. The only place that imports it. */
export function native(): typeof Native {
  loaded ??= load()
  return loaded
}

function load(): typeof Native {
  try {
    return require('../index.js') as typeof Native
  } catch (cause) {
    throw execError(
      'INTERNAL',
      `the native addon of @locus/exec-native cannot be loaded on ${process.platform}-${process.arch} with Node ${process.version}; ` +
        'install the package again so that the package of your platform comes with it, or build it with `npm run build`',
      { cause },
    )
  }
}

const RUNNER = process.platform === 'win32' ? 'locus-runner.exe' : 'locus-runner'

/** The path of `locus-runner`: `$LOCUS_RUNNER_PATH`, or the one that was shipped or built with the addon. */
export function runnerPath(): string {
  const named = process.env.LOCUS_RUNNER_PATH
  if (named) {
    return named
  }
  const path = join(dirname(fileURLToPath(import.meta.url)), '..', RUNNER)
  if (!existsSync(path)) {
    throw execError(
      'INTERNAL',
      `'${path}' is missing; install @locus/exec-native again, or build it with \`npm run build\``,
    )
  }
  return path
}
