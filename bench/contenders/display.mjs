// Runs the CLI with an answer that comes as fast as it can be shown, and prints the CLI's figures: `display.mjs bare` into a
// pipe, `single` as a single run in a terminal, `interactive` in the interactive mode. What it shows is read and forgotten.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { spawnInTerminal, terminalEnv, turnOf } from './locus-in-terminal.mjs'

const folder = mkdtempSync(join(tmpdir(), 'locus-exec-bench-'))
const env = terminalEnv({ BENCH_FIGURES: join(folder, 'figures.json') })
const figuresAtExit = fileURLToPath(new URL('figures-at-exit.mjs', import.meta.url))
const args = ['--import', figuresAtExit, ...turnOf('replay-after-prompt')]

async function bare() {
  const child = spawn(process.execPath, [...args, 'go'], { env, stdio: ['ignore', 'pipe', 'ignore'] })
  child.stdout.resume()
  const [code] = await once(child, 'close')
  return code
}

function inTerminal(more, typed) {
  return new Promise((resolve) => {
    const child = spawnInTerminal([...args, ...more], env)
    // The first thing that it draws is what is typed into.
    const first = child.onData(() => {
      first.dispose()
      child.onData(() => {})
      if (typed) child.write(typed)
    })
    child.onExit(({ exitCode }) => resolve(exitCode))
  })
}

const MODES = {
  bare,
  single: () => inTerminal(['go']),
  // What is typed while the agent works waits for the end of its turn.
  interactive: () => inTerminal(['--interactive', 'go'], 'exit\r'),
}

try {
  const code = await MODES[process.argv[2]]()
  if (code !== 0) throw new Error(`the CLI left with ${code}`)
  console.log(readFileSync(env.BENCH_FIGURES, 'utf8'))
} finally {
  rmSync(folder, { recursive: true })
}
