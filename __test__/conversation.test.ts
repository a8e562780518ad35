import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it, onTestFinished } from 'vitest'

import {
  ExecEventType,
  ExecSession,
  HistoryError,
  HistoryStore,
  type SessionOptions,
  type StatusChunk,
  type StreamChunk,
  type TurnOptions,
} from '../ts/index.js'
import { fakeAgent } from './support/fakes.js'
import { temporaryFolder } from './support/folder.js'
import { isRunning, openLifeline } from './support/lifeline.js'
import { FIRST, project, SECOND, THIRD } from './support/project.js'
import { chunksOf, nextEvent, openSession, recordEvents, rejectionOf, textOf } from './support/session.js'

const historyOf = (projectPath: string) => new HistoryStore({ projectPath })
const filesOf = (projectPath: string) => {
  const folder = join(projectPath, '.locus', 'exec-history')
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.jsonl')) : []
}

/** Goes on with a stored conversation, with a fake agent. */
async function loadSession(id: string, fake: string, options: SessionOptions): Promise<ExecSession> {
  const session = await ExecSession.load(id, { executable: fakeAgent(fake), ...options })
  onTestFinished(() => session.end())
  return session
}

/** A project with one stored conversation, which its agent knows as `fake-session`. */
async function storedConversation(
  prompt = 'the colour is teal',
): Promise<{ projectPath: string; id: string }> {
  const projectPath = temporaryFolder()
  const session = await openSession('answers-with-the-prompt', { projectPath })
  await session.execute(prompt)
  await session.end()
  return { projectPath, id: session.id }
}

/** Runs a turn to its end, however it ends. */
async function turnOf(session: ExecSession, prompt: string, options: TurnOptions = {}) {
  const stream = session.executeStreaming(prompt, options)
  const chunks = await chunksOf(stream)
  return { chunks, text: textOf(chunks), resumed: statusesOf(chunks, 'resumed'), result: stream.result }
}

function statusesOf(chunks: StreamChunk[], name: string): unknown[] {
  const isIt = (chunk: StreamChunk): chunk is StatusChunk => chunk.type === 'status' && chunk.status === name
  return chunks.filter(isIt).map(({ detail }) => detail)
}

/** What `answers-with-prompt-and-arguments` has answered. */
async function told(session: ExecSession, prompt: string) {
  const { content } = await session.execute(prompt)
  const { prompt: heard, args } = JSON.parse(content) as { prompt: string; args: string[] }
  return { heard, resume: args.find((arg) => arg.startsWith('--resume=')) }
}

describe('a stored conversation', () => {
  it('is loaded by its id or a beginning that no other has', async () => {
    const projectPath = project()
    for (const prefix of [THIRD, 'b0', 'b']) {
      expect((await ExecSession.load(prefix, { projectPath })).id).toBe(THIRD)
    }
    const messages = (await ExecSession.load(FIRST, { projectPath })).getHistory()
    expect(messages.map(({ role, content }) => [role, content])).toEqual([
      ['user', 'create a plan'],
      ['assistant', 'I will write the plan.'],
      ['user', 'now fail'],
      ['assistant', ''],
      ['user', 'and be killed'],
      ['assistant', 'half an ans'],
    ])
    expect(messages.at(-1)?.metadata).toMatchObject({ interrupted: true })
  })

  it('is not loaded where there is none, or more than one', async () => {
    const projectPath = project()
    const load = (id: string) => rejectionOf(ExecSession.load(id, { projectPath }))
    expect(await load('c')).toMatchObject({ code: 'SESSION_NOT_FOUND' })
    const ambiguous = await load('a8f3')
    expect(ambiguous).toMatchObject({ code: 'SESSION_AMBIGUOUS' })
    expect((ambiguous as Error).message).toContain(FIRST)
    expect((ambiguous as Error).message).toContain(SECOND)
    expect(await load('../config')).toMatchObject({ code: 'INVALID_INPUT' })
  })

  it('goes on with its provider and model unless others are named', async () => {
    const { projectPath, id } = await storedConversation()
    expect((await ExecSession.load(id, { projectPath })).provider).toBe('claude')
    expect((await ExecSession.load(id, { projectPath, provider: 'demo' })).provider).toBe('demo')
  })

  it('is resumed by the agent that knows it', async () => {
    const { projectPath, id } = await storedConversation()
    const session = await loadSession(id, 'answers-with-prompt-and-arguments', { projectPath })
    const { chunks, resumed } = await turnOf(session, 'which colour?')
    expect(JSON.parse(textOf(chunks))).toMatchObject({ prompt: 'which colour?' })
    expect(JSON.parse(textOf(chunks)).args).toContain('--resume=fake-session')
    expect(resumed).toEqual([{ via: 'agent' }])
    expect((await turnOf(session, 'and now?')).resumed).toEqual([])
    expect((await historyOf(projectPath).read(id)).summary).toMatchObject({ turns: 3, interrupted: false })
  })

  it.each(['knows-no-conversation', 'exits-when-it-is-to-resume'])(
    'is told once to an agent that does not know it (%s)',
    async (fake) => {
      const { projectPath, id } = await storedConversation()
      const session = await loadSession(id, fake, { projectPath })
      const events = recordEvents(session)
      const { text, resumed, chunks, result } = await turnOf(session, 'which colour?')
      expect((await result).success).toBe(true)
      expect(resumed).toEqual([{ via: 'context', reason: expect.stringMatching(/conversation|exit code 1/) }])
      expect(text).toContain('the colour is teal')
      expect(text.endsWith('# Current Request\n\nwhich colour?')).toBe(true)
      expect(chunks.filter(({ type }) => type === 'error' || type === 'result')).toHaveLength(1)
      expect((await session.execute('and now?')).content).toBe('and now?')
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
      expect(events.filter(({ type }) => type === ExecEventType.PROMPT_SUBMITTED)).toHaveLength(2)
      const stored = await historyOf(projectPath).read(id)
      const prompts = stored.messages.filter(({ role }) => role === 'user').map(({ content }) => content)
      expect(prompts).toEqual(['the colour is teal', 'which colour?', 'and now?'])
    },
  )

  it('is not told again where the agent was ready and failed then', async () => {
    const { projectPath, id } = await storedConversation()
    const session = await loadSession(id, 'fails-after-it-resumed', { projectPath })
    const { resumed, result } = await turnOf(session, 'which colour?')
    expect(await rejectionOf(result)).toMatchObject({ code: 'OVERLOADED' })
    expect(resumed).toEqual([{ via: 'agent' }])
  })

  it('is not told to an agent whose turn was cancelled before it was ready', async () => {
    const { projectPath, id } = await storedConversation()
    const lifeline = await openLifeline()
    const session = await loadSession(id, 'is-silent-when-it-is-to-resume', {
      ...{ projectPath, env: lifeline.env, timeouts: { settleMs: 10, graceMs: 1000 } },
    })
    const stream = session.executeStreaming('which colour?')
    const chunks = chunksOf(stream)
    await lifeline.pid
    await stream.cancel()
    expect(await rejectionOf(stream.result)).toMatchObject({ code: 'CANCELLED' })
    expect(statusesOf(await chunks, 'resumed')).toEqual([])
    expect(statusesOf(await chunks, 'starting')).toHaveLength(1)
    await lifeline.closed
  })

  it('is not told to an agent that only took too long to start', async () => {
    const { projectPath, id } = await storedConversation()
    const timeouts = { startMs: 200, settleMs: 10, graceMs: 1000 }
    const session = await loadSession(id, 'is-silent-when-it-is-to-resume', { projectPath, timeouts })
    const { resumed, result } = await turnOf(session, 'which colour?')
    expect(await rejectionOf(result)).toMatchObject({ code: 'START_TIMEOUT' })
    expect(resumed).toEqual([])
  })

  it('leaves no process behind when the agent did not know it', async () => {
    const { projectPath, id } = await storedConversation()
    const session = await loadSession(id, 'knows-no-conversation', { projectPath })
    const lifeline = await openLifeline()
    await session.use({ env: lifeline.env })
    await session.execute('which colour?')
    const first = await lifeline.pid
    await lifeline.closed
    expect(isRunning(first)).toBe(false)
  })

  it('is told with as many of the last messages as the option says', async () => {
    const projectPath = temporaryFolder()
    const session = await openSession('answers-with-prompt-and-arguments', { projectPath })
    for (const word of ['one', 'two', 'three']) {
      await session.execute(`number ${word}`)
    }
    await session.end()
    const options = { projectPath, provider: 'demo' }
    const told3 = await loadSession(session.id, 'answers-with-prompt-and-arguments', {
      ...{ ...options, maxContextMessages: 2 },
    })
    const { heard } = await told(told3, 'next')
    expect(heard).toContain('number three')
    expect(heard).not.toContain('number two')
    expect(heard).toContain('(4 earlier messages left out)')
  })

  it('has what was crashed in the middle in its history, and the next turn goes on', async () => {
    const projectPath = temporaryFolder()
    const session = await openSession('crashes-in-its-second-turn', { projectPath })
    await session.execute('one')
    await expect(session.execute('two')).rejects.toMatchObject({ code: 'PROCESS_CRASHED' })
    const { text, resumed } = await turnOf(session, 'three')
    expect(text).toMatch(/^three .*--resume=fake-session/)
    expect(resumed).toEqual([{ via: 'agent' }])
    const { messages } = await historyOf(projectPath).read(session.id)
    expect(messages.map(({ content }) => content)).toEqual([
      'one',
      expect.stringContaining('one'),
      'two',
      'half an ans',
      'three',
      expect.stringContaining('three'),
    ])
    expect(messages[3]?.metadata).toMatchObject({ errorCode: 'PROCESS_CRASHED' })
  })

  it('knows its artifacts again', async () => {
    const projectPath = temporaryFolder()
    const session = await openSession('writes-a-plan-and-waits', { projectPath })
    await session.execute('a plan')
    expect(session.context.getReferencedArtifact('the plan')?.filePath).toBe('/project/plan.md')
    await session.end()
    const again = await loadSession(session.id, 'answers-with-prompt-and-arguments', {
      ...{ projectPath, provider: 'demo' },
    })
    expect(again.context.toJSON()).toEqual(session.context.toJSON())
    const { heard } = await told(again, 'what is in it?')
    expect(heard).toContain('plan.md')
  })

  it('keeps what a program adds to its context before the first turn', async () => {
    const { projectPath, id } = await storedConversation()
    const session = await loadSession(id, 'answers-with-the-prompt', { projectPath })
    session.context.createTask({ title: 'write the tests', status: 'pending' } as never)
    await session.save()
    const stored = await historyOf(projectPath).read(id)
    expect(JSON.stringify(stored.context)).toContain('write the tests')
  })

  it('keeps its artifacts when it is ended in the middle of a turn', async () => {
    const projectPath = temporaryFolder()
    const session = await openSession('writes-a-plan-and-waits', { projectPath })
    const stream = session.executeStreaming('wait')
    const said = nextEvent(session, ExecEventType.TEXT_DELTA)
    const chunks = chunksOf(stream)
    await said
    await session.end()
    await chunks
    expect(await rejectionOf(stream.result)).toMatchObject({ code: 'CANCELLED' })
    const stored = await historyOf(projectPath).read(session.id)
    expect(JSON.stringify(stored.context)).toContain('plan.md')
    expect(stored.messages.map(({ content }) => content)).toEqual(['wait', 'written for wait'])
  })
})

describe('the messages of a session', () => {
  const onDisk = async (projectPath: string, { id }: ExecSession) =>
    (await historyOf(projectPath).read(id)).messages

  it('are those on disk in the middle of an answer, and after it was cancelled there', async () => {
    const projectPath = temporaryFolder()
    const session = await openSession('waits-for-interrupt', { projectPath })
    const stream = session.executeStreaming('one')
    const said = nextEvent(session, ExecEventType.TEXT_DELTA)
    const chunks = chunksOf(stream)
    await said
    await session.save()
    const content = expect.stringMatching(/^waiting in \d+ for one$/)
    expect(session.getHistory()[1]).toMatchObject({ content, metadata: { interrupted: true } })
    expect(session.getHistory()).toEqual(await onDisk(projectPath, session))
    await stream.cancel()
    await chunks
    const [prompt, answer, ...others] = session.getHistory()
    expect(prompt).toMatchObject({ role: 'user', content: 'one' })
    expect(answer).toMatchObject({ role: 'assistant', content, metadata: { errorCode: 'CANCELLED' } })
    expect(answer?.metadata).not.toHaveProperty('interrupted')
    expect(others).toEqual([])
    expect(session.getHistory()).toEqual(await onDisk(projectPath, session))
  })

  it.each([
    'says-everything',
    'answers-only-in-its-result',
    'crashes-in-its-second-turn',
    'speaks-after-its-result',
    'exits-before-init',
    'prints-garbage',
  ])('are those on disk, however its turns end (%s)', async (fake) => {
    const projectPath = temporaryFolder()
    const session = await openSession(fake, { projectPath, allowAll: true })
    for (const prompt of ['one', 'two']) {
      await session.execute(prompt).catch(() => {})
    }
    await session.end()
    const messages = session.getHistory()
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant'])
    expect(messages).toEqual(await onDisk(projectPath, session))
    expect((await ExecSession.load(session.id, { projectPath })).getHistory()).toEqual(messages)
  })
})

describe('another provider', () => {
  it('is told the conversation, and so is the first one when it comes back', async () => {
    const session = await openSession('answers-with-prompt-and-arguments')
    await session.execute('the word is quokka')
    const executable = fakeAgent('answers-with-prompt-and-arguments')
    await session.use({ provider: 'demo', executable })
    expect(session.provider).toBe('demo')
    const demo = await told(session, 'and the number is 7')
    expect(demo.heard).toContain('quokka')
    expect(demo.resume).toBeUndefined()
    await session.use({ provider: 'claude', executable })
    const back = await told(session, 'what do you know?')
    expect(back.heard).toContain('and the number is 7')
    expect(back.resume).toBeUndefined()
    expect(await told(session, 'and now?')).toMatchObject({ heard: 'and now?' })
  })

  it('is not resumed later by an id from before it', async () => {
    const { projectPath, id } = await storedConversation()
    const demo = await loadSession(id, 'answers-with-the-prompt', { projectPath, provider: 'demo' })
    await demo.execute('the number is 7')
    await demo.end()
    // Fails before it has an id of its own.
    const failing = await loadSession(id, 'exits-before-init', { projectPath, provider: 'claude' })
    await expect(failing.execute('lost')).rejects.toMatchObject({ code: 'EXITED_BEFORE_INIT' })
    await failing.end()
    const claude = await loadSession(id, 'answers-with-prompt-and-arguments', { projectPath })
    expect(claude.provider).toBe('claude')
    const { heard, resume } = await told(claude, 'what do you know?')
    expect(resume).toBeUndefined()
    expect(heard).toContain('the number is 7')
  })

  it('takes up the conversation of its own that nobody has spoken in since', async () => {
    const session = await openSession('answers-with-prompt-and-arguments')
    await session.execute('one')
    const executable = fakeAgent('answers-with-prompt-and-arguments')
    await session.use({ provider: 'demo', executable })
    await session.use({ provider: 'claude', executable })
    expect(await told(session, 'two')).toEqual({ heard: 'two', resume: '--resume=fake-session' })
  })

  it('does not come in the middle of a turn', async () => {
    const session = await openSession('waits-for-interrupt')
    const stream = session.executeStreaming('one')
    const said = nextEvent(session, ExecEventType.TEXT_DELTA)
    const chunks = chunksOf(stream)
    await said
    expect(await rejectionOf(session.use({ provider: 'demo' }))).toMatchObject({ code: 'SESSION_BUSY' })
    expect(session.provider).toBe('claude')
    await stream.cancel()
    await chunks
  })

  it('does not come while a turn that is over has not been taken', async () => {
    const { projectPath } = await storedConversation()
    const session = await openSession('answers-with-the-prompt', { projectPath })
    const stream = session.executeStreaming('one')
    for await (const chunk of stream) {
      if (chunk.type === 'result') {
        // The engine has ended the turn; the listeners have not been told.
        expect(await rejectionOf(session.use({ provider: 'demo' }))).toMatchObject({ code: 'SESSION_BUSY' })
      }
    }
    await session.use({ provider: 'demo', executable: fakeAgent('answers-with-the-prompt') })
  })

  it('comes with all changes, also of several at once, but those that were refused', async () => {
    const session = await openSession('answers-with-how-it-was-started')
    const executable = fakeAgent('answers-with-how-it-was-started')
    const [, refused] = await Promise.allSettled([
      session.use({ provider: 'demo', executable }),
      session.use({ provider: 'hal', extraArgs: ['--lost'] }),
      session.use({ model: 'opus' }),
      session.use({ extraArgs: ['--kept'] }),
    ])
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'UNKNOWN_PROVIDER' } })
    expect(session.provider).toBe('demo')
    const { args } = JSON.parse((await session.execute('hi')).content)
    expect(args).toEqual(expect.arrayContaining([expect.stringContaining('opus'), '--kept']))
    expect(args).not.toContain('--lost')
  })

  it('keeps the model out of it that was asked of another', async () => {
    const session = await openSession('answers-with-how-it-was-started', { model: 'opus' })
    await session.use({ provider: 'demo', executable: fakeAgent('answers-with-how-it-was-started') })
    const { args } = JSON.parse((await session.execute('hi')).content)
    expect(args.filter((arg: string) => arg.startsWith('--model'))).toEqual([])
  })
})

describe('what is saved', () => {
  it('is nothing before the first prompt, and nothing at all with save: false', async () => {
    const projectPath = temporaryFolder()
    const session = await openSession('answers-with-the-prompt', { projectPath })
    await session.save()
    expect(filesOf(projectPath)).toEqual([])
    const unsaved = await openSession('answers-with-the-prompt', { projectPath, save: false })
    await unsaved.execute('hi')
    await unsaved.save()
    await unsaved.end()
    expect(existsSync(join(projectPath, '.locus'))).toBe(false)
  })

  it('is the prompt before the agent has it, and the end of a turn before it is told', async () => {
    const projectPath = temporaryFolder()
    const session = await openSession('waits-for-interrupt', { projectPath })
    const read = () =>
      readFileSync(join(projectPath, '.locus', 'exec-history', `${session.id}.jsonl`), 'utf8')
    const onDisk: string[] = []
    session.on(ExecEventType.PROMPT_SUBMITTED, () => onDisk.push(read()))
    session.on(ExecEventType.TURN_COMPLETED, () => onDisk.push(read()))
    const stream = session.executeStreaming('keep this')
    const said = nextEvent(session, ExecEventType.TEXT_DELTA)
    const chunks = chunksOf(stream)
    await said
    await stream.cancel()
    await chunks
    expect(onDisk[0]).toContain('"content":"keep this"')
    expect(onDisk[1]).toMatch(/"type":"turn".*"errorCode":"CANCELLED"/)
  })

  it('is read from another folder where the options say so', async () => {
    const projectPath = temporaryFolder()
    const session = await openSession('answers-with-the-prompt', { projectPath, historyDir: 'elsewhere' })
    await session.execute('hi')
    await session.end()
    expect(readdirSync(join(projectPath, 'elsewhere'))).toContain(`${session.id}.jsonl`)
    const again = await ExecSession.load(session.id, { projectPath, historyDir: 'elsewhere' })
    expect(again.getHistory()).toHaveLength(2)
  })

  it('cannot be a prompt where the folder cannot be made: the turn is refused, and the agent never hears of it', async () => {
    const projectPath = temporaryFolder()
    const notes = join(projectPath, 'notes')
    mkdirSync(join(projectPath, '.locus'))
    const blocker = join(projectPath, '.locus', 'exec-history')
    writeFileSync(blocker, 'a file in the place of a folder')
    const session = await openSession('notes-its-prompts', { projectPath, env: { FAKE_NOTES: notes } })
    const events = recordEvents(session)
    const refused = await rejectionOf(session.execute('hi'))
    expect(refused).toMatchObject({ code: 'HISTORY' })
    expect((refused as Error).message).toContain(blocker)
    expect(existsSync(notes)).toBe(false)
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
  })

  it('cannot be made durable where nothing can be written, and is as soon as it can', async () => {
    const { projectPath, id } = await storedConversation()
    const session = await loadSession(id, 'answers-with-the-prompt', { projectPath })
    await session.execute('one')
    const file = join(projectPath, '.locus', 'exec-history', `${id}.jsonl`)
    const content = readFileSync(file)
    rmSync(file)
    mkdirSync(file)
    session.context.createTask({ title: 'write the tests', status: 'pending' })
    const failures = [await rejectionOf(session.save()), await rejectionOf(session.save())]
    for (const failure of failures) {
      expect(failure).toBeInstanceOf(HistoryError)
      expect(failure).toMatchObject({ code: 'HISTORY', message: expect.stringContaining(file) })
    }
    rmdirSync(file)
    writeFileSync(file, content)
    await session.save()
    const stored = await historyOf(projectPath).read(id)
    expect(JSON.stringify(stored.context)).toContain('write the tests')
    expect(stored.messages).toHaveLength(4)
  })

  it.skipIf(process.getuid?.() === 0)('cannot be a prompt where the folder is read-only', async () => {
    const projectPath = temporaryFolder()
    chmodSync(projectPath, 0o500)
    onTestFinished(() => chmodSync(projectPath, 0o700))
    const session = await openSession('answers-with-the-prompt', { projectPath })
    expect(await rejectionOf(session.execute('hi'))).toMatchObject({ code: 'HISTORY' })
  })

  it('is with the agent that had the turn, also where it could not be opened at first', async () => {
    const { projectPath, id } = await storedConversation()
    const session = await loadSession(id, 'answers-with-the-prompt', { projectPath, provider: 'demo' })
    const folder = join(projectPath, '.locus', 'exec-history')
    const file = join(folder, `${id}.jsonl`)
    const content = readFileSync(file, 'utf8')
    writeFileSync(file, `{"type":"session","schema":99,"id":"${id}"}\n`)
    expect(await rejectionOf(session.execute('lost'))).toMatchObject({ code: 'SCHEMA_TOO_NEW' })
    writeFileSync(file, content)
    await session.execute('found')
    const stored = await historyOf(projectPath).read(id)
    expect(stored.summary.provider).toBe('demo')
    expect(stored.records.filter(({ type }) => type === 'prompt').at(-1)).toMatchObject({ provider: 'demo' })
  })
})
