import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'

import {
  type ExecError,
  ExecEventType,
  type ExecSession,
  type SessionOptions,
  type StreamChunk,
  type TurnOptions,
} from '../../../ts/index.js'
import { chunksOf, textOf } from '../../support/session.js'
import type { RealAgent } from '../real-agent.js'
import type { Scenario } from './expected.mjs'

/** An agent of a column, and how its sessions differ from those of others. */
export interface Subject {
  agent: RealAgent
  options(): SessionOptions
  /** Whether a turn may be over before its subagents have said anything. */
  leavesSubagentsBehind?: boolean
  /** What would hold a turn for ever is waited for so long: by default as long as some agents need where much else runs. */
  patienceMs?: number
}

/** A turn that is over. */
interface Told {
  chunks: StreamChunk[]
  text: string
  error: ExecError | undefined
}

const PATIENCE_MS = 40_000
const GREETING = 'Hello from the stand-in model.'
const AFTER_TOOLS = 'That is what came of it.'

async function told(session: ExecSession, prompt: string, options?: TurnOptions): Promise<Told> {
  const stream = session.executeStreaming(prompt, options)
  const chunks = await chunksOf(stream)
  const error = await stream.result.then(
    () => undefined,
    (error: ExecError) => error,
  )
  return { chunks, text: textOf(chunks), error }
}

const of = <T extends StreamChunk['type']>({ chunks }: Told, type: T) =>
  chunks.filter((chunk): chunk is Extract<StreamChunk, { type: T }> => chunk.type === type)

function open(subject: Subject, options: SessionOptions = {}): Promise<ExecSession> {
  return subject.agent.createSession({ allowAll: true, retry: false, ...subject.options(), ...options })
}

/** The first turn of a session. */
async function turn(subject: Subject, prompt: string, options?: SessionOptions): Promise<Told> {
  return await told(await open(subject, options), prompt)
}

/** Interrupts a turn as soon as it says this, and has the next one tell what it remembers. */
async function interrupted(subject: Subject, prompt: string, until: StreamChunk['type']): Promise<void> {
  const session = await open(subject)
  const warm = warmth(session)
  // One that never comes to say this is not waited for.
  const stream = session.executeStreaming(prompt, {
    timeouts: { totalMs: subject.patienceMs ?? PATIENCE_MS },
  })
  for await (const chunk of stream) {
    if (chunk.type === until) {
      break
    }
  }
  await expect(stream.result).rejects.toMatchObject({ code: 'CANCELLED' })
  expect((await told(session, 'please ECHO')).text).toContain(prompt)
  expect(warm).toEqual([false, true])
}

function warmth(session: ExecSession): boolean[] {
  const warm: boolean[] = []
  session.on(ExecEventType.TURN_STARTED, ({ data }) => warm.push(data.warm))
  return warm
}

/** Each of them throws where the agent does not do it. */
export const RUNS: Record<Scenario, (subject: Subject) => Promise<void>> = {
  'text, word by word': async (subject) => {
    const session = await open(subject)
    // The model waits behind its first word: that it is told can only be because it is not waited for the rest.
    const timeouts = { totalMs: subject.patienceMs ?? PATIENCE_MS }
    const stream = session.executeStreaming('please GATE', { timeouts })
    const seen: StreamChunk[] = []
    for await (const chunk of stream) {
      seen.push(chunk)
      if (chunk.type === 'text_delta') {
        subject.agent.server.release()
      }
    }
    expect(textOf(seen)).toBe(GREETING)
  },
  'text beyond ASCII': async (subject) => {
    const { text, chunks } = await turn(subject, 'please UNICODE')
    expect(text).toContain('日本語')
    expect(text).toBe(chunks.findLast((chunk) => chunk.type === 'result')?.content)
  },
  '5,000 words at once': async (subject) => {
    const { text } = await turn(subject, 'please LONG')
    expect(text.trim().split(/\s+/)).toHaveLength(5000)
  },
  thinking: async (subject) => {
    const seen = await turn(subject, 'please THINK')
    expect(
      of(seen, 'thinking')
        .map(({ content }) => content ?? '')
        .join(''),
    ).toContain('Hmm, let me think.')
    expect(seen.text).toBe(GREETING)
  },
  'a tool that succeeds': async (subject) => {
    const seen = await turn(subject, 'please TOOL')
    const [use] = of(seen, 'tool_parameters')
    const [result] = of(seen, 'tool_result')
    expect(result).toMatchObject({ id: use?.id, tool: use?.tool, success: true })
    expect(JSON.stringify(result?.data)).toContain('hi-from-shell')
    expect(seen.text).toContain(AFTER_TOOLS)
  },
  'a tool that fails': async (subject) => {
    const [result] = of(await turn(subject, 'please FAILTOOL'), 'tool_result')
    expect(result).toMatchObject({ success: false })
    expect(result?.error).toMatch(/3/)
  },
  'a tool that prints 1 MB': async (subject) => {
    const seen = await turn(subject, 'please BIGTOOL')
    expect(of(seen, 'tool_result')).toMatchObject([{ success: true }])
    expect(seen.text).toContain(AFTER_TOOLS)
  },
  'a tool that is denied': async (subject) => {
    const file = join(subject.agent.project, 'made.txt')
    const asked: string[] = []
    const session = await open(subject, {
      allowAll: false,
      onPermission: ({ tool }) => {
        asked.push(tool)
        return { behavior: 'deny', message: 'not now' }
      },
    })
    await told(session, `please WRITETOOL path=<${file}>`)
    expect(asked).toHaveLength(1)
    expect(existsSync(file)).toBe(false)
  },
  'two tools in one answer': async (subject) => {
    const results = of(await turn(subject, 'please TWOTOOLS'), 'tool_result')
    expect(results).toMatchObject([{ success: true }, { success: true }])
    expect(new Set(results.map(({ id }) => id)).size).toBe(2)
  },
  'a subagent': async (subject) => {
    const session = await open(subject)
    const timeouts = { totalMs: subject.patienceMs ?? PATIENCE_MS }
    for (let tries = subject.leavesSubagentsBehind ? 5 : 1; tries > 0; tries--) {
      const { chunks } = await told(session, 'please AGENT', { timeouts })
      const parents = chunks.flatMap((chunk) =>
        'parentToolUseId' in chunk && chunk.parentToolUseId ? [chunk.parentToolUseId] : [],
      )
      if (chunks.some((chunk) => chunk.type === 'tool_parameters' && parents.includes(chunk.id))) {
        return
      }
    }
    throw new Error('nothing of a subagent is marked')
  },
  'a second turn in the same process': async (subject) => {
    const session = await open(subject)
    const warm = warmth(session)
    await told(session, 'my favourite word is quokka')
    expect((await told(session, 'please ECHO')).text).toContain('quokka')
    expect(warm).toEqual([false, true])
  },
  'going on in another process': async (subject) => {
    const session = await open(subject)
    await told(session, 'my favourite word is quokka')
    await session.end()
    const again = await subject.agent.loadSession(session.id, { allowAll: true, ...subject.options() })
    const seen = await told(again, 'please ECHO')
    expect(seen.text).toContain('quokka')
    const resumed = of(seen, 'status').find(({ status }) => status === 'resumed')
    expect(resumed?.detail).toMatchObject({ via: 'agent' })
  },
  'an interrupt that keeps the process': (subject) => interrupted(subject, 'please SLOW', 'text_delta'),
  'the same while a tool runs': (subject) => interrupted(subject, 'please SLEEPTOOL', 'tool_parameters'),
  'a refused request': async (subject) => {
    expect((await turn(subject, 'please ERR400')).error).toMatchObject({
      code: 'API_ERROR',
      retryable: false,
    })
  },
  'an account that is not known': async (subject) => {
    expect((await turn(subject, 'please ERR401')).error).toMatchObject({ code: 'AUTH' })
  },
  'a limit that passes': async (subject) => {
    // Those that do not try again by themselves are helped by the engine.
    const seen = await turn(subject, 'please RATE429', { retry: { tries: 4 } })
    expect(seen.error).toBeUndefined()
    expect(seen.text).toContain(GREETING)
  },
  'a model that falls silent': async (subject) => {
    const session = await open(subject, { timeouts: { idleMs: 3000 } })
    expect((await told(session, 'please HANG')).error).toMatchObject({ code: 'IDLE_TIMEOUT' })
    expect((await told(session, 'hello')).text).toContain(GREETING)
  },
  'the tokens, exactly': async (subject) => {
    const session = await open(subject)
    for (const prompt of ['hello', 'please TOOL']) {
      const before = subject.agent.server.usage()
      const { usage } = await session.execute(prompt)
      const after = subject.agent.server.usage()
      expect(usage).toMatchObject({
        input: after.input - before.input,
        output: after.output - before.output,
        cacheRead: after.cacheRead - before.cacheRead,
      })
    }
  },
}
