import { readdirSync, readFileSync } from 'node:fs'

import { describe, expect, it, vi } from 'vitest'

import {
  type ErrorChunk,
  type ExecEventData,
  type ReplayOptions,
  replayTranscript,
  type StoredRecord,
  type StreamChunk,
  type Usage,
} from '../ts/index.js'
import { chunksOf, recordEvents, rejectionOf, textOf, typesOf } from './support/session.js'
import { BEGUN, recordedSession } from './support/stored.js'

const atOnce: ReplayOptions = { speed: Number.POSITIVE_INFINITY }

describe('a replay', () => {
  it('gives the chunks of every turn, in their order', async () => {
    const chunks = await chunksOf(replayTranscript(recordedSession(), atOnce))
    expect(typesOf(chunks)).toEqual([
      ...['status', 'status', 'text_delta', 'tool_use', 'tool_parameters', 'tool_result', 'text_delta'],
      ...[
        'usage',
        'result',
        'status',
        'error',
        'result',
        'status',
        'status',
        'text_delta',
        'error',
        'result',
      ],
    ])
    expect(textOf(chunks)).toBe('I will write the plan.half an ans')
    expect(chunks.find(({ type }) => type === 'tool_parameters')).toEqual({
      ...{ type: 'tool_parameters', tool: 'Write', id: 't1' },
      parameters: { file_path: '/project/plan.md', content: '# The Plan' },
    })
    expect(chunks.find(({ type }) => type === 'tool_result')).toEqual({
      ...{ type: 'tool_result', tool: 'Write', id: 't1', success: true, duration: 23 },
    })
    const results = chunks.filter(({ type }) => type === 'result')
    expect(results).toMatchObject([
      { content: 'I will write the plan.', success: true, stopReason: 'end_turn', agentSessionId: 'agent-1' },
      { content: '', success: false, stopReason: 'error', durationMs: 50 },
      { content: 'half an ans', success: false, stopReason: 'interrupted', durationMs: 200 },
    ])
    expect(results[0]).toMatchObject({ usage: { input: 10, output: 20, costUsd: 0.25 } })
    expect(chunks.filter(({ type }) => type === 'error')).toMatchObject([
      { code: 'RATE_LIMIT', error: 'too many requests' },
      { code: 'CANCELLED' },
    ])
  })

  it('gives the events too, with the times at which they happened', async () => {
    const replay = replayTranscript(recordedSession(), atOnce)
    const events = recordEvents(replay)
    await chunksOf(replay)
    expect(events.map(({ type }) => type)).toEqual([
      'session:started',
      ...['prompt:submitted', 'turn:started', 'status:changed', 'status:changed', 'text:delta'],
      ...['tool:requested', 'tool:started', 'tool:completed', 'text:delta', 'usage:updated'],
      ...['response:completed', 'turn:completed'],
      ...['prompt:submitted', 'turn:started', 'status:changed', 'error:occurred', 'response:completed'],
      ...['turn:completed', 'prompt:submitted', 'turn:started', 'status:changed', 'status:changed'],
      ...['text:delta', 'error:occurred', 'response:completed', 'turn:completed', 'session:ended'],
    ])
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
    expect(new Set(events.map(({ sessionId }) => sessionId))).toEqual(new Set(['a8f3d9e2-0000']))
    const completed = events.filter(({ type }) => type === 'turn:completed')
    expect(completed.map(({ runId }) => runId)).toEqual(['run-1', 'run-2', 'run-3'])
    expect(completed.map(({ timestamp }) => timestamp - BEGUN)).toEqual([900, 60_050, 120_200])
    expect(completed[0]?.data).toMatchObject({ success: true, toolsUsed: ['Write'] })
    expect(completed[1]?.data).toMatchObject({ success: false, code: 'RATE_LIMIT' })
    expect(events.at(-1)?.data).toEqual({ turns: 3 })
  })

  it('tells an interrupted turn before the next one begins', async () => {
    const records = recordedSession()
    const again = { type: 'prompt', runId: 'run-4', content: 'again', provider: 'claude' } as const
    const replay = replayTranscript([...records, { ...again, timestamp: BEGUN + 9_000_000 }], atOnce)
    const events = recordEvents(replay)
    await chunksOf(replay)
    const interrupted = events.find(({ type, runId }) => type === 'turn:completed' && runId === 'run-3')
    // Its end is that of what was said in it, not the beginning of the next one.
    expect(interrupted).toMatchObject({ timestamp: BEGUN + 120_200, data: { durationMs: 200 } })
  })

  it('can be played again', async () => {
    const replay = replayTranscript(recordedSession(), atOnce)
    expect(await chunksOf(replay)).toEqual(await chunksOf(replay))
  })

  it('skips records that it does not know, and is empty for none', async () => {
    const odd = { type: 'from_the_future', timestamp: 1 } as unknown as StoredRecord
    expect(await chunksOf(replayTranscript([odd], atOnce))).toEqual([])
    expect(await chunksOf(replayTranscript([], atOnce))).toEqual([])
  })

  it('plays the messages of a conversation that was stored without records', async () => {
    const message = { timestamp: 5, runId: 'r' }
    const messages = [
      { role: 'user' as const, content: 'hi', ...message },
      { role: 'assistant' as const, content: 'hello', ...message, metadata: { durationMs: 7 } },
    ]
    const chunks = await chunksOf(replayTranscript({ records: [], messages }, atOnce))
    expect(chunks.at(-1)).toMatchObject({ type: 'result', content: 'hello', success: true, durationMs: 7 })
  })
})

const FIXTURES = new URL('../fixtures/transcripts/claude/', import.meta.url)

/** What an agent of a fixture printed. */
function printedIn(name: string): Buffer {
  const folder = new URL(`${name}/`, FIXTURES)
  const [file = ''] = readdirSync(folder).filter((entry) => entry.endsWith('.jsonl'))
  const recorded = readFileSync(new URL(file, folder))
  if (file !== 'both-ways.jsonl') {
    return recorded
  }
  const lines = recorded.toString().split('\n')
  const printed = lines.filter((line) => line.startsWith('<<< ')).map((line) => `${line.slice(4)}\n`)
  return Buffer.from(printed.join(''))
}

/** The chunks that the snapshot of a fixture tells: what was said, and what a run makes of each end of a turn. */
function expectedOf(name: string): object[] {
  const [, , ...snapshot] = readFileSync(new URL(`${name}/events.snap`, FIXTURES), 'utf8').split('---\n')
  return snapshot
    .join('---\n')
    .split('\n')
    .flatMap((line) => {
      const [, end] = /^! turn ended (.*)$/.exec(line) ?? []
      return end === undefined ? (line.startsWith('{') ? [JSON.parse(line)] : []) : endOf(JSON.parse(end))
    })
}

/** The end of a turn, as a snapshot has it. */
interface End {
  content: string
  error: Partial<ErrorChunk> | null
  interrupted: boolean
  turns: number
  usage: Usage
  agentSessionId?: string
}

function endOf({ content, error, interrupted, turns, usage, agentSessionId }: End): object[] {
  const failure = interrupted ? { code: 'CANCELLED' } : error
  return [
    ...(turns > 0 || usage.costUsd !== undefined ? [{ type: 'usage', ...usage }] : []),
    ...(failure ? [{ type: 'error', ...failure }] : []),
    {
      ...{ type: 'result', success: !failure, content: failure ? '' : content, turns },
      ...(agentSessionId && { agentSessionId }),
    },
  ]
}

/** What a turn that ends makes of a tool that has not returned; no agent says it. */
const isLeftOpen = (chunk: StreamChunk) =>
  chunk.type === 'tool_result' && chunk.error === 'the turn ended before the tool returned'

describe('a replay of a transcript', () => {
  const byExec = readdirSync(new URL('../codex/', FIXTURES)).filter((name) => name.startsWith('exec-'))
  const names = [...readdirSync(FIXTURES), ...byExec.map((name) => `../codex/${name}`)]

  it.each(names)('gives the chunks of a live run (%s)', async (name) => {
    const chunks = await chunksOf(replayTranscript({ transcript: printedIn(name) }, atOnce))
    const said = chunks.filter((chunk) => !isLeftOpen(chunk))
    const expected = expectedOf(name)
    expect(expected.length).toBeGreaterThan(0)
    expect(typesOf(said)).toEqual(expected.map((chunk) => (chunk as StreamChunk).type))
    expect(said).toMatchObject(expected)
  })

  it.each(names)('gives the events of a live run, in their order (%s)', async (name) => {
    const replay = replayTranscript({ transcript: printedIn(name) }, atOnce)
    const events = recordEvents(replay)
    const chunks = await chunksOf(replay)
    const facts = events.map(({ type }) => type).filter((type) => /^(session|prompt|turn):/.test(type))
    const turns = facts.filter((type) => type === 'turn:completed').length
    expect(facts.join(' ')).toMatch(
      /^session:started( (prompt:submitted )?turn:started turn:completed)+ session:ended$/,
    )
    expect(turns).toBe(typesOf(chunks).filter((type) => type === 'result').length)
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
    const times = events.map(({ timestamp }) => timestamp)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(events.at(-1)).toMatchObject({ runId: `run-${turns}`, data: { turns } })
  })

  it('tells the prompts that claude has repeated, each before its turn', async () => {
    const replay = replayTranscript({ transcript: printedIn('bidirectional') }, atOnce)
    const events = recordEvents(replay)
    await chunksOf(replay)
    const told = events.flatMap(({ type, data }) => {
      if (type === 'turn:started') return ['']
      return type === 'prompt:submitted' ? [(data as ExecEventData['prompt:submitted']).prompt] : []
    })
    expect(told).toEqual([
      ...['hi turn1', '', 'please TOOL', '', 'please TOOL again', '', 'hi on new model', ''],
      ...['SLOWSTREAM please', '', 'hi again', '', 'SLEEPTOOL', '', 'first', '', 'second', ''],
      ...['RATE429', '', 'BAD400', '', 'LIMITHDR', '', 'THINK', '', '', ''],
    ])
  })

  it('is understood in the way in which its agent was spoken to', async () => {
    const transcript = printedIn('../codex/exec-tool')
    const seen = replayTranscript({ transcript }, atOnce)
    const events = recordEvents(seen)
    const chunks = await chunksOf(seen)
    expect(events[0]).toMatchObject({ type: 'session:started', data: { provider: 'codex' } })
    expect(typesOf(chunks)).not.toContain('unparsed')
    expect(textOf(chunks)).not.toBe('')
    expect(await chunksOf(replayTranscript({ transcript, provider: 'codex' }, atOnce))).toEqual(chunks)
    const ofClaude = await chunksOf(replayTranscript({ transcript, provider: 'claude' }, atOnce))
    expect(ofClaude.find(({ type }) => type === 'error')).toMatchObject({ code: 'PROTOCOL' })
  })

  it('is the same of a text, and can be played again', async () => {
    const transcript = printedIn('unicode')
    const replay = replayTranscript({ transcript: transcript.toString(), provider: 'claude' }, atOnce)
    const chunks = await chunksOf(replay)
    expect(textOf(chunks)).toContain('日本語')
    expect(chunks).toEqual(await chunksOf(replay))
    expect(chunks).toEqual(await chunksOf(replayTranscript({ transcript }, atOnce)))
  })

  it('that ends in the middle of a turn fails there', async () => {
    const lines = printedIn('text').toString().split('\n').slice(0, 8)
    const chunks = await chunksOf(replayTranscript({ transcript: lines.join('\n') }, atOnce))
    expect(textOf(chunks)).toBe('Hello from the mock ')
    expect(chunks.slice(-2)).toMatchObject([
      { type: 'error', code: 'NO_RESULT' },
      { type: 'result', success: false, content: '', stopReason: 'error' },
    ])
  })

  it('of something else tells each line of it, and that it is none', async () => {
    const chunks = await chunksOf(replayTranscript({ transcript: 'hello\r\n\n{"type":"new"}' }, atOnce))
    expect(chunks).toMatchObject([
      { type: 'unparsed', line: 'hello' },
      { type: 'unparsed', line: '{"type":"new"}' },
      { type: 'error', code: 'PROTOCOL' },
      { type: 'result', success: false },
    ])
    expect(await chunksOf(replayTranscript({ transcript: '' }, atOnce))).toEqual([])
    const unknown = replayTranscript({ transcript: '', provider: 'hal' })
    expect(await rejectionOf(chunksOf(unknown))).toMatchObject({ code: 'UNKNOWN_PROVIDER' })
  })

  it('is long, and comes in order', async () => {
    const turn = printedIn('two-tools').toString()
    const chunks = await chunksOf(replayTranscript({ transcript: turn.repeat(50) }, atOnce))
    const once = await chunksOf(replayTranscript({ transcript: turn }, atOnce))
    const results = chunks.filter(({ type }) => type === 'result')
    expect(results).toHaveLength(50)
    expect(textOf(chunks)).toBe(textOf(once).repeat(50))
  })
})

describe('the pauses of a replay', () => {
  /** For how long it waits in all, by a clock that is turned by hand. */
  async function timeOf(options: ReplayOptions): Promise<number> {
    const pauses: number[] = []
    vi.doMock('node:timers/promises', () => ({
      setTimeout: async (milliseconds: number) => void pauses.push(milliseconds),
      setImmediate: async () => {},
    }))
    vi.resetModules()
    const { replayTranscript } = await import('../ts/replay.js')
    await chunksOf(replayTranscript(recordedSession(), options))
    vi.doUnmock('node:timers/promises')
    return pauses.reduce((sum, it) => sum + it, 0)
  }

  it.each([
    ['as it was, but for the time between the turns', {}, 900 + 3000 + 50 + 3000 + 200],
    ['twice as fast', { speed: 2 }, 3575],
    [
      'half as fast, with short pauses',
      { speed: 0.5, maxPauseMs: 100 },
      2 * (1 + 100 + 100 + 23 + 200 + 100 + 50 + 200),
    ],
    ['at once', atOnce, 0],
  ])('are %s', async (_, options, expected) => {
    expect(await timeOf(options)).toBe(expected)
  })

  it('end when it is aborted', async () => {
    const controller = new AbortController()
    const replay = replayTranscript(recordedSession(), {
      ...{ speed: 1e-6, maxPauseMs: 1e9, signal: controller.signal },
    })
    const chunks = chunksOf(replay)
    replay.on('prompt:submitted', () => controller.abort())
    controller.abort('enough')
    expect(await rejectionOf(chunks)).toMatchObject({ code: 'CANCELLED', cause: 'enough' })
  })

  it.each([
    { speed: 0 },
    { speed: -1 },
    { speed: Number.NaN },
    { maxPauseMs: -1 },
    { maxPauseMs: Number.NaN },
  ])('cannot be %j', (options) => {
    expect(() => replayTranscript([], options)).toThrow(/must be a number/)
  })
})
