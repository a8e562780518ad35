import { getEventListeners } from 'node:events'
import { delimiter, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

import { describe, expect, it, vi } from 'vitest'

import {
  AgentError,
  BudgetExceededError,
  CancelledError,
  CliNotFoundError,
  TurnTimeoutError,
} from '../../ts/index.js'
import {
  type AiRunnerConfig,
  ClaudeRunner,
  CodexRunner,
  createAiRunner,
  type ExecEvent,
  ExecEventEmitter,
  ExecEventType,
  NativeRunner,
  type SessionOptions,
  type StreamChunk,
} from '../../ts/sdk/index.js'
import { pathWith } from '../support/cli.js'
import { fakeAgent } from '../support/fakes.js'
import { temporaryFolder } from '../support/folder.js'
import { expectTree, HOSTILE_TREE, untilGone } from '../support/hostile-tree.js'
import { openLifeline } from '../support/lifeline.js'
import { rejectionOf } from '../support/session.js'
import { all } from './support.js'

const typesOf = (chunks: StreamChunk[]) => chunks.map(({ type }) => type)

/** A runner of a fake agent, which tries once. */
function runnerOf(fake: string, options: SessionOptions = {}, config: Partial<AiRunnerConfig> = {}) {
  return createAiRunner('claude', {
    projectPath: temporaryFolder(),
    ...config,
    options: { executable: fakeAgent(fake), retry: false, ...options },
  })
}

/** The configuration with which one of the agents of the Rust tests is run. */
function ofRust(name: string): AiRunnerConfig {
  const executable = fileURLToPath(new URL(`../../tests/agents/${name}`, import.meta.url))
  return { projectPath: temporaryFolder(), options: { executable, retry: false } }
}

describe('createAiRunner', () => {
  it('makes the runner of a provider, Claude Code by default', () => {
    const config = { projectPath: '.' }
    expect(createAiRunner(undefined, config)).toBeInstanceOf(ClaudeRunner)
    expect(createAiRunner('claude', config)).toBeInstanceOf(ClaudeRunner)
    expect(createAiRunner('codex', config)).toBeInstanceOf(CodexRunner)
    const demo = createAiRunner('demo', config)
    expect(demo).toBeInstanceOf(NativeRunner)
    expect(demo).not.toBeInstanceOf(ClaudeRunner)
  })

  it('tells a provider that is none when it is run', async () => {
    const [chunk] = await all(createAiRunner('hal', { projectPath: '.' }).runStream('hi'))
    expect(chunk).toMatchObject({ type: 'error', code: 'UNKNOWN_PROVIDER' })
  })

  it('stops at maxTurns', async () => {
    const executable = fileURLToPath(
      new URL('../../tests/agents/spends-until-it-is-stopped', import.meta.url),
    )
    const options = { executable, retry: false as const }
    const runner = createAiRunner('claude', { projectPath: temporaryFolder(), maxTurns: 2, options })
    expect(await rejectionOf(runner.run('hi'))).toBeInstanceOf(BudgetExceededError)
  })
})

describe('ClaudeRunner', () => {
  it('is found on PATH, runs in the project, and is given its model; every tool is allowed', async () => {
    const projectPath = temporaryFolder()
    vi.stubEnv(
      'PATH',
      [pathWith('answers-with-how-it-was-started'), dirname(process.execPath)].join(delimiter),
    )
    const answer = JSON.parse(await new ClaudeRunner(projectPath, 'opus').run('hi'))
    vi.unstubAllEnvs()
    expect(answer.cwd).toBe(projectPath)
    expect(answer.args.join(' ')).toContain('--model=opus')
    const asked = await runnerOf('asks-permission').run('hi')
    expect(JSON.parse(asked)).toMatchObject({ behavior: 'allow' })
    const refused = await runnerOf('asks-permission', { allowAll: false }).run('hi')
    expect(JSON.parse(refused)).toMatchObject({ behavior: 'deny' })
  })

  it('gives up after its timeout', async () => {
    const runner = new ClaudeRunner(temporaryFolder(), undefined, undefined, 50, {
      ...{ executable: fakeAgent('waits-for-interrupt'), retry: false },
    })
    expect(await rejectionOf(runner.run('hi'))).toBeInstanceOf(TurnTimeoutError)
  })
})

describe('CodexRunner', () => {
  it('takes how hard it is to think', async () => {
    const wrapper = [
      process.execPath,
      '-e',
      'console.error(process.argv.slice(1).join(" ")); process.exit(3)',
    ]
    const runner = new CodexRunner(temporaryFolder(), 'gpt', undefined, 'high', 10_000, {
      ...{ wrapper: [...wrapper, '--'], executable: 'codex', retry: false },
    })
    const failure = await rejectionOf(runner.run('hi'))
    expect(failure).toMatchObject({ stderrTail: expect.stringContaining('-c model_reasoning_effort=high') })
  })
})

describe('runStream', () => {
  it('gives what the agent says in the known shapes, with results, usage and cost', async () => {
    const chunks = await all(runnerOf('says-everything').runStream('look'))
    expect(typesOf(chunks).filter((type) => type !== 'status' && type !== 'usage')).toEqual([
      ...['thinking', 'thinking', 'text_delta', 'tool_use', 'tool_parameters', 'tool_result'],
      // What the subagent said is left out; the tool that it used is not.
      ...['tool_use', 'tool_parameters', 'tool_use', 'tool_parameters', 'tool_result', 'tool_result'],
      ...['unparsed', 'text_delta', 'result'],
    ])
    expect(chunks.find((chunk) => chunk.type === 'tool_result')).toMatchObject({
      ...{ tool: 'Read', id: 'read', success: true, duration: expect.any(Number) },
      data: { file: { numLines: 3 } },
    })
    expect(chunks.at(-1)).toMatchObject({
      ...{ content: 'I will look. That is all.', success: true },
      usage: { input: 10, output: 20, cacheRead: 4, cacheWrite: 2, costUsd: 0.25 },
    })
  })

  it('starts nothing before the first chunk is asked for', async () => {
    const stream = runnerOf('answers-with-its-pid', { executable: '/nowhere/claude' }).runStream('hi')
    expect(await stream.return()).toEqual({ done: true, value: undefined })
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })

  it('ends with the error and its code where the turn fails', async () => {
    const missing = await all(
      runnerOf('answers-with-its-pid', { executable: '/nowhere/claude' }).runStream('hi'),
    )
    expect(missing.find(({ type }) => type === 'error')).toMatchObject({ code: 'CLI_NOT_FOUND' })
    expect(missing.at(-1)).toMatchObject({ type: 'result', success: false })
    const [refused, ...more] = await all(runnerOf('answers-with-its-pid').runStream('  '))
    expect(refused).toMatchObject({ type: 'error', code: 'INVALID_INPUT', retryable: false })
    expect(more).toEqual([])
  })

  it('runs several prompts at once, each with its own agent', async () => {
    const runner = runnerOf('answers-with-its-pid')
    const pids = await Promise.all(['a', 'b', 'c'].map((prompt) => runner.run(prompt)))
    expect(new Set(pids).size).toBe(3)
  })

  it('is taken whole', async () => {
    const FAKE_LINES = '5000'
    const chunks = await all(runnerOf('streams-deltas', { env: { FAKE_LINES } }).runStream('hi'))
    expect(chunks.filter(({ type }) => type === 'text_delta')).toHaveLength(5000)
  })

  it('skips a line of 17 MB and goes on', async () => {
    const chunks = await all(createAiRunner('claude', ofRust('prints-a-line-of-17-mb')).runStream('hi'))
    expect(chunks.find(({ type }) => type === 'unparsed')).toMatchObject({ reason: expect.any(String) })
    expect(chunks.at(-1)).toMatchObject({ type: 'result', success: true })
  })
})

describe('run', () => {
  it('resolves with the answer', async () => {
    expect(await runnerOf('answers-with-the-prompt').run('hello')).toBe('hello')
  })

  it('rejects with a typed error', async () => {
    const failure = await rejectionOf(runnerOf('fails-as-told').run('{"result":"no"}'))
    expect(failure).toBeInstanceOf(AgentError)
    const missing = runnerOf('answers-with-its-pid', { executable: '/nowhere/claude' }).run('hi')
    expect(await rejectionOf(missing)).toBeInstanceOf(CliNotFoundError)
  })

  it('writes nothing by itself, and tells its log what happens', async () => {
    const written = vi.spyOn(process.stdout, 'write')
    const log = vi.fn()
    await runnerOf('says-everything', {}, { log }).run('hi')
    expect(written).not.toHaveBeenCalled()
    written.mockRestore()
    expect(log.mock.calls).toEqual([
      ['[claude] tries again: 529', 'warn'],
      ['[claude] uses Read', 'info'],
      ['[claude] uses Task', 'info'],
      ['[claude] uses Grep', 'info'],
      ['[claude] Grep failed: no such folder', 'warn'],
    ])
  })
})

describe('a run is stopped', () => {
  it('by return(), also while it waits for the next word, with its agent', async () => {
    const lifeline = await openLifeline()
    const stream = runnerOf('waits-for-interrupt', { env: lifeline.env }).runStream('hi')
    for (let next = await stream.next(); next.value?.type !== 'text_delta'; ) {
      next = await stream.next()
    }
    const waiting = stream.next()
    expect(await stream.return()).toEqual({ done: true, value: undefined })
    expect(await waiting).toEqual({ done: true, value: undefined })
    await lifeline.closed
  })

  it('by break', async () => {
    const lifeline = await openLifeline()
    for await (const { type } of runnerOf('streams-until-interrupted', { env: lifeline.env }).runStream(
      'hi',
    )) {
      if (type === 'text_delta') {
        break
      }
    }
    await lifeline.closed
  })

  it('by abort(), which ends the stream with the reason and leaves the runner usable', async () => {
    const runner = runnerOf('waits-for-interrupt')
    const seen: StreamChunk[] = []
    for await (const chunk of runner.runStream('hi')) {
      seen.push(chunk)
      if (chunk.type === 'text_delta') {
        runner.abort()
      }
    }
    expect(seen.slice(-2)).toMatchObject([
      { type: 'error', code: 'CANCELLED' },
      { type: 'result', success: false, stopReason: 'cancelled' },
    ])
    const run = runner.run('again')
    runner.abort()
    expect(await rejectionOf(run)).toBeInstanceOf(CancelledError)
  })

  it('by a signal, to which nothing stays attached', async () => {
    const controller = new AbortController()
    const runner = runnerOf('waits-for-interrupt')
    const types: string[] = []
    for await (const chunk of runner.runStream('hi', { signal: controller.signal })) {
      types.push(chunk.type)
      if (chunk.type === 'text_delta') {
        controller.abort()
      }
    }
    expect(types.slice(-2)).toEqual(['error', 'result'])
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    const late = runner.run('hi', { signal: controller.signal })
    expect(await rejectionOf(late)).toBeInstanceOf(CancelledError)
  })

  it.skipIf(process.platform !== 'linux')(
    'with all that the agent has started, daemons included',
    async (context) => {
      const tree = expectTree(context)
      const { TREE = '' } = tree.env
      const options = { executable: HOSTILE_TREE, env: { TREE }, timeouts: { settleMs: 50, graceMs: 50 } }
      const runner = createAiRunner('claude', { projectPath: temporaryFolder(), options })
      const run = rejectionOf(runner.run('hi'))
      const pids = await tree.planted
      runner.abort()
      expect(await run).toBeInstanceOf(CancelledError)
      await tree.gone
      await untilGone(pids)
    },
  )
})

describe('setEventEmitter', () => {
  it('has the events told, in order, each once', async () => {
    const emitter = new ExecEventEmitter()
    const events: ExecEvent[] = []
    for (const type of Object.values(ExecEventType)) {
      emitter.on(type, (event: ExecEvent) => events.push(event))
    }
    const runner = runnerOf('says-everything')
    runner.setEventEmitter?.(emitter)
    await runner.run('look')
    const told = events.map(({ type }) => type).filter((type) => !/^(status|usage)/.test(type))
    expect(told).toEqual([
      ...['thinking:started', 'thinking:stopped', 'text:delta'],
      ...['tool:started', 'tool:completed', 'tool:started', 'tool:started', 'tool:failed', 'tool:completed'],
      ...['text:delta', 'response:completed'],
    ])
    expect(events.find(({ type }) => type === 'tool:completed')?.data).toMatchObject({
      ...{ toolName: 'Read', toolId: 'read', parameters: { file_path: 'a.txt' } },
      ...{ result: { file: { numLines: 3 } }, duration: expect.any(Number) },
    })
    expect(events.find(({ type }) => type === 'tool:failed')?.data).toMatchObject({
      ...{ toolName: 'Grep', error: 'no such folder', parameters: { pattern: 'x' } },
    })
  })
})
