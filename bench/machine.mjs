import { execFileSync } from 'node:child_process'
import { arch, cpus, loadavg, release, type } from 'node:os'
import { fileURLToPath } from 'node:url'

import { SDKS } from './sdks.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What a command says in one line; `unknown` when it cannot be run. */
function said(command, ...args) {
  try {
    return execFileSync(command, args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}

/** The load of the machine over the last minute. */
export const load = () => Number(loadavg()[0].toFixed(2))

/** Where, when, with what, and how a run is made. */
export function describeRun() {
  const changed = said('git', 'status', '--porcelain', '--', 'src', 'ts', 'binding', 'bench') !== ''
  return {
    date: new Date().toISOString(),
    command: ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(
      ' ',
    ),
    commit: `${said('git', 'rev-parse', '--short', 'HEAD')}${changed ? ' with changes' : ''}`,
    machine: `${cpus().length} × ${cpus()[0].model}, ${type()} ${release()} ${arch()}`,
    versions: [
      `Node ${process.version}`,
      said('rustc', '--version'),
      ...Object.entries(SDKS).map(([name, { version }]) => `${name} ${version}`),
    ].join(', '),
  }
}
