// Runs the package for a long time against agents that leave nothing undone to survive, and counts what is left.
//   npm run soak [-- --runs=1000 --cancels=200 --stream-mb=1024 --seed=1]
// Exits with 1 when anything is left or has grown. Linux only: it counts in /proc.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

const { ExecSession } = createRequire(import.meta.url)('../dist/index.cjs')

const number = (value) => ({ type: 'string', default: value })
const { values } = parseArgs({
  options: { runs: number('1000'), cancels: number('200'), 'stream-mb': number('1024'), seed: number('1') },
})
const [runs, cancels, streamMb, seed] = ['runs', 'cancels', 'stream-mb', 'seed'].map((name) =>
  Number(values[name]),
)

const path = (name) => fileURLToPath(new URL(name, import.meta.url))
const agent = (name) => path(`../tests/agents/${name}`)
const RUNNER = path('../locus-runner')

/** When everything is given up. */
const TIME_LIMIT_MS = 60_000 + runs * 100 + cancels * 1000 + streamMb * 200
/** How much more memory this process may have after many runs than before. */
const KEPT_LIMIT_MB = 16
/** How much its memory may grow while a stream is held up. */
const RSS_LIMIT_MB = 32
/** What a guard should cost. Only told: how long a start takes depends on what else the machine does. */
const GUARD_TARGET_MS = 3
const GUARD_TARGET_MB = 4

const failures = []
const check = (holds, what) => {
  if (!holds) failures.push(what)
}

setTimeout(() => {
  console.error(`soak: given up after ${TIME_LIMIT_MS / 1000} s`)
  process.exit(1)
}, TIME_LIMIT_MS).unref()

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc')
const rssMb = () => process.memoryUsage.rss() / 2 ** 20

/** What this process has: after a collection, and when everything that was let go of had the time to go. */
async function possessions() {
  gc()
  await sleep(100)
  gc()
  const tasks = readdirSync('/proc/self/task')
  const children = tasks.flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
  )
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    threads: tasks.length,
    children: children.length,
    rss: rssMb(),
  }
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]
const quantile = (list, q) =>
  list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * q))]
const ms = (value) => `${value.toFixed(1)} ms`
const mb = (value) => `${value.toFixed(1)} MB`
const line = (name, text) => console.log(`  ${name.padEnd(44)}${text}`)

/** Numbers from 0 to 1 (mulberry32), so that a run can be repeated. */
function random(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}

const isRunning = (pid) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Compares what this process has with what it had. */
function compare(what, before, after) {
  line('descriptors', `${before.descriptors} → ${after.descriptors}`)
  line('threads', `${before.threads} → ${after.threads}`)
  line('children, zombies among them', `${after.children}`)
  line('RSS', `${mb(before.rss)} → ${mb(after.rss)} (limit +${KEPT_LIMIT_MB} MB)`)
  check(after.descriptors === before.descriptors, `${what}: descriptors are left open`)
  check(after.threads === before.threads, `${what}: threads are left`)
  check(after.children === 0, `${what}: children are left`)
  check(after.rss - before.rss < KEPT_LIMIT_MB, `${what}: memory is kept`)
}

/** A program whose first byte is waited for and that leaves when its stdin ends. */
const PROGRAM = ['/bin/sh', '-c', 'echo; read -r line']
const GUARDED = [RUNNER, 'watch', '--grace-ms=1000', '--', ...PROGRAM]

/** Starts a command, and resolves with it and how long it took to its first byte. The fourth pipe is the link. */
async function started([command, ...args]) {
  const begin = performance.now()
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit', 'pipe'] })
  await once(child.stdout, 'data')
  return { child, took: performance.now() - begin }
}

async function left(child) {
  child.stdin.end()
  child.stdout.resume()
  child.stdio[3].resume()
  await once(child, 'close')
}

async function costOfAGuard() {
  const rounds = 200
  const took = { bare: [], guarded: [] }
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 ? ['bare', 'guarded'] : ['guarded', 'bare']) {
      const { child, took: time } = await started(name === 'bare' ? PROGRAM : GUARDED)
      took[name].push(time)
      await left(child)
    }
  }
  const added = median(took.guarded.map((time, round) => time - took.bare[round]))
  const { child } = await started(GUARDED)
  const guard = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim()
  const memory = ['Rss', 'Pss', 'Private'].map((name) => [child.pid, guard].map((pid) => rollup(pid, name)))
  await left(child)

  console.log(`what a guard adds (medians of ${rounds} pairs, taken in turns)`)
  line('bare spawn to the first byte', ms(median(took.bare)))
  line('the same under watch and guard', ms(median(took.guarded)))
  line('added', `${ms(added)} (target < ${GUARD_TARGET_MS} ms)`)
  for (const [index, name] of ['RSS', 'PSS', 'private'].entries()) {
    const [watch, inner] = memory[index]
    line(
      `${name} of watch + guard`,
      `${mb(watch)} + ${mb(inner)} = ${mb(watch + inner)}${name === 'RSS' ? ` (target < ${GUARD_TARGET_MB} MB)` : ''}`,
    )
  }
}

/** A sum of `/proc/<pid>/smaps_rollup` in MB; those of all lines that begin with this name. */
function rollup(pid, name) {
  const lines = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').split('\n')
  const pattern = new RegExp(`^${name}(_\\w+)?: +(\\d+) kB`)
  const sizes = lines
    .map((text) => pattern.exec(text))
    .filter((match) => match && (name === 'Private' || !match[1]))
  return sizes.reduce((sum, match) => sum + Number(match[2]), 0) / 1024
}

async function shortRuns() {
  const run = async () => {
    const session = await ExecSession.create({ executable: agent('answers-with-its-pid'), save: false })
    const { content } = await session.execute('hi')
    await session.end()
    return Number(content)
  }
  // What is loaded and made once.
  for (let warm = 0; warm < 20; warm++) await run()
  const before = await possessions()
  const took = []
  let survivors = 0
  for (let count = 0; count < runs; count++) {
    const begin = performance.now()
    const pid = await run()
    took.push(performance.now() - begin)
    if (isRunning(pid)) survivors++
    // What could be collected is no leak, and when it is collected is not of interest here.
    if (count % 50 === 0) gc()
  }
  const after = await possessions()
  console.log(`\n${runs} short runs`)
  line('a run from its beginning to its end', `p50 ${ms(median(took))}, p99 ${ms(quantile(took, 0.99))}`)
  line('survivors', String(survivors))
  compare('short runs', before, after)
  check(survivors === 0, 'short runs: agents survive')
}

/** Runs the hostile tree and ends it at some moment, in some way; resolves with what is left of it and how long that took. */
async function cancelled(next, folder, number) {
  const fifo = join(folder, `tree-${number}`)
  execFileSync('mkfifo', [fifo])
  // Open before anybody writes, so that nobody waits for us; at the end it tells who still has it open.
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK)
  // Some trees are killed while they are planted: that takes some 30 ms.
  const timeouts = {
    settleMs: Math.floor(next() * 20),
    graceMs: Math.floor(next() * 50),
    // A tree that was cancelled before it got its prompt may stay for so long when the session ends.
    lingerMs: 0,
  }
  const session = await ExecSession.create({
    executable: agent('hostile-tree'),
    save: false,
    env: { TREE: fifo },
    timeouts,
  })
  const abort = new AbortController()
  const stream = session.executeStreaming('hi', { signal: abort.signal })
  const failure = stream.result.catch((error) => error.code)
  await sleep(next() * 50)
  const begin = performance.now()
  const way = Math.floor(next() * 3)
  if (way === 0) await stream.cancel()
  else if (way === 1) abort.abort()
  const code = await Promise.race([failure, way === 2 ? session.end().then(() => failure) : failure])
  await session.end()
  const took = performance.now() - begin
  const told = contentOf(reader)
  closeSync(reader)
  const pids = told.text
    .split('\n')
    .filter(Boolean)
    .map((text) => Number(text.split(' ')[1]))
  const survivors = pids.filter(isRunning)
  return { took, planted: pids.length === 5, code, survivors: Math.max(survivors.length, told.ended ? 0 : 1) }
}

/** What was written to a fifo, and whether nobody has it open any more. */
function contentOf(fifo) {
  const buffer = Buffer.alloc(64 * 1024)
  let text = ''
  for (;;) {
    try {
      const count = readSync(fifo, buffer)
      if (count === 0) return { text, ended: true }
      text += buffer.toString('utf8', 0, count)
    } catch (error) {
      if (error.code === 'EAGAIN') return { text, ended: false }
      throw error
    }
  }
}

async function randomCancels() {
  const folder = mkdtempSync(join(tmpdir(), 'locus-exec-soak-'))
  const next = random(seed)
  try {
    await cancelled(next, folder, 'warm')
    const before = await possessions()
    const results = []
    for (let count = 0; count < cancels; count++) results.push(await cancelled(next, folder, count))
    const after = await possessions()
    const survivors = results.reduce((sum, result) => sum + result.survivors, 0)
    const took = results.map((result) => result.took)
    console.log(`\n${cancels} cancels of the hostile tree at random moments (seed ${seed})`)
    line('trees complete before they were killed', String(results.filter((result) => result.planted).length))
    line('from the cancel to the end of everything', `p50 ${ms(median(took))}, max ${ms(quantile(took, 1))}`)
    line('survivors', String(survivors))
    compare('cancels', before, after)
    check(survivors === 0, 'cancels: descendants survive')
    check(
      results.every((result) => result.code === 'CANCELLED'),
      `cancels: one ended with ${results.map((result) => result.code).find((code) => code !== 'CANCELLED')}`,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const WIDTH = 4000
const PADDING = 'x'.repeat(WIDTH)
const STOP_MS = 10_000

/** Reads a stream of numbered pieces, stops once in the middle, and resolves with what was seen. */
async function consume(megabytes, stopMs) {
  const count = Math.ceil((megabytes * 2 ** 20) / (WIDTH + 150))
  const env = { COUNT: String(count), WIDTH: String(WIDTH) }
  const session = await ExecSession.create({ executable: agent('streams-wide-lines'), env, save: false })
  const seen = { pieces: 0, wrong: 0, peak: 0, held: 0, before: rssMb() }
  const sampler = setInterval(() => {
    seen.peak = Math.max(seen.peak, rssMb())
  }, 50)
  const begin = performance.now()
  const stream = session.executeStreaming('go')
  for await (const chunk of stream) {
    if (chunk.type !== 'text_delta') continue
    seen.pieces++
    if (chunk.content !== `${seen.pieces} ${PADDING}`) seen.wrong++
    if (stopMs > 0 && seen.pieces === Math.floor(count / 3)) {
      const held = rssMb()
      await sleep(stopMs)
      seen.held = rssMb() - held
    }
  }
  seen.seconds = (performance.now() - begin - stopMs) / 1000
  clearInterval(sampler)
  const { content } = await stream.result
  await session.end()
  return { ...seen, complete: seen.pieces === count && seen.wrong === 0 && content === String(count) }
}

async function heldUpStream() {
  await consume(Math.min(64, streamMb), 0)
  gc()
  const seen = await consume(streamMb, STOP_MS)
  const growth = seen.peak - seen.before
  console.log(`\na stream of ${streamMb} MB whose consumer stops for ${STOP_MS / 1000} s`)
  line(
    'pieces, each compared',
    `${seen.pieces}, ${seen.complete ? 'nothing lost' : `${seen.wrong} wrong or some lost`}`,
  )
  line('speed outside of the stop', `${(streamMb / seen.seconds).toFixed(0)} MB/s`)
  line(
    'RSS',
    `${mb(seen.before)} → at most ${mb(seen.peak)}: growth ${mb(growth)} (limit ${RSS_LIMIT_MB} MB)`,
  )
  line('growth during the stop', mb(seen.held))
  check(seen.complete, 'stream: something is lost')
  check(growth < RSS_LIMIT_MB, 'stream: memory grows')
}

const begin = performance.now()
console.log(`Node ${process.version}, ${process.platform}-${process.arch}\n`)
await costOfAGuard()
await shortRuns()
await randomCancels()
await heldUpStream()
console.log(`\n${((performance.now() - begin) / 1000).toFixed(0)} s`)
for (const failure of failures) console.error(`✗ ${failure}`)
process.exitCode = failures.length === 0 ? 0 : 1
