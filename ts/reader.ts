import type { NativeSession } from '../index.js'
import type { StreamChunk, ToolResultChunk } from './chunks.js'
import { dataOfChunk, type ExecEventData, ExecEventType, FACTS } from './events.js'
import type { JsonLinesChunk } from './json-lines.js'
import { native } from './native.js'

/** The words of a batch, and in front of them their count and the halves of the first event's seq; see the addon. */
const HEADER_WORDS = 3
const BUFFER_WORDS = HEADER_WORDS + 8 * 1024

const TWO_32 = 2 ** 32

/** Buffers that no reader uses now; a reader needs one only while it walks over a batch. */
const spareBuffers: Uint32Array[] = []
const NO_WORDS: Uint32Array = new Uint32Array(0)

/** Where events come from. */
export type EventSource = Pick<NativeSession, 'drain'> & Partial<Pick<NativeSession, 'takeLines'>>

/**
 * Walks over the events of a session, unpacking the flat batches of the addon (`src/stream/batch.rs`).
 *
 * `advance` moves to the next event; the other members are about the event it moved to. The text of an event is a
 * slice of the batch's one string, made only when asked for.
 */
export class EventReader {
  readonly #source: EventSource
  #words: Uint32Array = NO_WORDS
  readonly #names = native().eventNames() as ExecEventType[]
  readonly #timeMark = native().timeMark()
  readonly #linesMark = native().linesMark()
  readonly #isFact = this.#names.map((name) => FACTS.has(name))
  readonly #textDelta = this.#names.indexOf(ExecEventType.TEXT_DELTA)
  readonly #thinkingDelta = this.#names.indexOf(ExecEventType.THINKING_DELTA)
  #arena = ''
  #next = 0
  #end = 0
  #start = 0
  #kind = 0
  #fields = 0
  #parsed: unknown
  #fieldEnds = 0
  /** The lines of the batch, once they were asked for, and where those of the next event begin. */
  #allLines: Uint8Array | undefined
  #linesStart = 0

  /** The lines that the event, and those before it, have become, where the session was asked for lines. */
  lines: JsonLinesChunk | undefined

  /** The event's place in the session's sequence. */
  seq = 0
  /** The event's time in milliseconds since the epoch. */
  timestamp = 0

  constructor(source: EventSource) {
    this.#source = source
  }

  /** Moves to the next event; false when there is none now, and the session will call `wake` when there is. */
  advance(): boolean {
    if (this.#fields > 0) {
      this.#start = this.#words[this.#fieldEnds + this.#fields - 1] as number
    }
    this.#parsed = undefined
    this.lines = undefined
    for (;;) {
      if (this.#next === this.#end && !this.#load()) {
        return false
      }
      const words = this.#words
      const head = words[this.#next++] as number
      const kind = head & 0xff
      const fields = head >>> 8
      this.#fieldEnds = this.#next
      this.#next += fields
      if (kind === this.#timeMark) {
        this.timestamp = (words[this.#fieldEnds] as number) + (words[this.#fieldEnds + 1] as number) * TWO_32
        continue
      }
      this.#kind = kind
      if (kind === this.#linesMark) {
        this.#fields = 0
        this.#takeLines()
        return true
      }
      this.#fields = fields
      this.seq++
      return true
    }
  }

  #takeLines(): void {
    const [events, answers, end] = this.#words.subarray(this.#fieldEnds, this.#next) as unknown as number[]
    this.#allLines ??= this.#source.takeLines?.()
    const lines = this.#allLines?.subarray(this.#linesStart, end) ?? new Uint8Array()
    this.#linesStart = end as number
    this.seq += events as number
    this.lines = { type: 'json_lines', lines, answers: answers === 1 }
  }

  #load(): boolean {
    const words =
      this.#words === NO_WORDS ? (spareBuffers.pop() ?? new Uint32Array(BUFFER_WORDS)) : this.#words
    // The engine's text is as large as that of the last batch, which may be collected now.
    this.#arena = ''
    const arena = this.#source.drain(words)
    this.#fields = 0
    this.#allLines = undefined
    this.#linesStart = 0
    if (arena === null) {
      this.#words = NO_WORDS
      spareBuffers.push(words)
      return false
    }
    this.#words = words
    this.#arena = arena
    this.#next = HEADER_WORDS
    this.#end = HEADER_WORDS + (words[0] as number)
    this.#start = 0
    this.seq = (words[1] as number) + (words[2] as number) * TWO_32 - 1
    return true
  }

  /** The event's name. */
  get type(): ExecEventType {
    return this.#names[this.#kind] as ExecEventType
  }

  /** The chunk that the event is, if it is one. */
  get chunk(): StreamChunk | undefined {
    const kind = this.#kind
    if (kind === this.#textDelta) {
      const content = this.#content()
      return this.#fields === 1
        ? { type: 'text_delta', content }
        : { type: 'text_delta', content, parentToolUseId: this.#second() }
    }
    if (kind === this.#thinkingDelta) {
      return this.#thinking()
    }
    if (this.#isFact[kind]) {
      return undefined
    }
    const chunk = this.#json() as StreamChunk
    if (this.#fields === 2) {
      // A long text that a tool returned, which is not JSON.
      ;(chunk as ToolResultChunk).data = this.#second()
    }
    return chunk
  }

  /** The event's `data`, made anew each time: it belongs to whoever gets it. */
  get data(): ExecEventData[ExecEventType] {
    this.#parsed = undefined
    const chunk = this.chunk
    const data = chunk === undefined ? (this.#json() as ExecEventData[ExecEventType]) : dataOfChunk(chunk)
    this.#parsed = undefined
    return data
  }

  #thinking(): StreamChunk {
    const content = this.#fields > 0 ? this.#content() : ''
    const chunk: StreamChunk = content === '' ? { type: 'thinking' } : { type: 'thinking', content }
    if (this.#fields === 2) {
      chunk.parentToolUseId = this.#second()
    }
    return chunk
  }

  #content(): string {
    return this.#arena.slice(this.#start, this.#words[this.#fieldEnds])
  }

  #second(): string {
    return this.#arena.slice(this.#words[this.#fieldEnds], this.#words[this.#fieldEnds + 1])
  }

  #json(): object {
    this.#parsed ??= JSON.parse(this.#content())
    return this.#parsed as object
  }
}
