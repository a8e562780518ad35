import { createHash } from 'node:crypto'

import { describe, expect, it } from 'vitest'

import { type ExecEvent, ExecEventType } from '../ts/index.js'
import { runCli } from './support/cli.js'
import { deltaText, SMALL_TEXT } from './support/fakes/text.mjs'
import { chunksOf, openSession } from './support/session.js'

const LINES = 200_000
const env = { FAKE_LINES: String(LINES) }

/** What a terminal would obey in the text that is generated. */
const COMMANDS = ['\0', '\u001b[31m', '\u0007', '\r', '\u2028', '\u2029', '\u202c', '\u202e']

/** Adds up texts so that each border between them counts. */
class Digest {
  readonly #hash = createHash('sha256')
  count = 0

  add(text: string): void {
    this.count++
    this.#hash.update(`${Buffer.byteLength(text)}:`).update(text)
  }

  get result() {
    return { count: this.count, hash: this.#hash.digest('hex') }
  }
}

/** What the generator says: the same function as in the fake, which runs in another process. */
function generated() {
  const digest = new Digest()
  for (let index = 0; index < LINES; index++) {
    digest.add(deltaText(index))
  }
  return digest.result
}

describe(`${LINES} lines arrive in order, byte for byte`, () => {
  it('in a loop', async () => {
    const session = await openSession('streams-deltas', { env })
    const digest = new Digest()
    for await (const chunk of session.executeStreaming('hi')) {
      if (chunk.type === 'text_delta') {
        digest.add(chunk.content)
      }
    }
    expect(digest.result).toEqual(generated())
  })

  it('as events, where nobody loops', async () => {
    const session = await openSession('streams-deltas', { env })
    const digest = new Digest()
    const seqs: number[] = []
    session.on(ExecEventType.TEXT_DELTA, ({ data, seq }) => {
      digest.add(data.content)
      seqs.push(seq)
    })
    await session.execute('hi')
    expect(digest.result).toEqual(generated())
    const [first = 0] = seqs
    expect(seqs.every((seq, index) => seq === first + index)).toBe(true)
  })

  it('as events and in a loop at the same time, each event right before its chunk', async () => {
    const session = await openSession('streams-deltas', { env, flushMs: 16 })
    const [events, chunks] = [new Digest(), new Digest()]
    let last: ExecEvent<'text:delta'> | undefined
    session.on(ExecEventType.TEXT_DELTA, (event) => {
      last = event
      events.add(event.data.content)
    })
    let inStep = true
    for await (const chunk of session.executeStreaming('hi')) {
      if (chunk.type === 'text_delta') {
        chunks.add(chunk.content)
        inStep &&= last?.data.content === chunk.content && events.count === chunks.count
      }
    }
    expect(inStep).toBe(true)
    expect(events.result).toEqual(generated())
    expect(chunks.result).toEqual(generated())
  })

  it('through `locus exec --json-stream`', async () => {
    const { exitCode, stdout, stderr } = await runCli(['exec', '--json-stream', 'hi'], {
      agent: 'streams-deltas',
      env,
    })
    const digest = new Digest()
    for (const line of stdout.split('\n')) {
      const parsed = line === '' ? undefined : JSON.parse(line)
      if (parsed?.type === 'text_delta') {
        digest.add(parsed.payload.content)
      }
    }
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(digest.result).toEqual(generated())
  })

  it('through `locus exec`, without what a terminal would obey', async () => {
    const { exitCode, stdout } = await runCli(['exec', 'hi'], { agent: 'streams-deltas', env })
    const whole = Array.from({ length: LINES }, (_, index) => deltaText(index)).join('')
    const expected = COMMANDS.reduce((text, command) => text.replaceAll(command, ''), whole)
    expect(exitCode).toBe(0)
    // Not `toBe`: nobody wants to see the difference of two such texts.
    expect(stdout === `${expected}\n`).toBe(true)
  })
})

describe('a line that is cut at any byte', () => {
  it('arrives whole, every time', async () => {
    const session = await openSession('cuts-utf8')
    const chunks = await chunksOf(session.executeStreaming('hi'))
    const texts = chunks.flatMap((chunk) => (chunk.type === 'text_delta' ? [chunk.content] : []))
    const result = chunks.at(-1)
    expect(result).toMatchObject({ type: 'result', success: true })
    // The agent says how many cuts it has made: at least one inside of every character.
    expect(texts).toHaveLength(Number(result?.type === 'result' ? result.content : Number.NaN))
    expect(texts.length).toBeGreaterThan(Buffer.byteLength(SMALL_TEXT))
    expect(new Set(texts)).toEqual(new Set([SMALL_TEXT]))
  })

  it('arrives whole through `locus exec --json-stream`', async () => {
    const { stdout } = await runCli(['exec', '--json-stream', 'hi'], { agent: 'cuts-utf8' })
    const texts = stdout
      .split('\n')
      .flatMap((line) => (line.includes('"text_delta"') ? [JSON.parse(line).payload.content] : []))
    expect(texts.length).toBeGreaterThan(Buffer.byteLength(SMALL_TEXT))
    expect(new Set(texts)).toEqual(new Set([SMALL_TEXT]))
  })
})
