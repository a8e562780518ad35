import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import type { StreamChunk } from '../ts/chunks.js'
import { JSON_LINES, type JsonLinesChunk } from '../ts/json-lines.js'
import { temporaryFolder } from './support/folder.js'
import { chunksOf, openSession } from './support/session.js'

/** What protocol 1 has lines for that the engine writes. */
type Line = { type: string; content: string }

/** All that a turn says, of an agent of this name that may read a text of what a terminal would obey. */
async function turnOf(fake: string, jsonLines: boolean) {
  const file = join(temporaryFolder(), 'text')
  writeFileSync(file, 'naïve “so” 日本語 🦀 \u001b[2J\u009b2J\u202e\u2028 "quoted" \\ \t end\n'.repeat(500))
  const session = await openSession(fake, { env: { FAKE_TEXT: file }, [JSON_LINES]: jsonLines })
  const chunks = await chunksOf(session.executeStreaming('go'))
  return { chunks: chunks as (StreamChunk | JsonLinesChunk)[], id: session.id }
}

describe('a session that is asked for JSON lines', () => {
  it.each(['says-everything', 'streams-the-text-of-a-file'])('says the same in them (%s)', async (fake) => {
    const plain = await turnOf(fake, false)
    const expected = plain.chunks.flatMap((chunk): Line[] => {
      const isLine =
        chunk.type === 'thinking' || (chunk.type === 'text_delta' && chunk.parentToolUseId === undefined)
      return isLine && chunk.content !== undefined ? [{ type: chunk.type, content: chunk.content }] : []
    })
    const { chunks, id } = await turnOf(fake, true)
    const lines = chunks.flatMap((chunk) =>
      chunk.type === 'json_lines' ? Buffer.from(chunk.lines).toString().split('\n').slice(0, -1) : [],
    )
    const parsed = lines.map((line) => JSON.parse(line))
    expect(parsed.map(({ type, payload }) => ({ type, content: payload.content }))).toEqual(expected)
    expect(parsed.every(({ protocol, sessionId }) => protocol === 1 && sessionId === id)).toBe(true)
    expect(expected.length).toBeGreaterThan(0)
    const others = (all: (StreamChunk | JsonLinesChunk)[]) =>
      all
        .filter(({ type }) => type !== 'json_lines' && type !== 'text_delta')
        .filter((chunk) => chunk.type !== 'thinking' || chunk.content === undefined)
        .map(({ type }) => type)
    expect(others(chunks)).toEqual(others(plain.chunks))
  })
})
