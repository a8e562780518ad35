import { EventEmitter } from 'node:events'
import { setImmediate, setTimeout } from 'node:timers/promises'

import type { StreamChunk } from './chunks.js'
import { errorOfNative, execError } from './errors.js'
import {
  dataOfChunk,
  type ExecEvent,
  type ExecEventData,
  type ExecEventMap,
  ExecEventType,
} from './events.js'
import type { StoredSession } from './history.js'
import { native } from './native.js'
import { EventReader, type EventSource } from './reader.js'
import type { PromptRecord, RetryRecord, StoredRecord, TurnRecord } from './records.js'
import { NO_USAGE } from './usage.js'

/** How a recording is played. */
export interface ReplayOptions {
  /** 1 (default): as fast as it was; 2: twice as fast; `Infinity`: without any pause. */
  speed?: number
  /** The longest pause before it is divided by the speed, in milliseconds (default 3000): people think for hours. */
  maxPauseMs?: number
  /** Ends the replay; its loop rejects with `CANCELLED`. */
  signal?: AbortSignal
}

/** How many events come without a turn of the event loop in between: signals and timers are not to wait for the end. */
const MOMENTS_PER_TURN = 256

/** A longer timer would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** What an agent printed: the stdout of its process, with all its turns. */
export interface Transcript {
  /** The bytes, or the text that they are. */
  transcript: Uint8Array | string
  /** Whose it is (default: the agent that understands most of its first lines). In which of its ways it was spoken to is seen from them. */
  provider?: string
}

/** A stored conversation, its records, or a transcript. */
export type ReplaySource = Pick<StoredSession, 'records' | 'messages'> | Iterable<StoredRecord> | Transcript

/**
 * Plays a recorded conversation: the loop gets its chunks and the listeners its events, as they did when it was recorded.
 * Of a stored one text comes in the pieces in which it was saved, and what was not saved (thinking, what tools returned)
 * does not come again; a transcript is understood by what understands a live agent. Questions for permission do not come
 * again from either. A transcript has no times: its lines come 10 ms apart; and its prompts are known only where the agent
 * repeats them (`claude --replay-user-messages`).
 *
 * Each loop plays it from the beginning, and rejects with `UnknownProviderError` for a transcript of an agent that is not
 * known. Without a loop nothing is played.
 */
export function replayTranscript(source: ReplaySource, options: ReplayOptions = {}): SessionReplay {
  return new SessionReplay(source, options)
}

/** A recorded conversation as an EventEmitter and a source of chunks; see {@link replayTranscript}. */
export class SessionReplay extends EventEmitter<ExecEventMap> implements AsyncIterable<StreamChunk> {
  readonly #moments: () => Iterable<Moment>
  readonly #options: Required<Omit<ReplayOptions, 'signal'>> & Pick<ReplayOptions, 'signal'>

  /** @internal Made by {@link replayTranscript}. */
  constructor(source: ReplaySource, { speed = 1, maxPauseMs = 3000, signal }: ReplayOptions) {
    super()
    if (!(speed > 0)) {
      throw execError('INVALID_INPUT', `option 'speed' must be a number above 0, not ${speed}`)
    }
    if (!(maxPauseMs >= 0)) {
      throw execError('INVALID_INPUT', `option 'maxPauseMs' must be a number from 0 on, not ${maxPauseMs}`)
    }
    if ('transcript' in source) {
      this.#moments = () => momentsOfTranscript(source)
    } else {
      const records = recordsOf(source)
      this.#moments = () => momentsOf(records)
    }
    this.#options = { speed, maxPauseMs, signal }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StreamChunk, undefined> {
    const { speed, maxPauseMs, signal } = this.#options
    let last: number | undefined
    let seq = 0
    for (const { event, chunk } of this.#moments()) {
      const pause = Math.min(event.timestamp - (last ?? event.timestamp), maxPauseMs) / speed
      if (pause > 0) {
        // It only rejects when it is aborted.
        await setTimeout(Math.min(pause, LONGEST_TIMER_MS), undefined, { signal }).catch(() => {})
      } else if (seq % MOMENTS_PER_TURN === 0) {
        await setImmediate()
      }
      if (signal?.aborted) {
        throw execError('CANCELLED', 'the replay was stopped', { cause: signal.reason })
      }
      last = event.timestamp
      this.emit(event.type, { ...event, seq: ++seq } as never)
      if (chunk) {
        yield chunk
      }
    }
  }
}

/** An event as it was, and the chunk that it is, if it is one. */
interface Moment {
  event: Omit<ExecEvent, 'seq'>
  chunk?: StreamChunk
}

/** The records; of a conversation that was stored without them, those that its messages come to. */
function recordsOf(source: Exclude<ReplaySource, Transcript>): StoredRecord[] {
  if (Symbol.iterator in source) {
    return [...source]
  }
  const { records, messages } = source
  if (records.some(({ type }) => type === 'prompt') || messages.length === 0) {
    return records
  }
  return [...records.filter(({ type }) => type === 'session'), ...messages.flatMap(recordsOfMessage)]
}

function recordsOfMessage(message: StoredSession['messages'][number]): StoredRecord[] {
  const { role, content, timestamp, runId, metadata } = message
  if (role === 'user') {
    return [{ type: 'prompt', timestamp, runId, content, provider: '' }]
  }
  const { durationMs = 0, toolsUsed = [], usage } = metadata ?? {}
  return [
    { type: 'text', timestamp, runId, content },
    { type: 'turn', timestamp, runId, success: true, durationMs, toolsUsed, usage },
  ]
}

function* momentsOfTranscript({ transcript, provider }: Transcript): Generator<Moment> {
  const bytes = typeof transcript === 'string' ? Buffer.from(transcript) : transcript
  const reader = new EventReader(replayOf(provider, bytes))
  let runId = ''
  while (reader.advance()) {
    const { type, timestamp, chunk, data } = reader
    if (type === ExecEventType.TURN_STARTED) {
      runId = (data as ExecEventData['turn:started']).runId
    }
    yield { event: { type, timestamp, sessionId: '', runId, data }, chunk }
  }
}

function replayOf(provider: string | undefined, bytes: Uint8Array): EventSource {
  const { NativeReplay } = native()
  try {
    return new NativeReplay(provider, bytes)
  } catch (thrown) {
    throw errorOfNative(thrown)
  }
}

function* momentsOf(records: StoredRecord[]): Generator<Moment> {
  const replay = new Recording()
  for (const record of records) {
    yield* replay.moments(record)
  }
  yield* replay.end()
}

/** Turns records back into what they were made of. */
class Recording {
  #sessionId = ''
  #run: PromptRecord | undefined
  /** The answer of the run, as far as it has come. */
  #text = ''
  readonly #tools = new Set<string>()
  #initialized = false
  #turns = 0
  #timestamp = 0

  #fact<T extends ExecEventType>(type: T, data: ExecEventData[T]): Moment {
    return { event: this.#event(type, data) }
  }

  #said(chunk: StreamChunk): Moment {
    return { event: this.#event(eventOf(chunk), dataOfChunk(chunk)), chunk }
  }

  *moments(record: StoredRecord): Generator<Moment> {
    if (record.type === 'prompt') {
      yield* this.#interrupt()
    }
    this.#timestamp = record.timestamp
    switch (record.type) {
      case 'session': {
        this.#sessionId = record.id
        const { provider, model, projectPath } = record
        yield this.#fact('session:started', { provider, ...(model && { model }), projectPath })
        break
      }
      case 'prompt':
        yield* this.#begin(record)
        break
      case 'text':
        yield* this.#ready()
        this.#text += record.content
        yield this.#said({ type: 'text_delta', content: record.content })
        break
      case 'tool_use': {
        yield* this.#ready()
        const { tool, id, parameters, parentToolUseId } = record
        this.#tools.add(tool)
        const from = parentToolUseId === undefined ? {} : { parentToolUseId }
        yield this.#said({ type: 'tool_use', tool, id, ...from })
        yield this.#said({ type: 'tool_parameters', tool, id, parameters, ...from })
        break
      }
      case 'tool_result': {
        const { type, tool, id, success, error, durationMs: duration = 0, parentToolUseId } = record
        const from = parentToolUseId === undefined ? {} : { parentToolUseId }
        yield this.#said({
          type,
          tool,
          id,
          success,
          ...(error !== undefined && { error }),
          duration,
          ...from,
        })
        break
      }
      case 'retry':
        yield* this.#retry(record)
        break
      case 'turn':
        yield* this.#finish(record)
        break
      default:
    }
  }

  *end(): Generator<Moment> {
    yield* this.#interrupt()
    yield this.#fact('session:ended', { turns: this.#turns })
  }

  *#begin(record: PromptRecord): Generator<Moment> {
    this.#run = record
    this.#text = ''
    this.#tools.clear()
    this.#initialized = false
    this.#turns++
    yield this.#fact('prompt:submitted', { prompt: record.content })
    yield this.#fact('turn:started', { runId: record.runId, turn: this.#turns, warm: false })
    yield this.#said({ type: 'status', status: 'starting' })
  }

  /** An agent that says something has got ready. */
  *#ready(): Generator<Moment> {
    if (!this.#initialized) {
      this.#initialized = true
      const model = this.#run?.model
      yield this.#said({ type: 'status', status: 'initialized', ...(model && { detail: { model } }) })
    }
  }

  *#retry({ attempt, errorCode: code, error, delayMs, how }: RetryRecord): Generator<Moment> {
    if (how === 'repeat') {
      this.#text = ''
    }
    const maxTries = attempt
    yield this.#fact('retry:scheduled', { attempt, maxTries, code, message: error, delayMs, how })
    const detail = { attempt: attempt - 1, maxRetries: maxTries - 1, delayMs, code, error, how }
    yield this.#said({ type: 'status', status: 'retrying', detail })
  }

  *#finish(turn: TurnRecord): Generator<Moment> {
    const { success, error, errorCode, durationMs, toolsUsed, agentSessionId } = turn
    const usage = turn.usage ?? NO_USAGE
    if (turn.usage) {
      yield this.#said({ type: 'usage', ...usage })
    }
    if (!success) {
      const code = errorCode ?? 'INTERNAL'
      yield this.#said({ type: 'error', error: error ?? 'the turn failed', code, retryable: false })
    }
    yield this.#said({
      ...{ type: 'result', content: turn.content ?? this.#text, success, usage, durationMs },
      ...{ stopReason: turn.stopReason ?? (success ? 'end_turn' : 'error'), turns: 1 },
      ...(agentSessionId && { agentSessionId }),
    })
    yield this.#fact('turn:completed', {
      ...{ runId: turn.runId, success, durationMs, toolsUsed, usage },
      ...(errorCode && { code: errorCode }),
    })
    this.#run = undefined
  }

  /** A prompt that no end of the turn followed: whoever ran it was killed. */
  *#interrupt(): Generator<Moment> {
    if (this.#run) {
      const { runId, timestamp } = this.#run
      yield* this.#finish({
        ...{ type: 'turn', runId, timestamp: this.#timestamp, success: false, stopReason: 'interrupted' },
        ...{ durationMs: this.#timestamp - timestamp, toolsUsed: [...this.#tools] },
        errorCode: 'CANCELLED',
        error: 'the turn was interrupted: its program ended in the middle of it',
      })
    }
  }

  #event(type: ExecEventType, data: ExecEventData[ExecEventType]): Omit<ExecEvent, 'seq'> {
    return {
      type,
      timestamp: this.#timestamp,
      sessionId: this.#sessionId,
      runId: this.#run?.runId ?? '',
      data,
    }
  }
}

/** The event that a stored chunk was. */
function eventOf(chunk: StreamChunk): ExecEventType {
  switch (chunk.type) {
    case 'text_delta':
      return ExecEventType.TEXT_DELTA
    case 'tool_use':
      return ExecEventType.TOOL_REQUESTED
    case 'tool_parameters':
      return ExecEventType.TOOL_STARTED
    case 'tool_result':
      return chunk.success ? ExecEventType.TOOL_COMPLETED : ExecEventType.TOOL_FAILED
    case 'usage':
      return ExecEventType.USAGE_UPDATED
    case 'error':
      return ExecEventType.ERROR_OCCURRED
    case 'result':
      return ExecEventType.RESPONSE_COMPLETED
    default:
      return ExecEventType.STATUS_CHANGED
  }
}
