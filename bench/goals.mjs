// What the package has set itself, as data. A value is undefined when its case was not run.
import { medianOf, ratioOf } from './rounds.mjs'

const MB = 1024 * 1024

const ratio = (name, contender, peer, measure) => ({
  unit: '×',
  value: ({ cases }) => cases[name] && ratioOf(cases[name], contender, peer, measure),
})

const amount = (unit, name, contender, measure) => ({
  unit,
  value: ({ cases }) => cases[name] && medianOf(cases[name], contender, measure),
})

const start = (unit, value) => ({ unit, value: ({ startup }) => startup && value(startup) })

const toBufferSplit = (name, measure, contender = 'native-for-await') =>
  ratio(name, contender, 'buffer-split', measure)

/** `limit` is what the value must not exceed. */
export const GOALS = [
  {
    what: 'deltas, `for await`: wall to hand-written',
    limit: 0.2,
    ...toBufferSplit('deltas', 'wallMs'),
  },
  {
    what: 'deltas, `for await`: main CPU to hand-written',
    limit: 0.08,
    ...toBufferSplit('deltas', 'mainCpuMs'),
  },
  {
    what: 'deltas, `for await`: process CPU to hand-written',
    limit: 0.25,
    ...toBufferSplit('deltas', 'processCpuMs'),
  },
  {
    what: 'deltas, `for await`: main CPU to claude-agent-sdk',
    limit: 0.05,
    ...ratio('deltas', 'native-for-await', 'claude-agent-sdk', 'mainCpuMs'),
  },
  {
    what: 'deltas, `--json-stream`: process CPU to Locus-like JavaScript',
    limit: 0.25,
    ...ratio('json-stream', 'cli', 'locus-like', 'processCpuMs'),
  },
  {
    what: 'display, interactive: process CPU to the CLI in a pipe',
    limit: 2,
    ...ratio('display', 'interactive', 'bare', 'processCpuMs'),
  },
  {
    what: 'echo of a key, 1,000 deltas/s: p99',
    limit: 16,
    ...amount('ms', 'echo', 'steady', 'echoP99Ms'),
  },
  {
    what: 'big: process CPU to hand-written',
    limit: 0.4,
    ...toBufferSplit('big', 'processCpuMs'),
  },
  {
    what: 'big: RSS above base',
    limit: 24,
    ...amount('MB', 'big', 'native-for-await', 'grownMb'),
  },
  {
    what: 'a line of 64 MB: process CPU to Locus-like JavaScript',
    limit: 0.02,
    ...ratio('long', 'native-for-await', 'locus-like', 'processCpuMs'),
  },
  {
    what: 'list of 1,000 conversations: process CPU to Locus-like JavaScript',
    limit: 0.02,
    ...ratio('list', 'native', 'locus-like', 'processCpuMs'),
  },
  {
    what: 'slow consumer: process CPU to claude-agent-sdk',
    limit: 0.03,
    ...ratio('slow', 'native-for-await', 'claude-agent-sdk', 'processCpuMs'),
  },
  {
    what: 'slow consumer: RSS growth',
    limit: 16,
    ...amount('MB', 'slow', 'native-for-await', 'grownMb'),
  },
  {
    what: 'many (24 × 500/s, 16 ms window): process CPU per line to hand-written',
    limit: 0.6,
    ...toBufferSplit('many-24', 'processUsPerLine', 'native, 16 ms window'),
  },
  {
    what: 'many (24 × 500/s, 16 ms window): main CPU per line to hand-written',
    limit: 0.3,
    ...toBufferSplit('many-24', 'mainUsPerLine', 'native, 16 ms window'),
  },
  {
    what: 'paced: latency p50 to hand-written',
    // Two threads are woken where hand-written JavaScript wakes one; see docs/performance.md.
    limit: 2.5,
    ...toBufferSplit('paced', 'latencyP50Us', 'native, 0 ms window'),
  },
  {
    what: 'deltas: event-loop delay p99',
    limit: 5,
    ...amount('ms', 'loop', 'native-for-await', 'loopDelayP99Ms'),
  },
  {
    what: 'CLI, `--provider demo --json-stream` to its first byte: above `node -e 0`',
    limit: 28,
    ...start('ms', ({ demoAboveNodeMs }) => demoAboveNodeMs),
  },
  {
    what: 'CLI, `--version`: above `node -e 0`',
    limit: 12,
    ...start('ms', ({ versionAboveNodeMs }) => versionAboveNodeMs),
  },
  {
    what: 'CLI, `--interactive` to its prompt: above `node -e 0`',
    limit: 60,
    ...start('ms', ({ promptAboveNodeMs }) => promptAboveNodeMs),
  },
  { what: 'addon: load', limit: 4, ...start('ms', ({ addonLoadMs }) => addonLoadMs) },
  {
    what: 'addon and runner: gzipped',
    limit: 3,
    ...start('MB', ({ sizes }) => sizes.reduce((sum, { gzipBytes }) => sum + gzipBytes, 0) / MB),
  },
]
