import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

// The types alone; what is loaded is the file of the platform.
import type * as Native from '../index.js'
import { execError } from './errors.js'
import { PLATFORMS, type Platform, packageOf, platformOf, thisHost, whyMissing } from './platform.js'

const require = createRequire(import.meta.url)

let addon: typeof Native | undefined
let runner: string | undefined

/** The addon, loaded when it is first needed. The only place that does. */
export function native(): typeof Native {
  addon ??= load()
  return addon
}

/** The path of `locus-runner`: `$LOCUS_RUNNER_PATH`, the one that was built here, or that of the platform's package. */
export function runnerPath(): string {
  const named = process.env.LOCUS_RUNNER_PATH
  if (named) {
    return named
  }
  runner ??= find(() => RUNNER)
  if (runner === undefined) {
    throw execError('BROKEN_INSTALLATION', whyMissing(`'${RUNNER}'`, thisHost()))
  }
  return runner
}

const RUNNER = process.platform === 'win32' ? 'locus-runner.exe' : 'locus-runner'

function load(): typeof Native {
  const path = find((platform) => `locus-exec.${platform}.node`)
  if (path === undefined) {
    throw execError('BROKEN_INSTALLATION', whyMissing('the native addon', thisHost()))
  }
  try {
    return require(path) as typeof Native
  } catch (cause) {
    const { message } = cause as Error
    throw execError('BROKEN_INSTALLATION', whyMissing('the native addon', thisHost(), message), { cause })
  }
}

/** The file of this machine: the one that was built here, or that of the platform's package; undefined where there is none. */
function find(nameOn: (platform: Platform) => string): string | undefined {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..')
  return (
    choose((platform) => existing(join(root, nameOn(platform)))) ??
    choose((platform) => shipped(platform, nameOn))
  )
}

/** One is there; only where somebody has those for other machines too, the C library decides, which takes long to ask for. */
function choose(pathOn: (platform: Platform) => string | undefined): string | undefined {
  const ours = `${process.platform}-${process.arch}-`
  const found = PLATFORMS.flatMap((platform) => {
    const path = `${platform}-`.startsWith(ours) ? pathOn(platform) : undefined
    return path === undefined ? [] : [{ platform, path }]
  })
  if (new Set(found.map(({ path }) => path)).size <= 1) {
    return found[0]?.path
  }
  const fits = platformOf(thisHost())
  return found.find(({ platform }) => platform === fits)?.path
}

function shipped(platform: Platform, nameOn: (platform: Platform) => string): string | undefined {
  try {
    return existing(join(dirname(require.resolve(`${packageOf(platform)}/package.json`)), nameOn(platform)))
  } catch {
    // The package is not installed.
    return undefined
  }
}

function existing(path: string): string | undefined {
  return existsSync(path) ? path : undefined
}
