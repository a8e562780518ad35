// What all contenders share: how they are measured and how their delivery is proved.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** Proves the delivery of text, thinking and subagents' text: hashed in a run of its own, counted in timed runs. */
export class Consumer {
  #hash = process.env.BENCH_HASH ? createHash('sha256') : undefined
  // What was received is kept alive for a while, or V8 would optimise the work away.
  #ring = new Array(1024)
  #chunks = 0
  #length = 0

  take(type, content, parent) {
    this.#ring[this.#chunks & 1023] = content
    this.#chunks++
    this.#length += content.length
    this.#hash?.update(`${type} ${parent ?? ''} ${content}\0`)
  }

  get summary() {
    return { chunks: this.#chunks, length: this.#length, hash: this.#hash?.digest('hex') }
  }
}

function mainThreadCpuMs() {
  if (process.platform !== 'linux') return undefined
  return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6
}

/** Runs a contender and prints its figures as JSON; `run` is given a consumer. */
export async function measure(run) {
  const consumer = new Consumer()
  const cpu = process.cpuUsage()
  const main = mainThreadCpuMs()
  const begin = performance.now()
  await run(consumer)
  const wallMs = performance.now() - begin
  const { user, system } = process.cpuUsage(cpu)
  const mainCpuMs = main === undefined ? undefined : mainThreadCpuMs() - main
  const figures = {
    wallMs,
    mainCpuMs,
    processCpuMs: (user + system) / 1000,
    rssMb: process.resourceUsage().maxRSS / 1024,
  }
  console.log(JSON.stringify({ ...figures, ...consumer.summary }))
}

/** The prompt as every contender writes it to the agent. */
export const PROMPT = [
  { type: 'control_request', request_id: '1', request: { subtype: 'initialize' } },
  { type: 'user', message: { role: 'user', content: 'go' }, parent_tool_use_id: null },
]
  .map((line) => `${JSON.stringify(line)}\n`)
  .join('')

/** Gives the consumer what a line says, as a careful hand-written consumer would. */
export function consumeLine(line, consumer) {
  const message = JSON.parse(line)
  if (message.type !== 'stream_event' || message.event.type !== 'content_block_delta') return
  const { delta } = message.event
  if (delta.type === 'text_delta') consumer.take('text_delta', delta.text, message.parent_tool_use_id)
  else if (delta.type === 'thinking_delta')
    consumer.take('thinking', delta.thinking, message.parent_tool_use_id)
}
