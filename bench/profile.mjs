// Shows where the time of the engine goes.
//   npm run profile -- main [--input=deltas]     functions of Node's main thread, by --cpu-prof
//   npm run profile -- process [--input=deltas]  all threads, Rust and V8, by perf
//   npm run profile -- rust [--shape=text]       the hot path alone, by instructions, by valgrind
// Whole profiles are left in target/profile, for a viewer.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { CALLGRIND_ENV } from './callgrind.mjs'
import { inputFile } from './inputs/file.mjs'

const LINES = { deltas: 1_000_000, big: 200 }
/** Enough for a profile, and soon over under valgrind. */
const SHAPE_LINES = { '1mb': 5, '1kb': 2000, other: 50_000 }
const ROWS = 25

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'target', 'profile')
const contender = join(root, 'bench', 'contenders', 'native-for-await.mjs')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { input: { type: 'string', default: 'deltas' }, shape: { type: 'string', default: 'text' } },
})

function run(command, args, { env, capture = false } = {}) {
  const { status, error, stdout } = spawnSync(command, args, {
    ...{ cwd: root, env: { ...process.env, ...env }, encoding: 'utf8', maxBuffer: 2 ** 28 },
    stdio: ['ignore', capture ? 'pipe' : 'inherit', 'inherit'],
  })
  if (error?.code === 'ENOENT') throw new Error(`'${command}' was not found`)
  if (status !== 0) throw new Error(`'${command} ${args.join(' ')}' failed`)
  return stdout
}

const cargo = (...args) => run('cargo', ['build', '--profile', 'profiling', '--locked', ...args])

async function input() {
  if (!(values.input in LINES)) throw new Error(`no input '${values.input}'; there are deltas and big`)
  return { BENCH_INPUT: await inputFile(values.input, LINES[values.input]), BENCH_KEPT: '1' }
}

async function main() {
  for (const old of readdirSync(folder).filter((name) => name.endsWith('.cpuprofile')))
    rmSync(join(folder, old))
  run(process.execPath, ['--cpu-prof', `--cpu-prof-dir=${folder}`, contender], { env: await input() })
  const [file] = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'))
  console.log(`\nself time of the main thread (${join(folder, file)})`)
  for (const { name, ms, share } of selfTimes(JSON.parse(readFileSync(join(folder, file), 'utf8')))) {
    console.log(`${ms.toFixed(1).padStart(9)} ms ${(share * 100).toFixed(1).padStart(5)} %  ${name}`)
  }
}

/** The time of each function of a V8 profile without that of those it calls, the largest first. */
function selfTimes({ nodes, samples, timeDeltas }) {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      `${functionName || '(anonymous)'}${url ? ` ${url.replace(/^.*\//, '')}:${lineNumber + 1}` : ''}`,
    ]),
  )
  const times = new Map()
  samples.forEach((id, index) => {
    const name = names.get(id)
    if (name === '(idle)') return
    times.set(name, (times.get(name) ?? 0) + timeDeltas[index] / 1000)
  })
  const total = [...times.values()].reduce((sum, ms) => sum + ms, 0)
  return [...times]
    .map(([name, ms]) => ({ name, ms, share: ms / total }))
    .sort((a, b) => b.ms - a.ms)
    .slice(0, ROWS)
}

async function everyThread() {
  cargo('--package', 'locus-exec-binding')
  const addon = join(folder, 'locus-exec.node')
  copyFileSync(join(root, 'target', 'profiling', 'liblocus_exec_binding.so'), addon)
  const data = join(folder, 'perf.data')
  const record = ['record', '--quiet', '--freq=4999', `--output=${data}`]
  run('perf', [...record, '--', process.execPath, '--perf-basic-prof-only-functions', contender], {
    env: { ...(await input()), NAPI_RS_NATIVE_LIBRARY_PATH: addon },
  })
  const report = ['report', '--stdio', '--quiet', '--percent-limit=0.7', '--sort=comm,dso,symbol']
  const table = run('perf', [...report, `--input=${data}`], { capture: true }).trimEnd()
  console.log(table.replace(/ +- +- *$/gm, '').replace(/[ \t]+$/gm, ''))
}

function rust() {
  cargo('--example', 'hot_path')
  const [, size = 'other'] = /-(1[km]b)$/.exec(values.shape) ?? []
  const file = join(folder, 'callgrind.out')
  const program = join(root, 'target', 'profiling', 'examples', 'hot_path')
  const callgrind = ['--tool=callgrind', '--quiet', `--callgrind-out-file=${file}`]
  const lines = String(SHAPE_LINES[size])
  run('valgrind', [...callgrind, program, values.shape, lines], { env: CALLGRIND_ENV })
  const annotated = run('callgrind_annotate', ['--auto=no', file], { capture: true })
  console.log(`\ninstructions of ${lines} lines (${file})`)
  for (const [name, count] of byFunction(annotated)) {
    console.log(`${String(Math.round(count / Number(lines))).padStart(12)} a line  ${name}`)
  }
}

/** The instructions of each function, the largest first; valgrind lists what was inlined into one by file. */
function byFunction(annotated) {
  const counts = new Map()
  for (const [, count, name] of annotated.matchAll(
    /^ *([\d,]+) \([\d. ]+%\) +[^ ]*?:([^/\n]*?)(?: \[.*\])?$/gm,
  )) {
    counts.set(name, (counts.get(name) ?? 0) + Number(count.replaceAll(',', '')))
  }
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, ROWS)
}

const PROFILES = { main, process: everyThread, rust }

try {
  const profile = PROFILES[positionals[0]]
  if (!profile) throw new Error(`say which: ${Object.keys(PROFILES).join(', ')}`)
  mkdirSync(folder, { recursive: true })
  await profile()
} catch (error) {
  console.error(`profile: ${error.message}`)
  process.exitCode = 1
}
