// What is compared with what, as data.

const USAGE = ['wallMs', 'mainCpuMs', 'processCpuMs', 'peakMb', 'grownMb']
const PER_LINE = ['mainUsPerLine', 'processUsPerLine', 'latencyP50Us', 'latencyP99Us', 'grownMb', 'lateMs']

/** A contender is a script in `contenders/` that is told by its environment what to do and prints its figures. */
const contender = (name, { script = name, args = [], env = {}, input } = {}) => ({
  ...{ name, script, args, env, input },
})

/** One that reads `streams` streams whose lines come at a steady rate. */
function fed(name, flushMs) {
  const script = flushMs === undefined ? 'fed-buffer-split' : 'fed-native'
  return contender(name, { script, env: { BENCH_FLUSH_MS: String(flushMs ?? 0) } })
}

const FED = [fed('native, 0 ms window', 0), fed('native, 16 ms window', 16), fed('buffer-split')]

const paced = (streams, rate, seconds) => ({
  BENCH_STREAMS: String(streams),
  BENCH_RATE: String(rate),
  BENCH_LINES: String(rate * seconds),
})

const count = (number) => number.toLocaleString('en-US')

/**
 * The cases: each with its contenders, the one that the others are compared to, the input that they play, what is
 * measured, and their environment. `sizes` has numbers of lines, and `seconds` for streams with a rate.
 */
export function casesOf({ lines, slowLines, bigLines, seconds }) {
  return [
    {
      name: 'deltas',
      title: `${count(lines)} deltas as fast as they can be read`,
      note: 'The floor is the pipe alone, `cat file | wc -c`; its CPU is that of both processes.',
      input: ['deltas', lines],
      reference: 'buffer-split',
      contenders: [
        contender('native-for-await'),
        contender('native-events'),
        contender('buffer-split'),
        contender('readline'),
        contender('claude-agent-sdk'),
        contender('floor'),
      ],
      measures: USAGE,
    },
    {
      name: 'codex',
      title: `${count(lines)} lines of codex and as many of claude`,
      note:
        'codex-sdk reads a stream of its own agent, with lines as long as the deltas. Compare its figures with the ' +
        "native ones only as time per line; on its own stream it is compared with 'codex-buffer-split'.",
      input: ['codex', lines],
      reference: 'codex-buffer-split',
      contenders: [
        contender('codex-sdk'),
        contender('codex-buffer-split'),
        contender('native-for-await', { input: ['deltas', lines] }),
      ],
      measures: USAGE,
    },
    {
      name: 'json-stream',
      title: `${count(lines)} deltas as lines of \`--json-stream\``,
      note:
        'A CLI writes protocol 1 to a pipe that is read. `locus-like` parses each line, writes its pieces as JSON again, ' +
        'one `write` a line.',
      input: ['deltas', lines],
      reference: 'locus-like',
      contenders: ['cli', 'locus-like'].map((name) =>
        contender(name, { script: 'json-stream', args: [name] }),
      ),
      measures: USAGE,
    },
    {
      name: 'display',
      title: `${count(slowLines)} deltas as they are shown`,
      note:
        'The CLI writes into a pipe that is read (`bare`), and into a terminal of 80 × 24: a single run, and the interactive ' +
        'mode with Markdown, status and input.',
      input: ['deltas', slowLines],
      reference: 'bare',
      contenders: ['bare', 'single', 'interactive'].map((name) =>
        contender(name, { script: 'display', args: [name] }),
      ),
      measures: USAGE,
    },
    {
      name: 'echo',
      title: 'how long a key takes to be seen while an answer comes',
      note: 'Typed into the interactive mode: while one delta comes every millisecond, and while they come as fast as they can be shown.',
      input: ['deltas', lines],
      reference: 'steady',
      contenders: [
        contender('steady', { script: 'echo', args: ['says-a-word-every-millisecond'] }),
        contender('flood', { script: 'echo', args: ['replay-after-prompt'] }),
      ],
      measures: ['echoP50Ms', 'echoP99Ms'],
    },
    {
      name: 'big',
      title: `${count(bigLines)} tool results of 1 MB, half of them ASCII`,
      input: ['big', bigLines],
      env: { BENCH_KEPT: '1' },
      reference: 'buffer-split',
      contenders: ['native-for-await', 'buffer-split', 'readline', 'claude-agent-sdk'].map((name) =>
        contender(name),
      ),
      measures: USAGE,
    },
    {
      name: 'long',
      title: 'a tool result in a line of 64 MB',
      note: '`locus-like` cuts lines as Locus 0.14.x does.',
      input: ['long', 64],
      env: { BENCH_KEPT: '1' },
      reference: 'locus-like',
      contenders: [
        contender('native-for-await'),
        contender('buffer-split'),
        contender('locus-like', { script: 'locus-like-reader' }),
      ],
      measures: USAGE,
    },
    {
      name: 'list',
      title: '1,000 stored conversations of 200 KB, listed by a new process',
      note: '`locus-like` reads and parses every file, as Locus 0.14.x does; the files are in the cache of the system.',
      input: ['sessions', 1000],
      reference: 'locus-like',
      contenders: ['native', 'locus-like'].map((name) =>
        contender(name, { script: 'sessions-list', args: [name] }),
      ),
      measures: USAGE,
    },
    {
      name: 'slow',
      title: `${count(slowLines)} deltas for a consumer that rests for 20 ms after every 1000`,
      input: ['deltas', slowLines],
      env: { BENCH_PAUSE_MS: '20' },
      reference: 'buffer-split',
      contenders: ['native-for-await', 'buffer-split', 'readline', 'claude-agent-sdk'].map((name) =>
        contender(name),
      ),
      measures: USAGE,
    },
    {
      name: 'loop',
      title: `how long the event loop is held up while ${count(lines)} deltas come`,
      input: ['deltas', lines],
      env: { BENCH_LOOP_DELAY: '1' },
      reference: 'buffer-split',
      contenders: ['native-for-await', 'native-events', 'buffer-split'].map((name) => contender(name)),
      measures: ['loopDelayP99Ms'],
    },
    {
      name: 'paced',
      title: `one stream with 1 line/ms for ${seconds} s`,
      note: "Latency is from the agent's write to the consumer, by CLOCK_MONOTONIC.",
      env: paced(1, 1000, seconds),
      reference: 'buffer-split',
      contenders: FED,
      measures: PER_LINE,
    },
    ...[24, 200].map((streams) => ({
      name: `many-${streams}`,
      title: `${streams} streams with 500 lines/s each for ${seconds} s`,
      env: paced(streams, 500, seconds),
      reference: 'buffer-split',
      contenders: FED,
      measures: PER_LINE,
    })),
  ]
}
