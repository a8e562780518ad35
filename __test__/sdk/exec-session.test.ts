import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, it, vi } from 'vitest'

import { HistoryError, SessionBusyError } from '../../ts/index.js'
import {
  type AiRunner,
  createAiRunner,
  type ExecEvent,
  ExecEventType,
  ExecSession,
  type ExecSessionConfig,
  HistoryManager,
  type StreamChunk,
} from '../../ts/sdk/index.js'
import { fakeAgent } from '../support/fakes.js'
import { temporaryFolder } from '../support/folder.js'
import { openLifeline } from '../support/lifeline.js'
import { rejectionOf } from '../support/session.js'
import { all, ScriptedRunner, text } from './support.js'

/** An initialized session over a runner, and its history as another process would see it. */
function open(aiRunner: AiRunner, config: Partial<ExecSessionConfig> = {}) {
  const projectPath = config.projectPath ?? temporaryFolder()
  const session = new ExecSession({ aiRunner, projectPath, model: 'sonnet', provider: 'claude', ...config })
  session.initialize()
  const { historyDir, historyFormat } = config
  const stored = () =>
    new HistoryManager(projectPath, { historyDir, historyFormat }).loadSession(session.getSessionId() ?? '')
  return { session, projectPath, stored }
}

const native = (fake: string, env: Record<string, string> = {}) =>
  createAiRunner('claude', {
    projectPath: temporaryFolder(),
    options: { executable: fakeAgent(fake), retry: false, env },
  })

const said = (messages: { role: string; content: string }[] = []) =>
  messages.map(({ role, content }) => `${role}: ${content}`)

const WITH_TOOLS: StreamChunk[] = [
  { type: 'thinking', content: 'hm' },
  text('I will '),
  { type: 'tool_use', tool: 'Write', id: 'w' },
  {
    type: 'tool_parameters',
    tool: 'Write',
    id: 'w',
    parameters: { file_path: 'plan.md', content: '# The Plan' },
  },
  { type: 'tool_result', tool: 'Write', id: 'w', success: true, duration: 12, data: { ok: true } },
  { type: 'tool_use', tool: 'Bash' },
  { type: 'tool_result', tool: 'Bash', success: false, error: 'exit 1' },
  { type: 'tool_use', tool: 'Write', id: 'w2', parameters: { file_path: 'plan.md', content: '# The Plan' } },
  { type: 'tool_result', tool: 'Write', id: 'w2', success: true },
  text('write it.'),
  { type: 'result', content: 'write it.' },
]

describe('a session that was not initialized', () => {
  it('says so, and has nothing', async () => {
    const runner = new ScriptedRunner()
    const session = new ExecSession({ aiRunner: runner, projectPath: '.', model: 'm', provider: 'p' })
    expect(session.getSession()).toBeNull()
    expect(session.getSessionId()).toBeNull()
    expect(session.getMessages()).toEqual([])
    for (const call of [
      () => session.save(),
      () => session.reset(),
      () => session.addMessage({ role: 'user', content: 'hi' }),
    ]) {
      expect(call).toThrow('initialize()')
    }
    expect(await rejectionOf(all(session.executeStreaming('hi')))).toMatchObject({ code: 'INVALID_INPUT' })
    expect(runner.prompts).toEqual([])
  })
})

describe('initialize', () => {
  it('begins a conversation, of which nothing is written before something is said', () => {
    const { session, projectPath } = open(new ScriptedRunner())
    expect(session.getSession()).toMatchObject({
      ...{ id: expect.stringMatching(/^session-/), projectPath, messages: [] },
      metadata: { model: 'sonnet', provider: 'claude' },
    })
    expect(readdirSync(projectPath)).toEqual([])
  })

  it('goes on with a stored one, its artifacts and tasks included', async () => {
    const first = open(new ScriptedRunner(WITH_TOOLS))
    await first.session.execute('make a plan')
    first.session.createTask({ title: 'review it', status: 'pending' })
    first.session.save()
    const { projectPath } = first
    const sessionId = first.session.getSessionId() ?? ''
    const { session } = open(new ScriptedRunner([text('yes')]), { projectPath, sessionId })
    expect(session.getMessages()).toEqual(first.session.getMessages())
    expect(session.resolveArtifactReference('the plan')).toMatchObject({ filePath: 'plan.md' })
    expect(session.resolveTaskReference('review')).toMatchObject({ status: 'pending' })
  })

  it('begins anew where the stored one is not there', () => {
    const { session } = open(new ScriptedRunner(), { sessionId: 'session-gone' })
    expect(session.getSessionId()).not.toBe('session-gone')
  })
})

describe('executeStreaming', () => {
  it('gives the chunks of the runner as they are, and keeps what was said', async () => {
    const { session, stored } = open(new ScriptedRunner(WITH_TOOLS))
    expect(await all(session.executeStreaming('make a plan'))).toEqual(WITH_TOOLS)
    expect(session.getMessages()).toEqual([
      { role: 'user', content: 'make a plan', timestamp: expect.any(Number) },
      {
        ...{ role: 'assistant', content: 'I will write it.', timestamp: expect.any(Number) },
        metadata: { toolsUsed: ['Write', 'Bash'], duration: expect.any(Number) },
      },
    ])
    expect(stored()?.messages).toEqual(session.getMessages())
  })

  it('tells the runner what was said before, and what there is', async () => {
    const runner = new ScriptedRunner([text('the first answer')], [text('more')])
    const { session } = open(runner, { maxContextMessages: 2 })
    await session.execute('the first request')
    session.createArtifact({ title: 'Sprint Plan', type: 'plan', content: '' })
    await session.execute('the second request')
    await session.execute('the third request')
    const [first, second = '', third = ''] = runner.prompts
    expect(first).toBe('the first request')
    for (const part of ['Sprint Plan', 'the first request', 'the first answer', 'the second request']) {
      expect(second).toContain(part)
    }
    expect(second.endsWith('the second request')).toBe(true)
    expect(third).not.toContain('the first answer')
  })

  it('tells the events in order, each once, also where the runner tells them too', async () => {
    for (const isSet of [false, true]) {
      const runner = native('says-everything')
      const { session } = open(runner, { debug: true })
      if (isSet) {
        runner.setEventEmitter?.(session.getEventEmitter())
      }
      await session.execute('look')
      session.end()
      const told = session.getEventEmitter().getEventLog()
      expect(told.map(({ type }) => type).filter((type) => !/^(status|usage)/.test(type))).toEqual(
        [
          ...['prompt:submitted', 'thinking:started', 'thinking:stopped', 'text:delta', 'tool:started'],
          ...['tool:completed', 'tool:started', 'tool:started', 'tool:failed', 'tool:completed'],
          ...['text:delta', 'response:completed', 'session:ended'],
        ].toSpliced(0, 0, 'session:started'),
      )
      expect(told[0]?.data).toEqual({
        sessionId: session.getSessionId(),
        model: 'sonnet',
        provider: 'claude',
      })
    }
  })

  it('lets listeners come and go', async () => {
    const { session } = open(new ScriptedRunner([text('a'), text('b')]))
    const [always, once, never] = [vi.fn(), vi.fn(), vi.fn()]
    session.on(ExecEventType.TEXT_DELTA, always).on(ExecEventType.TEXT_DELTA, never)
    session.once(ExecEventType.TEXT_DELTA, once).off(ExecEventType.TEXT_DELTA, never)
    await session.execute('hi')
    const contents = (mock: typeof always) =>
      mock.mock.calls.map(([event]) => (event as ExecEvent<'text:delta'>).data.content)
    expect([contents(always), contents(once), contents(never)]).toEqual([['a', 'b'], ['a'], []])
  })

  it('runs one turn at a time', async () => {
    const { session } = open(native('waits-for-interrupt'))
    const stream = session.executeStreaming('hi')
    await stream.next()
    expect(await rejectionOf(session.execute('and this'))).toBeInstanceOf(SessionBusyError)
    await stream.return()
    expect(said(session.getMessages())).toEqual(['user: hi'])
  })
})

describe('a turn that fails', () => {
  it('gives an error chunk in place of what the runner threw, and keeps what was said', async () => {
    const failing = new ScriptedRunner(async function* () {
      yield text('half an ans')
      throw new Error('the socket is gone')
    })
    const { session, stored } = open(failing)
    const failed = vi.fn()
    session.on(ExecEventType.ERROR_OCCURRED, failed)
    const chunks = await all(session.executeStreaming('hi'))
    expect(chunks.at(-1)).toMatchObject({ type: 'error', error: 'the socket is gone', code: 'UNKNOWN' })
    expect(failed).toHaveBeenCalledOnce()
    expect(said(stored()?.messages)).toEqual(['user: hi', 'assistant: half an ans'])
    expect(stored()?.messages[1]?.metadata).toMatchObject({ errorCode: 'UNKNOWN' })
    expect((await session.execute('hi')).success).toBe(false)
  })

  it('has its reason as the answer where nothing was said', async () => {
    const { session } = open(new ScriptedRunner([{ type: 'error', error: 'no such model' }]))
    expect(await session.execute('hi')).toMatchObject({ success: false, error: 'no such model', content: '' })
    expect(said(session.getMessages())).toEqual(['user: hi', 'assistant: Error: no such model'])
  })
})

describe('execute', () => {
  it('resolves with what the turn came to', async () => {
    const { session } = open(native('says-everything'))
    expect(await session.execute('look')).toEqual({
      ...{ content: 'I will look. That is all.', toolsUsed: ['Read', 'Task', 'Grep'], success: true },
      ...{ duration: expect.any(Number), usage: expect.objectContaining({ costUsd: 0.25, output: 20 }) },
    })
  })

  it('has the answer also where it comes only with the result', async () => {
    const { session } = open(native('answers-only-in-its-result'))
    const { content } = await session.execute('hi')
    expect(content).not.toBe('')
    expect(session.getMessages()[1]?.content).toBe(content)
  })
})

describe('a turn that is stopped', () => {
  it('by break keeps what was said, on disk too', async () => {
    const lifeline = await openLifeline()
    const { session, stored } = open(native('streams-until-interrupted', lifeline.env))
    for await (const { type } of session.executeStreaming('hi')) {
      if (type === 'text_delta') {
        break
      }
    }
    await lifeline.closed
    expect(said(stored()?.messages)).toEqual(['user: hi', 'assistant: more '])
    expect(stored()?.messages[1]?.metadata).toMatchObject({ errorCode: 'CANCELLED' })
  })

  it('by abort() of its runner, as Locus does at Ctrl+C, keeps what was said', async () => {
    const runner = native('waits-for-interrupt')
    const { session, stored } = open(runner)
    for await (const { type } of session.executeStreaming('hi')) {
      if (type === 'text_delta') {
        runner.abort()
      }
    }
    expect(said(stored()?.messages)).toEqual(['user: hi', expect.stringMatching(/^assistant: waiting in /)])
    expect(stored()?.messages[1]?.metadata).toMatchObject({ errorCode: 'CANCELLED' })
    const again = session.executeStreaming('and again')
    expect((await again.next()).done).toBe(false)
    await again.return()
  })

  it('by return() does not wait for a runner in JavaScript that says nothing', async () => {
    const controller = new AbortController()
    const silent = new ScriptedRunner(async function* () {
      yield text('so')
      await new Promise((resolve) => controller.signal.addEventListener('abort', resolve))
    })
    vi.spyOn(silent, 'abort').mockImplementation(() => controller.abort())
    const { session } = open(silent)
    const stream = session.executeStreaming('hi')
    await stream.next()
    const waiting = stream.next()
    await stream.return()
    expect(await waiting).toEqual({ done: true, value: undefined })
    expect(said(session.getMessages())).toEqual(['user: hi', 'assistant: so'])
  })

  it('by a signal, which stops any runner', async () => {
    const controller = new AbortController()
    const runner = new ScriptedRunner([text('a'), text('b')])
    const { session } = open(runner)
    const stream = session.executeStreaming('hi', { signal: controller.signal })
    await stream.next()
    controller.abort()
    expect(runner.aborted).toBe(1)
    await stream.return()
    const [late, ...more] = await all(session.executeStreaming('hi', { signal: controller.signal }))
    expect(late).toMatchObject({ type: 'error', code: 'CANCELLED' })
    expect([more, runner.prompts]).toEqual([[], ['hi']])
    expect((await session.execute('again')).success).toBe(true)
  })

  it('by kill -9 of the program is there with what was said until then', async () => {
    const projectPath = temporaryFolder()
    const program = join(projectPath, 'program.mjs')
    const sdk = fileURLToPath(new URL('../../dist/sdk.mjs', import.meta.url))
    writeFileSync(
      program,
      `import { createAiRunner, ExecSession } from ${JSON.stringify(sdk)}
      const options = { executable: ${JSON.stringify(fakeAgent('waits-for-interrupt'))} }
      const aiRunner = createAiRunner('claude', { projectPath: '.', options })
      const session = new ExecSession({ aiRunner, projectPath: '.', model: 'm', provider: 'claude' })
      session.initialize()
      for await (const chunk of session.executeStreaming('hi')) {
        if (chunk.type === 'text_delta') console.log(session.getSessionId())
      }`,
    )
    const child = spawn(process.execPath, [program], {
      cwd: projectPath,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [id] = await once(child.stdout, 'data')
    child.kill('SIGKILL')
    await once(child, 'close')
    const stored = new HistoryManager(projectPath).loadSession(String(id).trim())
    expect(said(stored?.messages)).toEqual([
      'user: hi',
      expect.stringMatching(/^assistant: waiting in \d+ for hi$/),
    ])
    expect(stored?.messages[1]?.metadata?.interrupted).toBe(true)
  })
})

describe('what is kept', () => {
  it('is only what save() writes with autoSave: false', async () => {
    const { session, stored } = open(new ScriptedRunner([text('yes')]), { autoSave: false })
    await session.execute('hi')
    expect(stored()).toBeNull()
    session.save()
    expect(said(stored()?.messages)).toEqual(['user: hi', 'assistant: yes'])
  })

  it('is appended to in the format of this package, and one readable file in that of Locus 0.14.x', async () => {
    for (const [historyFormat, ending] of [
      ['jsonl', '.jsonl'],
      ['json', '.json'],
    ] as const) {
      const { session, projectPath, stored } = open(new ScriptedRunner(WITH_TOOLS), { historyFormat })
      await session.execute('make a plan')
      const files = readdirSync(join(projectPath, '.locus', 'exec-history'), { withFileTypes: true })
      const names = files
        .filter((file) => file.isFile() && !file.name.startsWith('.'))
        .map(({ name }) => name)
      expect(names).toEqual([`${session.getSessionId()}${ending}`])
      expect(stored()?.messages).toEqual(session.getMessages())
      expect(stored()?.metadata.contextTracker?.artifacts).toMatchObject([{ filePath: 'plan.md' }])
    }
  })

  it('can be changed, begun anew, and left for another conversation', async () => {
    const { session, stored } = open(new ScriptedRunner([text('yes')]))
    await session.execute('hi')
    const id = session.getSessionId()
    session.addMessage({ role: 'assistant', content: 'by the way' })
    session.save()
    expect(said(stored()?.messages)).toEqual(['user: hi', 'assistant: yes', 'assistant: by the way'])
    session.createTask({ title: 'something', status: 'pending' })
    session.reset()
    expect([session.getSessionId(), session.getMessages()]).toEqual([id, []])
    expect(session.getContextTracker().hasContent()).toBe(false)
    session.save()
    expect(stored()?.messages).toEqual([])
    session.startNewSession()
    expect(session.getSessionId()).not.toBe(id)
    expect(session.getHistoryManager().sessionExists(id ?? '')).toBe(true)
  })

  it('is told where it cannot be written: a prompt is refused, later words are kept in memory', async () => {
    const runner = new ScriptedRunner([text('yes')])
    const projectPath = temporaryFolder()
    writeFileSync(join(projectPath, '.locus'), 'a file where the folder should be')
    const { session } = open(runner, { projectPath })
    expect(await session.execute('hi')).toMatchObject({ success: false, errorCode: 'HISTORY' })
    expect(runner.prompts).toEqual([])
  })

  it('is written later where it could not be', async () => {
    const historyDir = join(temporaryFolder(), 'history')
    let file = ''
    const runner = new ScriptedRunner(async function* () {
      yield text('so ')
      rmSync(file)
      mkdirSync(file)
      yield text('far')
    })
    const { session, stored } = open(runner, { historyDir, historyFormat: 'json' })
    file = join(historyDir, `${session.getSessionId()}.json`)
    const told = vi.fn()
    session.on(ExecEventType.STATUS_CHANGED, told)
    expect(await session.execute('hi')).toMatchObject({ success: true, content: 'so far' })
    expect(told.mock.lastCall?.[0].data).toMatchObject({ status: 'not_saved', detail: { code: 'HISTORY' } })
    expect(() => session.save()).toThrow(HistoryError)
    rmdirSync(file)
    session.save()
    expect(said(stored()?.messages)).toEqual(['user: hi', 'assistant: so far'])
  })
})

describe('the demo agent', () => {
  it('holds a conversation through the SDK', async () => {
    const aiRunner = createAiRunner('demo', {
      projectPath: temporaryFolder(),
      options: { extraArgs: ['--pace=0'] },
    })
    const { session } = open(aiRunner, { provider: 'demo' })
    const { content, toolsUsed, success } = await session.execute('create a sprint plan')
    expect({ success, toolsUsed }).toEqual({ success: true, toolsUsed: ['Glob'] })
    expect(content).toContain('create a sprint plan')
  })
})
