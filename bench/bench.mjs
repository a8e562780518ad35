// Compares the engine with hand-written Node pipelines on the same stream, in one run.
//   npm run bench [-- --lines=200000 --rounds=5]
// The contenders take turns (A B C, A B C, …); what is compared are the medians of the ratios within a round. Each runs
// in a process of its own and delivers everything: a run beforehand proves it by a hash.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'

import { inputFile } from './input.mjs'

const REFERENCE = 'buffer-split'
const CONTENDERS = ['native-for-await', 'native-events', REFERENCE, 'readline']
const MEASURES = ['wallMs', 'mainCpuMs', 'processCpuMs', 'rssMb']

const { values } = parseArgs({
  options: { lines: { type: 'string', default: '200000' }, rounds: { type: 'string', default: '5' } },
})
const lines = Number(values.lines)
const rounds = Number(values.rounds)

const path = (name) => fileURLToPath(new URL(name, import.meta.url))
const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]

const input = await inputFile(lines)

function run(name, env = {}) {
  const script = path(`contenders/${name}.mjs`)
  const output = execFileSync(process.execPath, [script], {
    env: { ...process.env, BENCH_INPUT: input, ...env },
  })
  return JSON.parse(output.toString())
}

console.log(`${cpus().length} × ${cpus()[0].model}, Node ${process.version}, load ${loadavg()[0].toFixed(2)}`)
console.log(`${lines} lines, ${rounds} rounds\n`)

const proofs = CONTENDERS.map((name) => ({ name, ...run(name, { BENCH_HASH: '1' }) }))
const wrong = proofs.filter(({ hash }) => hash !== proofs[0].hash)
if (wrong.length > 0) {
  console.error(
    `not the same was delivered: ${wrong.map(({ name }) => name).join(', ')}; their figures would be void`,
  )
  process.exit(1)
}
console.log(
  `every contender delivers the same ${proofs[0].chunks} chunks (sha256 ${proofs[0].hash.slice(0, 16)}…)\n`,
)

const results = Object.fromEntries(CONTENDERS.map((name) => [name, []]))
for (let round = 0; round < rounds; round++) {
  for (const name of CONTENDERS) results[name].push(run(name))
}

const cell = (text) => String(text).padStart(14)
console.log(['contender'.padEnd(18), ...MEASURES.map(cell)].join(''))
for (const name of CONTENDERS) {
  const row = MEASURES.map((measure) => cell(median(results[name].map((run) => run[measure])).toFixed(0)))
  console.log([name.padEnd(18), ...row].join(''))
}
console.log(`\nratio to ${REFERENCE} (median over rounds)`)
for (const name of CONTENDERS.filter((name) => name !== REFERENCE)) {
  const row = MEASURES.map((measure) => {
    const ratios = results[name].map((run, round) => run[measure] / results[REFERENCE][round][measure])
    return cell(median(ratios).toFixed(2))
  })
  console.log([name.padEnd(18), ...row].join(''))
}

/** The median wall time of a command in milliseconds. */
function timed(args) {
  return median(
    Array.from({ length: 11 }, () => {
      const begin = performance.now()
      execFileSync(process.execPath, args, { stdio: 'ignore' })
      return performance.now() - begin
    }),
  )
}

const cli = path('../dist/cli.cjs')
const load = `const { performance: p } = require('node:perf_hooks'); const t = p.now(); require(${JSON.stringify(path('../index.js'))}); console.log(p.now() - t)`
const addonLoad = median(
  Array.from({ length: 11 }, () => Number(execFileSync(process.execPath, ['-e', load]).toString())),
)
console.log('\nstart-up (median of 11)')
console.log(`  node -e 0                                ${timed(['-e', '0']).toFixed(1)} ms`)
console.log(
  `  locus exec --provider demo --version     ${timed([cli, 'exec', '--provider', 'demo', '--version']).toFixed(1)} ms`,
)
console.log(`  loading the addon                        ${addonLoad.toFixed(1)} ms`)
const root = path('..')
for (const name of readdirSync(root).filter((name) => name.endsWith('.node') || name === 'locus-runner')) {
  const bytes = readFileSync(`${root}/${name}`)
  console.log(
    `  ${name.padEnd(40)} ${(bytes.length / 1024).toFixed(0)} KiB, ${(gzipSync(bytes).length / 1024).toFixed(0)} KiB gzipped`,
  )
}
