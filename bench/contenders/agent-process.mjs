import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { PROMPT } from './measure.mjs'

const executable = fileURLToPath(new URL('../agents/replay-after-prompt', import.meta.url))

/** The benchmark's agent, prompted. */
export function startAgent() {
  const child = spawn(executable, [], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.write(PROMPT)
  return child
}
