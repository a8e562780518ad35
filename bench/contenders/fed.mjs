// What the contenders share that read many streams at a steady rate.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { startUsage } from './usage.mjs'

const [streams, rate, lines] = ['BENCH_STREAMS', 'BENCH_RATE', 'BENCH_LINES'].map((name) =>
  Number(process.env[name]),
)

/** CLOCK_MONOTONIC, the clock that the feeder writes into each line. */
function monotonicUs() {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e6 + nanoseconds / 1e3
}

/**
 * Checks that every stream is complete and in order, and notes for each delta how long it took from the agent's write
 * to here. What is used counts from the first delta to the last, so that no start of a process is in it.
 */
class FedConsumer {
  #next = new Array(streams).fill(0)
  #latencyUs = new Float64Array(streams * lines)
  #taken = 0
  #ring = new Array(1024)
  #usage
  figures

  take(stream, content) {
    this.#usage ??= startUsage()
    const nowUs = monotonicUs()
    const space = content.indexOf(' ')
    if (Number(content.slice(0, space)) !== this.#next[stream]++)
      throw new Error(`stream ${stream} lost a line`)
    this.#latencyUs[this.#taken] = nowUs - Number(content.slice(space + 1))
    this.#ring[this.#taken % this.#ring.length] = content
    this.#taken++
    if (this.#taken === this.#latencyUs.length) this.#finish()
  }

  #finish() {
    const used = this.#usage()
    const sorted = this.#latencyUs.toSorted()
    const quantile = (q) => sorted[Math.floor((sorted.length - 1) * q)]
    this.figures = {
      ...used,
      latencyP50Us: quantile(0.5),
      latencyP99Us: quantile(0.99),
      processUsPerLine: (used.processCpuMs * 1000) / this.#taken,
      mainUsPerLine: (used.mainCpuMs * 1000) / this.#taken,
      chunks: this.#taken,
      // Each line was checked as it came.
      hash: `${streams} × ${lines} in order`,
    }
  }
}

/** Runs `read(stream, consumer)` for every stream at once and prints the figures of all together. */
export async function measureFed(read) {
  const folder = mkdtempSync(join(tmpdir(), 'locus-exec-bench-'))
  try {
    const socket = join(folder, 'feeder')
    const script = fileURLToPath(new URL('../agents/feeder.py', import.meta.url))
    const feeder = spawn('python3', [script, socket, ...[streams, rate, lines].map(String)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const said = createInterface({ input: feeder.stdout })[Symbol.asyncIterator]()
    await said.next()
    process.env.BENCH_FEEDER = socket
    const consumer = new FedConsumer()
    const left = once(feeder, 'close')
    await Promise.all(Array.from({ length: streams }, (_, stream) => read(stream, consumer)))
    const { value: lateMs } = await said.next()
    await left
    if (!consumer.figures) throw new Error('the streams ended early')
    console.log(JSON.stringify({ ...consumer.figures, lateMs: Number(lateMs) }))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
