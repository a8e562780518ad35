// Counts the instructions that the hot path (bytes → lines → chunks → batches) takes for a line of each shape, with
// valgrind, and compares them with bench/instructions.json: on a noisy machine they are what can be trusted.
//   npm run bench:instructions [-- --write]
// Exits with 1 when a shape has become dearer by more than the tolerance. Counts of another compiler or processor family
// are shown but not judged.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { CALLGRIND_ENV } from './callgrind.mjs'

const TOLERANCE = 0.03
/** As much as makes the start of the program and the growth of its buffers small beside the lines. */
const LINES = { few: 2000, many: 12_000 }
const BIG_LINES = { few: 2, many: 6 }

const root = fileURLToPath(new URL('..', import.meta.url))
const program = `${root}target/release/examples/hot_path`
const file = `${root}bench/instructions.json`

const { values } = parseArgs({ options: { write: { type: 'boolean', default: false } } })

/** What a command says on stdout and stderr together; throws with it if the command fails. */
function output(command, ...args) {
  const env = { ...process.env, ...CALLGRIND_ENV }
  const { status, error, stdout, stderr } = spawnSync(command, args, { cwd: root, env, encoding: 'utf8' })
  if (error?.code === 'ENOENT') throw new Error(`'${command}' was not found`)
  if (status !== 0) throw new Error(`'${command} ${args.join(' ')}' failed: ${error?.message ?? stderr}`)
  return `${stdout}${stderr}`
}

function instructions(shape, lines) {
  const valgrind = ['--tool=callgrind', '--callgrind-out-file=/dev/null', program, shape, String(lines)]
  const collected = /Collected : (\d+)/.exec(output('valgrind', ...valgrind))
  return Number(collected[1])
}

/** The difference of two runs, so that what happens once is not in it. */
function perLine(shape) {
  const { few, many } = shape.endsWith('1mb') ? BIG_LINES : LINES
  return Math.round((instructions(shape, many) - instructions(shape, few)) / (many - few))
}

function count() {
  output('valgrind', '--version')
  output('cargo', 'build', '--release', '--locked', '--quiet', '--example', 'hot_path')
  const shapes = output(program).trim().split('\n')
  return {
    compiler: output('rustc', '--version').trim(),
    processor: process.arch,
    perLine: Object.fromEntries(shapes.map((shape) => [shape, perLine(shape)])),
  }
}

/** Shows the counts beside those of before; whether one has grown too much. */
function compare(now, before) {
  const comparable = before?.compiler === now.compiler && before.processor === now.processor
  if (before && !comparable) {
    console.log(`not judged: counted before with ${before.compiler} on ${before.processor}\n`)
  }
  console.log(`${'instructions a line'.padEnd(22)}${'now'.padStart(12)}${'before'.padStart(12)}`)
  let grown = false
  for (const [shape, instructions] of Object.entries(now.perLine)) {
    const old = before?.perLine[shape]
    const change = old === undefined ? undefined : instructions / old - 1
    const shown = change === undefined ? '' : `${change < 0 ? '' : '+'}${(change * 100).toFixed(1)} %`
    const bad = comparable && change > TOLERANCE
    grown ||= bad
    console.log(
      `${shape.padEnd(22)}${String(instructions).padStart(12)}${String(old ?? '–').padStart(12)}${shown.padStart(10)}${bad ? '  ✗' : ''}`,
    )
  }
  return grown
}

try {
  const now = count()
  const grown = compare(now, existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined)
  if (values.write) {
    writeFileSync(file, `${JSON.stringify(now, null, 2)}\n`)
  } else if (grown) {
    console.error(
      `\ndearer by more than ${TOLERANCE * 100} %; if that is meant: npm run bench:instructions -- --write`,
    )
    process.exitCode = 1
  }
} catch (error) {
  console.error(`instructions: ${error.message}`)
  process.exitCode = 1
}
