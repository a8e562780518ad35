import { PassThrough } from 'node:stream'

import { describe, expect, it } from 'vitest'

import { Output } from '../../ts/cli/output.js'
import { JsonStreamRenderer } from '../../ts/cli/renderers/json-stream.js'
import { ERROR_CODES, type ErrorCode, execError, type StreamChunk } from '../../ts/index.js'
import { protocolLines } from '../support/cli.js'

const START = { sessionId: 'session-1', saved: true, cwd: '/project', provider: 'claude', model: 'opus' }
const END = { exitCode: 0, durationMs: 1234, error: undefined }
const SUMMARY = {
  ...{ runId: 'run-1', success: true, durationMs: 1200, toolsUsed: ['Read', 'Bash'] },
  usage: { input: 1, output: 20, cacheRead: 300, cacheWrite: 4000, costUsd: 0.25 },
}

/** The lines that are printed for a run in which this happens between start and end. */
function linesOf(
  happen: (renderer: JsonStreamRenderer) => void,
  end: Parameters<JsonStreamRenderer['end']>[0] = END,
) {
  const stream = new PassThrough()
  const renderer = new JsonStreamRenderer(new Output(stream))
  renderer.start(START)
  happen(renderer)
  renderer.end(end)
  return protocolLines(String(stream.read()))
}

/** The lines for one chunk, without start and done. */
function linesOfChunk(chunk: StreamChunk) {
  return linesOf((renderer) => renderer.chunk(chunk))
    .slice(1, -1)
    .map(({ type, payload }) => ({ type, payload }))
}

describe('the JSON stream', () => {
  it('is one line for each thing that happened, all in the same envelope', () => {
    const before = Date.now()
    const lines = linesOf((renderer) => renderer.chunk({ type: 'text_delta', content: 'line\nline\u2028' }))
    expect(lines.map(({ type }) => type)).toEqual(['start', 'text_delta', 'done'])
    for (const line of lines) {
      expect(Object.keys(line)).toEqual(['protocol', 'type', 'sessionId', 'timestamp', 'payload'])
      expect(line).toMatchObject({ protocol: 1, sessionId: 'session-1' })
      expect(line.timestamp).toBeGreaterThanOrEqual(before)
      expect(line.timestamp).toBeLessThanOrEqual(Date.now())
    }
  })

  it('begins with what is run, and where', () => {
    const [start] = linesOf(() => {})
    expect(start?.payload).toEqual({ command: 'exec', model: 'opus', provider: 'claude', cwd: '/project' })
  })

  it('ends with what it came to', () => {
    const lines = linesOf((renderer) => renderer.turnCompleted(SUMMARY))
    expect(lines.at(-1)?.payload).toEqual({
      ...{ exitCode: 0, duration: 1234, success: true },
      ...{ toolsUsed: ['Read', 'Bash'], tokensUsed: 4321, costUsd: 0.25 },
    })
  })

  it('ends without figures where no turn was run', () => {
    const done = linesOf(() => {}).at(-1)
    expect(done?.payload).toEqual({ exitCode: 0, duration: 1234, success: true })
  })

  it.each<[StreamChunk, string, object]>([
    [{ type: 'text_delta', content: 'é 𝒳\u0000' }, 'text_delta', { content: 'é 𝒳\u0000' }],
    [{ type: 'thinking', content: 'hm' }, 'thinking', { content: 'hm' }],
    [
      { type: 'tool_parameters', tool: 'Read', id: '1', parameters: { file_path: 'a' } },
      'tool_started',
      { tool: 'Read', toolId: '1', parameters: { file_path: 'a' } },
    ],
    [
      { type: 'tool_result', tool: 'Read', id: '1', success: true, duration: 5, data: 'text' },
      'tool_completed',
      { tool: 'Read', toolId: '1', success: true, duration: 5 },
    ],
    [
      { type: 'tool_result', tool: 'Read', id: '1', success: false, duration: 5, error: 'no such file' },
      'tool_completed',
      { tool: 'Read', toolId: '1', success: false, duration: 5, error: 'no such file' },
    ],
    [{ type: 'status', status: 'compacting' }, 'status', { status: 'compacting' }],
    [
      { type: 'status', status: 'retrying', detail: { attempt: 1, error: 'overloaded' } },
      'status',
      { status: 'retrying', message: 'overloaded' },
    ],
    [
      { type: 'status', status: 'initialized', detail: { model: 'opus' } },
      'status',
      { status: 'initialized', message: '{"model":"opus"}' },
    ],
    [
      { type: 'unparsed', line: '<html>', reason: 'expected value' },
      'status',
      { status: 'unparsed', message: 'expected value: <html>' },
    ],
  ])('tells %j as %s', (chunk, type, payload) => {
    expect(linesOfChunk(chunk)).toEqual([{ type, payload }])
  })

  it.each<StreamChunk>([
    { type: 'text_delta', content: 'of a subagent', parentToolUseId: '1' },
    { type: 'thinking' },
    { type: 'tool_use', tool: 'Read', id: '1' },
    { type: 'usage', ...SUMMARY.usage },
    { type: 'permission_request', id: '1', tool: 'Bash', parameters: {} },
    { type: 'error', error: 'it failed', code: 'AUTH', retryable: false },
  ])('leaves out what the protocol has no word for, or what comes in another line: %j', (chunk) => {
    expect(linesOfChunk(chunk)).toEqual([])
  })

  it('tells a denial, and the remedy where nobody was there to be asked', () => {
    const denied = { id: '1', tool: 'Bash', behavior: 'deny', message: 'no' } as const
    const lines = linesOf((renderer) => {
      renderer.permissionResolved({ ...denied, decidedBy: 'default' })
      renderer.permissionResolved({ ...denied, decidedBy: 'policy' })
      renderer.permissionResolved({ ...denied, behavior: 'allow', decidedBy: 'user' })
    })
    expect(lines.slice(1, -1).map(({ payload }) => payload)).toEqual([
      { status: 'permission_denied', message: 'no; allow it with --allow Bash, or everything with --yes' },
      { status: 'permission_denied', message: 'no' },
    ])
  })
})

describe('the JSON stream of a failure', () => {
  const PROTOCOL_CODES: Partial<Record<ErrorCode, string>> = {
    AUTH: 'AUTH_EXPIRED',
    NETWORK_ERROR: 'NETWORK_TIMEOUT',
    PROTOCOL: 'MALFORMED_EVENT',
    EXITED_BEFORE_INIT: 'PROCESS_CRASHED',
    NO_RESULT: 'PROCESS_CRASHED',
    KILLED_BY_SIGNAL: 'PROCESS_CRASHED',
    INTERNAL: 'UNKNOWN',
  }

  it.each(ERROR_CODES)('has the code of protocol 1 for %s, and ours in the details', (code) => {
    const error = execError(code, 'it failed', { retryable: true })
    const lines = linesOf(() => {}, { ...END, exitCode: 9, error })
    expect(lines.map(({ type }) => type)).toEqual(['start', 'error', 'done'])
    expect(lines[1]?.payload.error).toMatchObject({ code: PROTOCOL_CODES[code] ?? code, details: { code } })
    expect(lines[1]?.payload.error).toMatchObject({ message: 'it failed', recoverable: true })
    expect(lines[2]?.payload).toMatchObject({ exitCode: 9, success: false })
  })

  it('has all facts that are known of it', () => {
    const facts = {
      ...{ retryAfterMs: 1500, resetsAt: 2000, exitCode: 7, signal: 'SIGTERM', stderrTail: 'the end' },
      ...{ needsConsent: true, attempts: [{ attempt: 1, code: 'PROCESS_CRASHED', message: 'it failed' }] },
    }
    const error = execError('PROCESS_CRASHED', 'it failed', facts)
    const lines = linesOf(() => {}, { ...END, exitCode: 12, error })
    expect(lines[1]?.payload.error.details).toEqual({
      code: 'PROCESS_CRASHED',
      remedy: error.remedy,
      ...facts,
    })
  })
})

it('the JSON stream says when its reader cannot keep up', () => {
  const stream = new PassThrough({ highWaterMark: 10 })
  const output = new Output(stream)
  const renderer = new JsonStreamRenderer(output)
  renderer.start(START)
  expect(renderer.ready()).toBe(undefined)
  output.flush()
  expect(renderer.ready()).toBeInstanceOf(Promise)
})
