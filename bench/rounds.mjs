import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { inputFile } from './inputs/file.mjs'
import { installSdk, SDKS } from './sdks.mjs'
import { median } from './statistics.mjs'

/** When a contender is given up. */
const TIME_LIMIT_MS = 300_000

/** Runs a contender in a process of its own and gives its figures. */
function run({ script, args, env }, extra) {
  const path = fileURLToPath(new URL(`contenders/${script}.mjs`, import.meta.url))
  const output = execFileSync(process.execPath, [path, ...args], {
    env: { ...process.env, ...env, ...extra },
    encoding: 'utf8',
    timeout: TIME_LIMIT_MS,
  })
  return JSON.parse(output)
}

/** The contenders with their environment complete, and why others are left out. */
async function prepared({ contenders, input, env }) {
  const ready = []
  const skipped = []
  for (const contender of contenders) {
    const sdk = SDKS[contender.name]
    const complete = { ...env, ...contender.env }
    const played = contender.input ?? input
    if (played) complete.BENCH_INPUT = await inputFile(...played)
    try {
      if (sdk) complete[sdk.variable] = installSdk(contender.name)
      ready.push({ ...contender, env: complete })
    } catch (error) {
      skipped.push(`${contender.name}: ${error.message.trim()}`)
    }
  }
  return { ready, skipped }
}

/** Throws unless all who read the same input delivered the same; gives what they delivered. */
function proof(caseName, contenders) {
  const seen = new Map()
  for (const contender of contenders) {
    const { hash, chunks, units } = run(contender, { BENCH_HASH: '1' })
    if (hash === undefined) continue
    const group = contender.env.BENCH_INPUT ?? ''
    const first = seen.get(group)
    if (first === undefined) {
      seen.set(group, { by: [contender.name], hash, chunks, units })
    } else if (first.hash === hash && first.chunks === chunks) {
      first.by.push(contender.name)
    } else {
      throw new Error(
        `${caseName}: ${contender.name} delivers ${chunks} chunks (${hash}), ${first.by[0]} ${first.chunks} ` +
          `(${first.hash}); the figures would be void`,
      )
    }
  }
  return [...seen.values()]
}

/**
 * Runs the contenders of a case in turns. A run beforehand proves by a hash that they deliver the same; each timed run
 * must deliver as much as that one. The turns begin with another contender in each round.
 */
export async function runCase(benchmark, { rounds, progress }) {
  const { ready, skipped } = await prepared(benchmark)
  const delivered = proof(benchmark.name, ready)
  const figures = Object.fromEntries(ready.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    progress(`${benchmark.name}: round ${round + 1} of ${rounds}`)
    for (let turn = 0; turn < ready.length; turn++) {
      const contender = ready[(round + turn) % ready.length]
      const seen = run(contender)
      const promised = delivered.find(({ by }) => by.includes(contender.name))
      if (seen.chunks !== undefined && seen.chunks !== promised.chunks) {
        throw new Error(`${benchmark.name}: ${contender.name} delivered ${seen.chunks} chunks`)
      }
      figures[contender.name].push(seen)
    }
  }
  return { delivered, skipped, figures }
}

/** The median of a measure of a contender; undefined where it has none. */
export function medianOf({ figures }, contender, measure) {
  const values = figures[contender]?.map((seen) => seen[measure])
  return values === undefined || values[0] === undefined ? undefined : median(values)
}

/** The median over the rounds of the ratio of a measure of two contenders; undefined where one has none. */
export function ratioOf({ figures }, contender, peer, measure) {
  if (medianOf({ figures }, contender, measure) === undefined) return undefined
  if (medianOf({ figures }, peer, measure) === undefined) return undefined
  return median(figures[contender].map((seen, round) => seen[measure] / figures[peer][round][measure]))
}
