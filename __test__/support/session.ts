import { type EventEmitter, once } from 'node:events'

import { onTestFinished } from 'vitest'

import type { StreamChunk } from '../../ts/chunks.js'
import { type ExecEvent, type ExecEventMap, ExecEventType } from '../../ts/events.js'
import { ExecSession, type SessionOptions, StreamingExecutor } from '../../ts/index.js'
import { fakeAgent } from './fakes.js'
import { temporaryFolder } from './folder.js'

/** A session with a fake agent, which tries turns once; it is ended when the test is over. */
export async function openSession(fake: string, options: SessionOptions = {}): Promise<ExecSession> {
  const session = await ExecSession.create({
    executable: fakeAgent(fake),
    projectPath: temporaryFolder(),
    retry: false,
    ...options,
  })
  onTestFinished(() => session.end())
  return session
}

/** An executor with a fake agent, which tries turns once. */
export function executorOf(fake: string, options: SessionOptions = {}): StreamingExecutor {
  return new StreamingExecutor({ executable: fakeAgent(fake), retry: false, ...options })
}

/** All chunks of a stream. */
export async function chunksOf(stream: AsyncIterable<StreamChunk>): Promise<StreamChunk[]> {
  const chunks: StreamChunk[] = []
  for await (const chunk of stream) {
    chunks.push(chunk)
  }
  return chunks
}

/** The types of chunks, in order. */
export const typesOf = (chunks: StreamChunk[]) => chunks.map(({ type }) => type)

/** The text of all deltas of the main agent. */
export function textOf(chunks: StreamChunk[]): string {
  return chunks
    .map((chunk) => (chunk.type === 'text_delta' && !chunk.parentToolUseId ? chunk.content : ''))
    .join('')
}

/** Every event of an emitter, in the order in which its listeners are called; grows as they come. */
export function recordEvents(emitter: EventEmitter<ExecEventMap>): ExecEvent[] {
  const events: ExecEvent[] = []
  for (const type of Object.values(ExecEventType)) {
    ;(emitter as EventEmitter).on(type, (event: ExecEvent) => events.push(event))
  }
  return events
}

/** The next event of a type. */
export async function nextEvent<T extends ExecEventType>(
  emitter: EventEmitter<ExecEventMap>,
  type: T,
): Promise<ExecEvent<T>> {
  const [event] = await once(emitter as EventEmitter, type)
  return event
}

/** What a promise is rejected with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    (value) => {
      throw new Error(`it was resolved, with ${JSON.stringify(value)}`)
    },
    (reason: unknown) => reason,
  )
}
