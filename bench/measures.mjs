/** What can be measured of a contender: how it is called in a table, with how many digits, and whether ratios of it say anything. */
export const MEASURES = {
  wallMs: { title: 'wall ms', digits: 0 },
  mainCpuMs: { title: 'main CPU ms', digits: 0 },
  processCpuMs: { title: 'process CPU ms', digits: 0 },
  peakMb: { title: 'peak RSS MB', digits: 0 },
  grownMb: { title: 'RSS above base MB', digits: 1 },
  processUsPerLine: { title: 'process CPU µs/line', digits: 2 },
  mainUsPerLine: { title: 'main CPU µs/line', digits: 2 },
  latencyP50Us: { title: 'latency p50 µs', digits: 0 },
  latencyP99Us: { title: 'latency p99 µs', digits: 0 },
  loopDelayP99Ms: { title: 'event-loop delay p99 ms', digits: 1 },
  echoP50Ms: { title: 'echo p50 ms', digits: 1, noRatio: true },
  echoP99Ms: { title: 'echo p99 ms', digits: 1, noRatio: true },
  lateMs: { title: 'feeder late ms', digits: 1, noRatio: true },
}
