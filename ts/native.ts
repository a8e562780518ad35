import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type * as Native from '../index.js'
import { execError } from './errors.js'
import { PLATFORMS, type Platform, packageOf, platformOf, thisHost, whyMissing } from './platform.js'

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
    const host = thisHost()
    throw execError(
      'BROKEN_INSTALLATION',
      whyMissing('the native addon', host, whyNotLoaded(platformOf(host))),
      { cause },
    )
  }
}

/** What the system says of an addon that is there; undefined where there is none. The error of `index.js` hides it. */
function whyNotLoaded(platform: Platform | undefined): string | undefined {
  for (const path of platform ? [`../locus-exec.${platform}.node`, packageOf(platform)] : []) {
    try {
      require(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') {
        return (error as Error).message
      }
    }
  }
  return undefined
}

const RUNNER = process.platform === 'win32' ? 'locus-runner.exe' : 'locus-runner'

let runner: string | undefined

/** The path of `locus-runner`: `$LOCUS_RUNNER_PATH`, the one that was built here, or that of the platform's package. */
export function runnerPath(): string {
  const named = process.env.LOCUS_RUNNER_PATH
  if (named) {
    return named
  }
  runner ??= findRunner()
  return runner
}

function findRunner(): string {
  const built = join(dirname(fileURLToPath(import.meta.url)), '..', RUNNER)
  if (existsSync(built)) {
    return built
  }
  // One is installed; only where somebody has installed those for other machines too, the C library decides.
  const ours = `${process.platform}-${process.arch}-`
  const shipped = PLATFORMS.filter((name) => `${name}-`.startsWith(ours)).filter(shippedRunner)
  const platform = shipped.length > 1 ? platformOf(thisHost()) : shipped[0]
  const path = platform && shippedRunner(platform)
  if (path === undefined) {
    throw execError('BROKEN_INSTALLATION', whyMissing(`'${RUNNER}'`, thisHost()))
  }
  return path
}

function shippedRunner(platform: Platform): string | undefined {
  try {
    const path = join(dirname(require.resolve(`${packageOf(platform)}/package.json`)), RUNNER)
    return existsSync(path) ? path : undefined
  } catch {
    // The package is not installed.
    return undefined
  }
}
