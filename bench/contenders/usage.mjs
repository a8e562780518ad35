// What a process has used. Linux only: the figures of a single thread and a peak that can be reset are in /proc.
import { readFileSync, writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

const LOOP_RESOLUTION_MS = 1

/** The CPU time of the main thread, user and system, in milliseconds. */
const mainCpuMs = () =>
  Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6

function status(name) {
  const line = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))
  return Number(line[1]) / 1024
}

/**
 * Begins to measure this process, without its children, and gives a function that tells what was used since: wall and
 * CPU in milliseconds, memory in MB; the delay of the event loop where `BENCH_LOOP_DELAY` asks for it.
 */
export function startUsage() {
  const loop = process.env.BENCH_LOOP_DELAY
    ? monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
    : undefined
  loop?.enable()
  // The peak so far belongs to what was loaded.
  writeFileSync('/proc/self/clear_refs', '5')
  const baseMb = status('VmRSS')
  const cpu = process.cpuUsage()
  const main = mainCpuMs()
  const begin = performance.now()
  return () => {
    const wallMs = performance.now() - begin
    const { user, system } = process.cpuUsage(cpu)
    const peakMb = status('VmHWM')
    return {
      wallMs,
      mainCpuMs: mainCpuMs() - main,
      processCpuMs: (user + system) / 1000,
      peakMb,
      grownMb: peakMb - baseMb,
      // The time between two ticks is what is recorded.
      ...(loop && { loopDelayP99Ms: Math.max(0, loop.percentile(99) / 1e6 - LOOP_RESOLUTION_MS) }),
    }
  }
}
