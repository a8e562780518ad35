// `npm run demo`: sets all up, then lets the built-in demo agent answer a prompt.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import './setup.mjs'

const cli = fileURLToPath(new URL('../dist/cli.cjs', import.meta.url))
const args = process.argv.slice(2)
const prompt = args.length > 0 ? args : ['What can you do?']
const { status, error } = spawnSync(process.execPath, [cli, 'exec', '--provider', 'demo', ...prompt], {
  stdio: 'inherit',
})
if (error) throw error
process.exitCode = status ?? 1
