// How long the CLI takes to its first byte, how long the addon to load, and how large they are.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

import { spawnInTerminal, terminalEnv } from './contenders/locus-in-terminal.mjs'
import { median } from './statistics.mjs'

const TIMES = 11

const path = (name) => fileURLToPath(new URL(name, import.meta.url))
const cli = path('../dist/cli.cjs')

const DEMO = [cli, 'exec', '--provider', 'demo', '--json-stream', '--no-save', 'hi']

/** What is waited for: `until` is in what the program says; without it the program's end is meant. */
const COMMANDS = {
  node: { args: ['-e', '0'] },
  version: { args: [cli, '--version'], until: '\n' },
  // Its first line comes before there is an agent, and the first of the agent itself says `initialized`.
  demo: { args: DEMO, until: '\n' },
  agent: { args: DEMO, until: '"initialized"' },
}

/** Milliseconds from the start of a program until it has said something on stdout, or until its end. */
async function timed({ args, until }) {
  const begin = performance.now()
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const left = once(child, 'close')
  if (until === undefined) {
    child.stdout.resume()
    await once(child, 'exit')
    const took = performance.now() - begin
    await left
    return took
  }
  let said = ''
  let took
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text
    if (took !== undefined || !said.includes(until)) return
    took = performance.now() - begin
    // The demo would go on at a model's pace.
    child.kill('SIGINT')
  })
  await left
  if (took === undefined) throw new Error(`node ${args.join(' ')} did not say ${JSON.stringify(until)}`)
  return took
}

const INTERACTIVE = [cli, 'exec', '--provider', 'demo', '--no-save', '--interactive']
/** Said by the interactive mode, with its prompt, when it takes keys: that pastes are to be marked. */
const TAKES_KEYS = '\u001b[?2004h'

/** Milliseconds until the interactive mode has its prompt in a terminal. */
async function promptMs() {
  const begin = performance.now()
  const child = spawnInTerminal(INTERACTIVE, terminalEnv())
  let said = ''
  let took
  child.onData((text) => {
    said += text
    if (took !== undefined || !said.includes(TAKES_KEYS)) return
    took = performance.now() - begin
    child.write('exit\r')
  })
  await new Promise((resolve) => child.onExit(resolve))
  if (took === undefined) throw new Error(`the interactive mode had no prompt: ${said}`)
  return took
}

const addon = binaries().find((file) => file.endsWith('.node'))

/** Milliseconds that `require` of the addon takes, in a process of its own. */
function addonLoadMs() {
  const script = `const begin = performance.now(); require(${JSON.stringify(addon)}); console.log(performance.now() - begin)`
  return Number(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }))
}

/** The paths of the addon and the runner. */
function binaries() {
  const root = path('..')
  return readdirSync(root)
    .filter((name) => name.endsWith('.node') || name === 'locus-runner')
    .map((name) => join(root, name))
}

function sizes() {
  return binaries().map((file) => {
    const bytes = readFileSync(file)
    return { file: basename(file), bytes: bytes.length, gzipBytes: gzipSync(bytes).length }
  })
}

/** Medians of runs taken in turns; `…AboveNodeMs` are medians of the differences to `node -e 0` within a turn. */
export async function measureStartup() {
  const times = { node: [], version: [], demo: [], agent: [], prompt: [], addon: [] }
  for (let turn = 0; turn < TIMES; turn++) {
    for (const [name, command] of Object.entries(COMMANDS)) times[name].push(await timed(command))
    times.prompt.push(await promptMs())
    times.addon.push(addonLoadMs())
  }
  const above = (name) => median(times[name].map((time, turn) => time - times.node[turn]))
  return {
    nodeMs: median(times.node),
    versionMs: median(times.version),
    versionAboveNodeMs: above('version'),
    demoMs: median(times.demo),
    demoAboveNodeMs: above('demo'),
    agentMs: median(times.agent),
    agentAboveNodeMs: above('agent'),
    promptMs: median(times.prompt),
    promptAboveNodeMs: above('prompt'),
    addonLoadMs: median(times.addon),
    sizes: sizes(),
  }
}
