// Sets a fresh clone up: installs the dependencies when they are missing or older than the lock file, and builds what
// is older than its sources. Needs nothing but Node and Rust; does nothing when all is there.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

const installed = join(root, 'node_modules', '.package-lock.json')
const lock = join(root, 'package-lock.json')
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  console.error('setup: installing the dependencies …')
  // Not `npm ci`: the lock file pins every version, but a registry that mirrors only one platform leaves the binaries of
  // the others out of it, and `npm ci` refuses that. `--no-save` leaves the lock file as it is.
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const { status } = spawnSync(npm, ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (status !== 0) {
    console.error('setup: npm install failed')
    process.exit(1)
  }
}

const { build } = await import('./build.mjs')
try {
  await build({ ifStale: true })
} catch (error) {
  console.error(`setup: ${error.message}`)
  process.exit(1)
}
