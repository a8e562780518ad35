// The CLI in a terminal of its own, 80 columns wide and 24 rows high.
import { fileURLToPath } from 'node:url'

import { spawn } from '@lydell/node-pty'

import { agentPath } from './agent.mjs'

const cli = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url))

/** The arguments of `node` for a turn of an agent of the benchmark. */
export const turnOf = (agent) => [
  cli,
  ...['exec', '--provider', 'claude', '--executable', agentPath(agent), '--no-save'],
]

/** The environment of somebody at a terminal, whatever the benchmark's own is. */
export function terminalEnv(more = {}) {
  const { NO_COLOR, CI, ...env } = process.env
  return { ...env, TERM: 'xterm-256color', ...more }
}

export const spawnInTerminal = (args, env) => spawn(process.execPath, args, { env, cols: 80, rows: 24 })
