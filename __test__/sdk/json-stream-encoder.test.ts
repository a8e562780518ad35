import { describe, expect, it } from 'vitest'

import { CancelledError, execError } from '../../ts/index.js'
import { createAiRunner, encodeJsonStream, JsonStreamEncoder, type StreamChunk } from '../../ts/sdk/index.js'
import { protocolLines } from '../support/cli.js'
import { fakeAgent } from '../support/fakes.js'
import { temporaryFolder } from '../support/folder.js'
import { openLifeline } from '../support/lifeline.js'
import { text } from './support.js'

const OPTIONS = { sessionId: 'session-1', provider: 'claude', model: 'opus', cwd: '/project' }
const decoded = (bytes: Uint8Array[]) =>
  protocolLines(bytes.map((piece) => new TextDecoder().decode(piece)).join(''))

/** The lines of these chunks, and of the end. */
function linesOf(chunks: StreamChunk[], end?: Parameters<JsonStreamEncoder['end']>[0]) {
  const encoder = new JsonStreamEncoder(OPTIONS)
  return decoded([encoder.encode(chunks), encoder.end(end)]).map(({ type, payload }) => ({ type, payload }))
}

async function* streamOf(...chunks: StreamChunk[]) {
  yield* chunks
}

describe('an encoder', () => {
  it('begins with start and ends with done, whatever comes between', () => {
    expect(linesOf([])).toEqual([
      { type: 'start', payload: { command: 'exec', provider: 'claude', model: 'opus', cwd: '/project' } },
      { type: 'done', payload: { exitCode: 0, duration: expect.any(Number), toolsUsed: [], success: true } },
    ])
  })

  it('gives bytes in UTF-8, one line for each thing that happened, in the envelope of protocol 1', () => {
    const [, line] = decoded([new JsonStreamEncoder(OPTIONS).encode([text('é 𝒳\n\u2028')])])
    expect(line).toEqual({
      ...{ protocol: 1, type: 'text_delta', sessionId: 'session-1', timestamp: expect.any(Number) },
      payload: { content: 'é 𝒳\n\u2028' },
    })
  })

  it('writes lines of text as it writes all others', () => {
    const bytes = new JsonStreamEncoder(OPTIONS).encode([
      text('\u009b31m "é"\n'),
      { type: 'thinking', content: 'hm' },
    ])
    const raw = new TextDecoder().decode(bytes).trimEnd().split('\n')
    const [start = {}, ...others] = raw.map((line) => JSON.parse(line) as object)
    for (const line of others) {
      expect(Object.keys(line)).toEqual(Object.keys(start))
    }
    expect(raw[1]).toContain(String.raw`"content":"\u009b31m \"é\"\n"`)
  })

  it('has an answer that comes only with the result, and no answer twice', () => {
    const contents = (chunks: StreamChunk[]) =>
      linesOf(chunks).flatMap(({ payload }) => payload.content ?? [])
    const result: StreamChunk = { type: 'result', content: 'yes' }
    expect(contents([result])).toEqual(['yes'])
    expect(contents([text('yes'), result])).toEqual(['yes'])
    const ofSubagent: StreamChunk = { type: 'text_delta', content: 'no', parentToolUseId: 'task' }
    expect(contents([ofSubagent, result])).toEqual(['yes'])
  })

  it('tells tools of any runner: when the input is complete, or else before the result', () => {
    const lines = linesOf([
      { type: 'tool_use', tool: 'Read', id: '1' },
      { type: 'tool_parameters', tool: 'Read', id: '1', parameters: { file_path: 'a' } },
      { type: 'tool_result', tool: 'Read', id: '1', success: true, duration: 5 },
      { type: 'tool_use', tool: 'Bash', parameters: { command: 'ls' } },
      { type: 'tool_result', tool: 'Bash', success: false, error: 'exit 1' },
    ])
    expect(
      lines
        .slice(1, -1)
        .map(({ type, payload }) => [type, payload.tool, payload.parameters ?? payload.success]),
    ).toEqual([
      ['tool_started', 'Read', { file_path: 'a' }],
      ['tool_completed', 'Read', true],
      ['tool_started', 'Bash', { command: 'ls' }],
      ['tool_completed', 'Bash', false],
    ])
    expect(lines[3]?.payload.toolId).toBe(lines[4]?.payload.toolId)
    expect(lines.at(-1)?.payload.toolsUsed).toEqual(['Read', 'Bash'])
  })

  it('ends with what it used, where that is known', () => {
    const usage = { input: 1, output: 20, cacheRead: 300, cacheWrite: 4000, costUsd: 0.25 }
    const done = linesOf([{ type: 'result', content: 'yes', usage }]).at(-1)
    expect(done?.payload).toMatchObject({ tokensUsed: 4321, costUsd: 0.25, success: true })
    expect(linesOf([{ type: 'result', content: 'yes' }]).at(-1)?.payload).not.toHaveProperty('tokensUsed')
  })

  it('tells a failure before a done that failed, with the exit code of the failure', () => {
    const chunk: StreamChunk = { type: 'error', error: 'too many', code: 'RATE_LIMIT', retryable: true }
    const [, error, done] = linesOf([chunk])
    expect(error).toMatchObject({
      type: 'error',
      payload: { error: { code: 'RATE_LIMIT', message: 'too many', recoverable: true } },
    })
    expect(done?.payload).toMatchObject({ exitCode: 23, success: false })
    expect(linesOf([], { error: new Error('oops') }).at(-1)?.payload).toMatchObject({ exitCode: 37 })
    expect(
      linesOf([], { error: execError('CANCELLED', 'stop'), exitCode: 143 }).at(-1)?.payload,
    ).toMatchObject({
      ...{ exitCode: 143, success: false },
    })
  })

  it('says nothing after its end', () => {
    const encoder = new JsonStreamEncoder(OPTIONS)
    encoder.end()
    expect(encoder.encode([text('more')])).toHaveLength(0)
    expect(encoder.end()).toHaveLength(0)
  })
})

describe('encodeJsonStream', () => {
  const gather = async (stream: AsyncIterable<Uint8Array>) => {
    const pieces: Uint8Array[] = []
    for await (const piece of stream) {
      pieces.push(piece)
    }
    return pieces
  }

  it('gives what comes at once as one piece', async () => {
    const many = Array.from({ length: 500 }, (_, index) => text(String(index)))
    const pieces = await gather(encodeJsonStream(streamOf(...many), OPTIONS))
    expect(decoded(pieces)).toHaveLength(502)
    expect(pieces.length).toBeLessThan(20)
  })

  it('gives what comes later later', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    async function* slow() {
      yield text('first')
      await held
      yield text('second')
    }
    const stream = encodeJsonStream(slow(), OPTIONS)
    const seen: string[] = []
    for await (const piece of stream) {
      seen.push(...decoded([piece]).map(({ type, payload }) => payload.content ?? type))
      if (seen.at(-1) === 'first') {
        release()
      }
    }
    expect(seen).toEqual(['start', 'first', 'second', 'done'])
  })

  it('ends with done also where the stream throws', async () => {
    async function* failing() {
      yield text('half')
      throw new CancelledError('CANCELLED', 'stopped')
    }
    const lines = decoded(await gather(encodeJsonStream(failing(), OPTIONS)))
    expect(lines.map(({ type }) => type)).toEqual(['start', 'text_delta', 'error', 'done'])
    expect(lines.at(-1)?.payload).toMatchObject({ exitCode: 130, success: false })
  })

  it('stops the stream, and its agent, when its own loop ends', async () => {
    const lifeline = await openLifeline()
    const options = { executable: fakeAgent('waits-for-interrupt'), env: lifeline.env }
    const runner = createAiRunner('claude', { projectPath: temporaryFolder(), options })
    for await (const piece of encodeJsonStream(runner.runStream('hi'), OPTIONS)) {
      if (decoded([piece]).some(({ type }) => type === 'text_delta')) {
        break
      }
    }
    await lifeline.closed
  })
})
