// Installs the SDKs that the package is compared with, each at a pinned version, outside this project's dependencies: in
// $LOCUS_BENCH_DIR, else $XDG_CACHE_HOME/locus-exec-bench, else ~/.cache/locus-exec-bench. Their agents, hundreds of
// megabytes of optional dependencies, are left out: a fake one plays the input.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** By the name of their contender; `entry` is the module in the package, `variable` how the contender is told where it is. */
export const SDKS = {
  'claude-agent-sdk': {
    ...{ package: '@anthropic-ai/claude-agent-sdk', version: '0.3.330', entry: 'sdk.mjs' },
    variable: 'BENCH_CLAUDE_AGENT_SDK',
  },
  'codex-sdk': {
    ...{ package: '@openai/codex-sdk', version: '0.163.0', entry: 'dist/index.js' },
    variable: 'BENCH_CODEX_SDK',
  },
}

function cacheFolder() {
  const { LOCUS_BENCH_DIR, XDG_CACHE_HOME } = process.env
  return resolve(LOCUS_BENCH_DIR || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'locus-exec-bench'))
}

/** The URL of an SDK's module, installed now if it is not there; throws with npm's words if it cannot be. */
export function installSdk(name) {
  const sdk = SDKS[name]
  const folder = join(cacheFolder(), `${name}-${sdk.version}`)
  const entry = join(folder, 'node_modules', sdk.package, sdk.entry)
  if (!existsSync(entry)) install(folder, `${sdk.package}@${sdk.version}`)
  return pathToFileURL(entry).href
}

/** A folder gets its final name when it is complete. */
function install(folder, wanted) {
  mkdirSync(cacheFolder(), { recursive: true })
  const temporary = mkdtempSync(join(cacheFolder(), '.partial-'))
  try {
    writeFileSync(join(temporary, 'package.json'), '{ "private": true }\n')
    const options = [
      '--ignore-scripts',
      '--omit=optional',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      '--fetch-retries=1',
    ]
    const npm = spawnSync('npm', ['install', ...options, '--prefix', '.', wanted], {
      cwd: temporary,
      encoding: 'utf8',
    })
    if (npm.status !== 0) throw new Error(`cannot install ${wanted}: ${npm.error?.message ?? npm.stderr}`)
    rmSync(folder, { recursive: true, force: true })
    renameSync(temporary, folder)
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}
