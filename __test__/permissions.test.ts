import { describe, expect, it } from 'vitest'

import {
  ExecEventType,
  type PermissionDecision,
  type PermissionHandler,
  type PermissionRequestChunk,
  type SessionOptions,
  type TurnOptions,
} from '../ts/index.js'
import { chunksOf, nextEvent, openSession, recordEvents, rejectionOf } from './support/session.js'

/** One turn of the agent that asks, with what it was told and how the question was resolved. */
async function askedTurn(options: SessionOptions, turnOptions?: TurnOptions) {
  const session = await openSession('asks-permission', options)
  const resolved = nextEvent(session, ExecEventType.PERMISSION_RESOLVED)
  const { content } = await session.execute('clean up', turnOptions)
  return { response: JSON.parse(content), resolution: (await resolved).data }
}

const deny: PermissionHandler = () => ({ behavior: 'deny', message: 'not today' })
const allow: PermissionHandler = () => ({ behavior: 'allow' })

describe('onPermission', () => {
  it('is asked with the tool, its input and the suggestions of the agent', async () => {
    const questions: PermissionRequestChunk[] = []
    await askedTurn({
      onPermission: (request) => {
        questions.push(request)
        return { behavior: 'deny' }
      },
    })
    expect(questions).toEqual([
      {
        ...{ type: 'permission_request', id: 'question-1', tool: 'Bash', toolUseId: 'toolu_1' },
        parameters: { command: 'rm -rf build' },
        suggestions: [{ type: 'addRules', rules: [{ toolName: 'Bash' }] }],
      },
    ])
  })

  it('that allows lets the tool run with the input that was asked about', async () => {
    const { response, resolution } = await askedTurn({ onPermission: allow })
    expect(response).toEqual({ behavior: 'allow', updatedInput: { command: 'rm -rf build' } })
    expect(resolution).toEqual({ id: 'question-1', tool: 'Bash', behavior: 'allow', decidedBy: 'user' })
  })

  it('can allow with another input', async () => {
    const updatedInput = { command: 'ls', note: '日本 "quoted"', nested: { list: [1, null] } }
    const { response } = await askedTurn({ onPermission: () => ({ behavior: 'allow', updatedInput }) })
    expect(response).toEqual({ behavior: 'allow', updatedInput })
  })

  it('that denies gives the agent the reason', async () => {
    const { response, resolution } = await askedTurn({ onPermission: deny })
    expect(response).toEqual({ behavior: 'deny', message: 'not today' })
    expect(resolution).toMatchObject({ behavior: 'deny', decidedBy: 'user', message: 'not today' })
  })

  it('that denies without a reason gives one all the same', async () => {
    const { response } = await askedTurn({ onPermission: () => ({ behavior: 'deny' }) })
    expect(response).toEqual({ behavior: 'deny', message: 'the user said no' })
  })

  it('may take its time', async () => {
    const session = await openSession('asks-permission', { onPermission: () => answer.promise })
    const answer = withResolvers<PermissionDecision>()
    const turn = session.execute('clean up')
    await nextEvent(session, ExecEventType.PERMISSION_REQUESTED)
    answer.resolve({ behavior: 'allow' })
    expect(JSON.parse((await turn).content).behavior).toBe('allow')
  })

  it.each<[string, PermissionHandler]>([
    [
      'throws',
      () => {
        throw new Error('the dialog crashed')
      },
    ],
    ['rejects', () => Promise.reject(new Error('the dialog crashed'))],
  ])('that %s denies with its message', async (_, onPermission) => {
    const { response } = await askedTurn({ onPermission })
    expect(response).toEqual({ behavior: 'deny', message: 'onPermission failed: the dialog crashed' })
  })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a boolean', true],
    ['another behaviour', { behavior: 'maybe' }],
    ['an input that is no object', { behavior: 'allow', updatedInput: () => 'x' }],
    ['an input that is no JSON', { behavior: 'allow', updatedInput: { big: 1n } }],
  ])('that returns %s denies, and the agent does not wait for ever', async (_, decision) => {
    const { response } = await askedTurn({ onPermission: () => decision as PermissionDecision })
    expect(response).toEqual({ behavior: 'deny', message: expect.stringMatching(/^onPermission failed: /) })
  })

  it('of a turn is stronger than that of the session, for this turn', async () => {
    const session = await openSession('asks-permission', { onPermission: deny })
    const responses = [
      await session.execute('one', { onPermission: allow }),
      await session.execute('two'),
    ].map(({ content }) => JSON.parse(content).behavior)
    expect(responses).toEqual(['allow', 'deny'])
  })

  it('is not asked about tools that are allowed, denied or all allowed', async () => {
    const onPermission = () => {
      throw new Error('it was asked')
    }
    const allowed = await askedTurn({ onPermission, allowedTools: ['Bash'] })
    expect(allowed.resolution).toMatchObject({ behavior: 'allow', decidedBy: 'policy' })
    const all = await askedTurn({ onPermission, allowAll: true })
    expect(all.resolution).toMatchObject({ behavior: 'allow', decidedBy: 'policy' })
    const denied = await askedTurn({ onPermission, allowAll: true, deniedTools: ['Bash'] })
    expect(denied.resolution).toMatchObject({ behavior: 'deny', decidedBy: 'policy' })
    expect(denied.response.message).toContain('denied')
  })

  it('may answer after the session has ended: nobody is troubled by it', async () => {
    const answer = withResolvers<PermissionDecision>()
    const session = await openSession('asks-permission', { onPermission: () => answer.promise })
    const failure = rejectionOf(session.execute('clean up'))
    await nextEvent(session, ExecEventType.PERMISSION_REQUESTED)
    await session.end()
    expect(await failure).toMatchObject({ code: 'CANCELLED' })
    // A rejection that nobody handles would fail the whole run.
    answer.resolve({ behavior: 'allow' })
    await new Promise((resolve) => setImmediate(resolve))
  })
})

describe('a listener', () => {
  it('can answer by `respond`, and is told whether there was such a question', async () => {
    const session = await openSession('asks-permission')
    const answers: Promise<boolean>[] = []
    session.on(ExecEventType.PERMISSION_REQUESTED, ({ data }) => {
      answers.push(session.respond('another-question', { behavior: 'allow' }))
      answers.push(session.respond(data.id, { behavior: 'deny', message: 'by a listener' }))
    })
    const { content } = await session.execute('clean up')
    expect(JSON.parse(content)).toEqual({ behavior: 'deny', message: 'by a listener' })
    expect(await Promise.all(answers)).toEqual([false, true])
    expect(await session.respond('question-1', { behavior: 'allow' })).toBe(false)
  })

  it('can be the loop over the chunks, where somebody listens', async () => {
    const session = await openSession('asks-permission')
    session.on(ExecEventType.PERMISSION_REQUESTED, () => {})
    const stream = session.executeStreaming('clean up')
    for await (const chunk of stream) {
      if (chunk.type === 'permission_request') {
        expect(await session.respond(chunk.id, { behavior: 'allow', updatedInput: { command: 'ls' } })).toBe(
          true,
        )
      }
    }
    expect(JSON.parse((await stream.result).content).updatedInput).toEqual({ command: 'ls' })
  })

  it('is told when the question is withdrawn', async () => {
    const session = await openSession('withdraws-its-question', { onPermission: () => new Promise(() => {}) })
    const resolved = nextEvent(session, ExecEventType.PERMISSION_RESOLVED)
    await session.execute('hi')
    expect((await resolved).data).toEqual({
      id: 'question',
      tool: 'Bash',
      behavior: 'withdrawn',
      decidedBy: 'agent',
    })
  })

  it('is told that an open question was withdrawn when the turn is cancelled', async () => {
    const session = await openSession('asks-permission', {
      onPermission: () => new Promise(() => {}),
      timeouts: { settleMs: 0 },
    })
    const events = recordEvents(session)
    const stream = session.executeStreaming('clean up')
    const asked = nextEvent(session, ExecEventType.PERMISSION_REQUESTED)
    const loop = chunksOf(stream)
    await asked
    await stream.cancel()
    await loop
    expect(events.find(({ type }) => type === 'permission:resolved')?.data).toMatchObject({
      behavior: 'withdrawn',
    })
    expect(events.find(({ type }) => type === 'tool:failed')?.data).toMatchObject({
      ...{ toolName: 'Bash', error: 'the turn ended before the tool returned' },
    })
  })
})

describe('respond()', () => {
  it('rejects an answer that is none', async () => {
    const session = await openSession('asks-permission')
    const answered = nextEvent(session, ExecEventType.PERMISSION_REQUESTED).then(async ({ data }) => {
      const failure = rejectionOf(session.respond(data.id, undefined as never))
      expect(await failure).toMatchObject({
        code: 'INVALID_INPUT',
        message: expect.stringContaining('behavior'),
      })
      return await session.respond(data.id, { behavior: 'deny' })
    })
    await session.execute('clean up')
    expect(await answered).toBe(true)
  })

  it('rejects when the session has ended', async () => {
    const session = await openSession('asks-permission')
    await session.end()
    await expect(session.respond('question-1', { behavior: 'allow' })).rejects.toMatchObject({
      code: 'SESSION_ENDED',
    })
  })
})

it('a tool is denied where nobody is there to be asked', async () => {
  const { response, resolution } = await askedTurn({})
  expect(response).toEqual({
    behavior: 'deny',
    message: 'Bash needs permission and nobody is there to be asked',
  })
  expect(resolution).toMatchObject({ behavior: 'deny', decidedBy: 'default' })
})

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
