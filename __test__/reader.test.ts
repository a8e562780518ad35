import { describe, expect, it } from 'vitest'

import type { NativeSession } from '../index.js'
import { ExecEventType } from '../ts/index.js'
import { native } from '../ts/native.js'
import { EventReader } from '../ts/reader.js'

type Packed = { time: number } | { type: ExecEventType; fields: string[] }

/** A batch as the addon packs it: see `src/stream/batch.rs`. */
function pack(firstSeq: number, events: Packed[]): { arena: string; words: number[] } {
  let arena = ''
  const words: number[] = []
  for (const event of events) {
    if ('time' in event) {
      words.push(native().timeMark() | (2 << 8), event.time >>> 0, Math.floor(event.time / 2 ** 32))
      continue
    }
    words.push(native().eventNames().indexOf(event.type) | (event.fields.length << 8))
    for (const field of event.fields) {
      arena += field
      words.push(arena.length)
    }
  }
  return { arena, words: [words.length, firstSeq >>> 0, Math.floor(firstSeq / 2 ** 32), ...words] }
}

/** A reader of these batches; `null` is the moment at which there is none. */
function readerOf(...batches: ({ arena: string; words: number[] } | null)[]): EventReader {
  const drain = (words: Uint32Array): string | null => {
    const batch = batches.shift() ?? null
    words.set(batch?.words ?? [])
    return batch?.arena ?? null
  }
  return new EventReader({ drain } as NativeSession)
}

/** All that the reader tells until there is nothing more. */
function read(reader: EventReader) {
  const seen = []
  while (reader.advance()) {
    const { seq, timestamp, type, chunk } = reader
    seen.push({ seq, timestamp, type, chunk, data: chunk === undefined ? reader.data : undefined })
  }
  return seen
}

const text = (...fields: string[]): Packed => ({ type: ExecEventType.TEXT_DELTA, fields })
const thinking = (...fields: string[]): Packed => ({ type: ExecEventType.THINKING_DELTA, fields })
const json = (type: ExecEventType, value: object): Packed => ({ type, fields: [JSON.stringify(value)] })
const chunksOf = (reader: EventReader) => read(reader).map(({ chunk }) => chunk)

describe('the reader', () => {
  it('cuts the text of each event out of the arena, whatever characters are in it', () => {
    const texts = ['a', 'é', '日本', '𝒳👩‍👧', '', '\u0000\u2028', '\ud800', 'z']
    const reader = readerOf(pack(1, [{ time: 1 }, ...texts.map((content) => text(content))]))
    expect(chunksOf(reader)).toEqual(texts.map((content) => ({ type: 'text_delta', content })))
  })

  it('gives a long text that a tool returned as it is', () => {
    const chunk = { type: 'tool_result', tool: 'Read', id: 'toolu_1', success: true, duration: 3 }
    const fields = [JSON.stringify(chunk), '{"not": "parsed"} \ud800']
    const reader = readerOf(pack(1, [{ time: 1 }, { type: ExecEventType.TOOL_COMPLETED, fields }]))
    expect(reader.advance()).toBe(true)
    expect(reader.chunk).toEqual({ ...chunk, data: fields[1] })
    expect(reader.data).toEqual({ toolName: 'Read', toolId: 'toolu_1', duration: 3, result: fields[1] })
  })

  it('tells the parent of what a subagent says', () => {
    const reader = readerOf(
      pack(1, [{ time: 1 }, text('one', 'toolu_1'), text('two'), thinking('three', 'toolu_3')]),
    )
    expect(chunksOf(reader)).toEqual([
      { type: 'text_delta', content: 'one', parentToolUseId: 'toolu_1' },
      { type: 'text_delta', content: 'two' },
      { type: 'thinking', content: 'three', parentToolUseId: 'toolu_3' },
    ])
  })

  it('tells a thought whose content is not shown, with and without a parent', () => {
    const reader = readerOf(pack(1, [{ time: 1 }, thinking(), thinking('', 'toolu_1'), text('after')]))
    expect(chunksOf(reader)).toEqual([
      { type: 'thinking' },
      { type: 'thinking', parentToolUseId: 'toolu_1' },
      { type: 'text_delta', content: 'after' },
    ])
  })

  it('tells chunks from facts, and the data of facts', () => {
    const status = { type: 'status', status: 'compacting' }
    const fact = { prompt: 'what is my "type"?' }
    const reader = readerOf(
      pack(1, [
        { time: 1 },
        json(ExecEventType.STATUS_CHANGED, status),
        json(ExecEventType.PROMPT_SUBMITTED, fact),
      ]),
    )
    expect(read(reader)).toMatchObject([
      { type: 'status:changed', chunk: status },
      { type: 'prompt:submitted', chunk: undefined, data: fact },
    ])
  })

  it('counts on from the first event of every batch, and keeps the time until the next mark', () => {
    const reader = readerOf(
      pack(1, [{ time: 1_700_000_000_123 }, text('a'), text('b'), { time: 1_700_000_000_456 }, text('c')]),
      pack(4, [text('d')]),
      pack(2 ** 32 + 5, [{ time: 2 ** 41 + 7 }, text('e')]),
    )
    expect(read(reader).map(({ seq, timestamp }) => [seq, timestamp])).toEqual([
      [1, 1_700_000_000_123],
      [2, 1_700_000_000_123],
      [3, 1_700_000_000_456],
      [4, 1_700_000_000_456],
      [2 ** 32 + 5, 2 ** 41 + 7],
    ])
  })

  it('goes on with the next batch after there was none', () => {
    const reader = readerOf(pack(1, [{ time: 1 }, text('first', 'toolu_1')]), null, pack(2, [text('second')]))
    expect(chunksOf(reader)).toEqual([{ type: 'text_delta', content: 'first', parentToolUseId: 'toolu_1' }])
    expect(chunksOf(reader)).toEqual([{ type: 'text_delta', content: 'second' }])
    expect(reader.advance()).toBe(false)
  })

  it('takes the largest batch that the addon makes', () => {
    const events = Array.from({ length: 4094 }, (_, index) => text(String(index)))
    const reader = readerOf(pack(1, [{ time: 1 }, ...events]))
    expect(chunksOf(reader)).toEqual(
      events.map((_, index) => ({ type: 'text_delta', content: String(index) })),
    )
  })
})
