import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'

import { type ExecEvent, ExecEventType, type SessionOptions } from '../../ts/index.js'
import { chunksOf, textOf } from '../support/session.js'
import { RealClaude } from './real-agent.js'

const claude = new RealClaude({ CLAUDE_CODE_MAX_RETRIES: '3' })

const createSession = (options?: SessionOptions) => claude.createSession(options)
/** `locus exec` with the real claude as its agent. */
const withClaude = (args: string[]) => ['--executable', claude.executable, ...args]
const locusExec = (...args: string[]) => claude.start(withClaude(args), { LOCUS_PROVIDER: 'claude' })
const runToEnd = (...args: string[]) => claude.run(withClaude(args), { LOCUS_PROVIDER: 'claude' })

describe('locus exec with the real claude', () => {
  test('shows its first word while the agent is still writing', async () => {
    const { child, exit } = locusExec('please GATE and SLOWMS=1')
    // The model waits behind its first word; that it is shown can only be because it was not waited for the rest.
    const shown = new Promise<string>((resolve) => {
      child.stdout.once('data', (data: Buffer) => resolve(data.toString()))
    })
    await claude.server.gated()
    const first = await shown
    expect(first).not.toContain('\n')
    const rest = text(child.stdout)
    claude.server.release()
    expect((first + (await rest)).length).toBeGreaterThan(first.length)
    expect(await exit).toBe(0)
  })

  test('shows a tool with its command and its result', async () => {
    const { stdout, stderr, exitCode } = await runToEnd('--yes', 'please TOOL')
    expect(exitCode).toBe(0)
    expect(stderr).toMatch(/✓ ⚡ Running command echo hi-from-shell \(\d+ms\)\n {2}│ hi-from-shell\n/)
    expect(stderr).toContain('Execution Summary')
    expect(stdout).not.toContain('Running command')
  })

  test('shows that a tool was denied and how to allow it', async () => {
    const file = join(claude.project, 'made.txt')
    const denied = await runToEnd(`please WRITETOOL path=${file}`)
    expect(denied.stderr).toContain('Write was denied')
    expect(denied.stderr).toContain('--allow Write')
    expect(denied.stderr).toMatch(/✗ 📝 Writing file/)
    expect(existsSync(file)).toBe(false)

    const allowed = await runToEnd('--allow', 'Write', `please WRITETOOL path=${file}`)
    expect(allowed.stderr).toMatch(/✓ 📝 Writing file/)
    expect(existsSync(file)).toBe(true)
  })

  test('--yes allows and --deny is stronger', async () => {
    const file = join(claude.project, 'made.txt')
    const { stderr } = await runToEnd('--yes', '--deny', 'Write', `please WRITETOOL path=${file}`)
    expect(stderr).not.toMatch(/✓ 📝 Writing file/)
    expect(existsSync(file)).toBe(false)
  })

  test('fails on a refusing API and says why', async () => {
    const { stderr, exitCode } = await runToEnd('please ERR400')
    expect(exitCode).toBe(21)
    expect(stderr).toMatch(/✗ API_ERROR API Error: 400 /)
  })

  test('--json-stream ends a failure with error and done', async () => {
    const { stdout, exitCode } = await runToEnd('--json-stream', 'please ERR400')
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines[0].type).toBe('start')
    expect(lines.at(-2)).toMatchObject({ type: 'error', payload: { error: { code: 'API_ERROR' } } })
    expect(lines.at(-1)).toMatchObject({ type: 'done', payload: { success: false, exitCode: 21 } })
    expect(exitCode).toBe(21)
  })

  test('tells of the retries while the API limits the rate', async () => {
    const { stdout, stderr, exitCode } = await runToEnd('please RATE429')
    expect(exitCode).toBe(0)
    expect(stderr.match(/↻ the model's API answered 429; retrying/g)).toHaveLength(2)
    expect(stdout).not.toBe('')
  })

  test('--legacy runs claude without the engine', async () => {
    const { stdout, exitCode } = await runToEnd('--legacy', 'hello')
    expect(exitCode).toBe(0)
    expect(stdout).toContain('Hello')
  })
})

describe('ExecSession with the real claude', () => {
  test('runs two turns in one process, and the second begins in under a third of the first’s time', async () => {
    const session = await createSession()
    const started: Array<ExecEvent<'turn:started'>> = []
    session.on(ExecEventType.TURN_STARTED, (event) => started.push(event))
    const untilFirstWord = async (prompt: string) => {
      const begin = performance.now()
      let first = 0
      for await (const chunk of session.executeStreaming(prompt)) {
        if (chunk.type === 'text_delta' && first === 0) {
          first = performance.now() - begin
        }
      }
      return first
    }
    const cold = await untilFirstWord('hello')
    const warm = await untilFirstWord('please ECHO')
    expect(started.map(({ data }) => data.warm)).toEqual([false, true])
    expect(warm).toBeLessThan(cold / 3)
  })

  test('keeps the conversation', async () => {
    const session = await createSession()
    await session.execute('my favourite word is quokka')
    const { content } = await session.execute('please ECHO')
    expect(content).toContain('quokka')
    expect(session.getHistory().map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant'])
  })

  test('reports the usage of each turn exactly, subagents included', async () => {
    const session = await createSession({ allowAll: true })
    for (const prompt of ['hello', 'please AGENT', 'please TOOL', 'hello again']) {
      const before = claude.server.usage()
      const { usage } = await session.execute(prompt)
      const after = claude.server.usage()
      expect(usage).toMatchObject({
        input: after.input - before.input,
        output: after.output - before.output,
        cacheRead: after.cacheRead - before.cacheRead,
        cacheWrite: after.cacheWrite - before.cacheWrite,
      })
      expect(usage.costUsd).toBeGreaterThan(0)
    }
  })

  test('marks what a subagent does', async () => {
    const session = await createSession({ allowAll: true })
    const chunks = await chunksOf(session.executeStreaming('please AGENT'))
    const agent = chunks.find((chunk) => chunk.type === 'tool_parameters' && chunk.tool !== 'Bash')
    const inner = chunks.filter(
      (chunk) => chunk.type === 'tool_result' && chunk.parentToolUseId !== undefined,
    )
    expect(inner).toHaveLength(1)
    expect(inner[0]).toMatchObject({
      tool: 'Bash',
      success: true,
      parentToolUseId: (agent as { id: string }).id,
    })
  })

  test('gives thinking, tool input and tool result', async () => {
    const session = await createSession({ allowAll: true })
    const chunks = await chunksOf(session.executeStreaming('please THINK and FAILTOOL'))
    const thoughts = chunks.map((chunk) => (chunk.type === 'thinking' ? (chunk.content ?? '') : '')).join('')
    expect(thoughts).not.toBe('')
    expect(chunks).toContainEqual(expect.objectContaining({ type: 'tool_use', tool: 'Bash' }))
    const use = chunks.find((chunk) => chunk.type === 'tool_parameters')
    expect(use?.parameters.command).toContain('exit 3')
    const result = chunks.find((chunk) => chunk.type === 'tool_result')
    expect(result).toMatchObject({ success: false, id: use?.id })
    expect(result?.error).toContain('Exit code 3')
  })

  test('keeps its process and conversation after a turn was interrupted', async () => {
    const session = await createSession()
    const warm: boolean[] = []
    session.on(ExecEventType.TURN_STARTED, ({ data }) => warm.push(data.warm))
    const stream = session.executeStreaming('please SLOW')
    for await (const chunk of stream) {
      if (chunk.type === 'text_delta') {
        break
      }
    }
    await expect(stream.result).rejects.toMatchObject({ code: 'CANCELLED' })
    const { content } = await session.execute('please ECHO')
    expect(content).toContain('please SLOW')
    expect(warm).toEqual([false, true])
  })

  test('asks the host and heeds its answer', async () => {
    const file = join(claude.project, 'made.txt')
    const asked: string[] = []
    const session = await createSession({
      onPermission: ({ tool }) => {
        asked.push(tool)
        return asked.length === 1 ? { behavior: 'deny', message: 'not today' } : { behavior: 'allow' }
      },
    })
    const first = await chunksOf(session.executeStreaming(`please WRITETOOL path=${file}`))
    expect(first.find((chunk) => chunk.type === 'tool_result')?.error).toContain('not today')
    expect(existsSync(file)).toBe(false)
    await session.execute(`please WRITETOOL path=${file}`)
    expect(existsSync(file)).toBe(true)
    expect(asked).toEqual(['Write', 'Write'])
  })

  test('delivers text outside ASCII as it was written', async () => {
    const session = await createSession()
    const chunks = await chunksOf(session.executeStreaming('please UNICODE'))
    expect(textOf(chunks)).toContain('日本語')
    expect(textOf(chunks)).toContain('🦀')
    expect(textOf(chunks)).toBe(chunks.findLast((chunk) => chunk.type === 'result')?.content)
  })
})
