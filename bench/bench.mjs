// Compares the engine with what one would use in its place. docs/performance.md says how to read it.
//   npm run bench [-- --case=deltas,big --rounds=5 --lines=1000000 --quick --write]
// Contenders take turns in processes of their own; what counts are the medians of the ratios within a round. One that
// delivers something else than the others fails the run. Linux only: figures come from /proc.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { casesOf } from './cases.mjs'
import { cpuChart } from './chart.mjs'
import { describeRun, load } from './machine.mjs'
import { goalsOf, markdown } from './report.mjs'
import { runCase } from './rounds.mjs'
import { measureStartup } from './startup.mjs'

const FULL = { rounds: 5, lines: 1_000_000, slowLines: 200_000, bigLines: 200, seconds: 5 }
const QUICK = { rounds: 1, lines: 200_000, slowLines: 50_000, bigLines: 40, seconds: 2 }
const START = 'start'
const CHARTED = 'deltas'

const [BEGIN, END] = ['<!-- bench:begin -->', '<!-- bench:end -->']
const path = (name) => fileURLToPath(new URL(name, import.meta.url))

const { values } = parseArgs({
  options: {
    case: { type: 'string' },
    rounds: { type: 'string' },
    lines: { type: 'string' },
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})

function fail(message) {
  console.error(`bench: ${message}`)
  process.exit(1)
}

if (process.platform !== 'linux') fail('what a process used can only be measured on Linux')
const sizes = { ...(values.quick ? QUICK : FULL) }
for (const name of ['rounds', 'lines']) {
  if (values[name] === undefined) continue
  sizes[name] = Number(values[name])
  if (!Number.isInteger(sizes[name]) || sizes[name] < 1) fail(`--${name} must be a whole number above 0`)
}
const all = casesOf(sizes)
const known = [...all.map(({ name }) => name), START]
const wanted = values.case?.split(',') ?? known
// `many` stands for `many-24` and `many-200`.
const isWanted = (name) => wanted.some((want) => name === want || name.startsWith(`${want}-`))
const unknown = wanted.filter((want) => !known.some((name) => name === want || name.startsWith(`${want}-`)))
if (unknown.length > 0) fail(`no case '${unknown[0]}'; there are ${known.join(', ')}`)
if (values.write && values.case) fail('--write needs all cases')

const progress = (text) => process.stderr.write(`${text}\n`)
const run = { ...describeRun(), rounds: sizes.rounds, loadBefore: load() }
const results = { run, cases: {} }
const cases = all.filter(({ name }) => isWanted(name))
try {
  // First: it suffers most from what the cases leave behind on the machine.
  if (isWanted(START)) {
    progress('start')
    results.startup = await measureStartup()
  }
  for (const benchmark of cases) {
    results.cases[benchmark.name] = await runCase(benchmark, { rounds: sizes.rounds, progress })
  }
} catch (error) {
  fail(error.message)
}
run.loadAfter = load()

const report = markdown(results, cases)
console.log(report)
if (values.write) {
  mkdirSync(path('results'), { recursive: true })
  writeFileSync(
    path('results/latest.json'),
    `${JSON.stringify({ ...results, goals: goalsOf(results) }, null, 2)}\n`,
  )
  const chart = cases.find(({ name }) => name === CHARTED)
  writeFileSync(path('../docs/images/bench-deltas.svg'), cpuChart(chart, results.cases[CHARTED]))
  const document = path('../docs/performance.md')
  const text = readFileSync(document, 'utf8')
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (begin === -1 || end < begin) fail(`docs/performance.md has no place for the report: ${BEGIN} … ${END}`)
  writeFileSync(document, `${text.slice(0, begin + BEGIN.length)}\n\n${report}\n\n${text.slice(end)}`)
}
