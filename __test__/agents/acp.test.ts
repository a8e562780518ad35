import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test, vi } from 'vitest'

import { ExecEventType } from '../../ts/index.js'
import { chunksOf, textOf } from '../support/session.js'
import { markedProcesses } from './marked-processes.js'
import { RealQwen } from './real-agent.js'

// Small, on its own, and asks about what it does: the agent by which ACP is held up to reality.
const qwen = new RealQwen()

const byName = () => ['--provider', 'qwen', '--executable', qwen.executable]

describe('locus exec with a real agent that speaks ACP', () => {
  test('shows its words one by one', async () => {
    const { child, exit } = qwen.start([...byName(), 'please GATE and SLOWMS=1'])
    // The model waits behind its first word; that it is shown can only be because it was not waited for the rest.
    const shown = new Promise<string>((resolve) => {
      child.stdout.once('data', (data: Buffer) => resolve(data.toString()))
    })
    await qwen.server.gated()
    const first = await shown
    expect(first).not.toContain('\n')
    const rest = text(child.stdout)
    qwen.server.release()
    expect((first + (await rest)).split(' ').length).toBeGreaterThan(100)
    expect(await exit).toBe(0)
  })

  test('knows it by its command alone', async () => {
    const command = `'${process.execPath}' '${qwen.executable}' --acp`
    const { stdout, stderr, exitCode } = await qwen.run(['--agent-command', command, '--yes', 'please TOOL'])
    expect(exitCode, stderr).toBe(0)
    expect(stdout).toContain('That is what came of it.')
    expect(stderr).toMatch(/✓ ⚡ Running command echo hi-from-shell \(\d+ms\)\n {2}│ hi-from-shell\n/)
  })

  test('shows that a tool was denied and how to allow it', async () => {
    const file = join(qwen.project, 'made.txt')
    const denied = await qwen.run([...byName(), `please WRITETOOL path=<${file}>`])
    expect(denied.stderr).toContain('edit was denied')
    expect(denied.stderr).toContain('--allow edit')
    expect(existsSync(file)).toBe(false)

    const allowed = await qwen.run([...byName(), '--allow', 'edit', `please WRITETOOL path=<${file}>`])
    expect(allowed.exitCode, allowed.stderr).toBe(0)
    expect(existsSync(file)).toBe(true)
  })

  test('goes on with the conversation in another process, and tells it of one that it does not know', async () => {
    await qwen.run([...byName(), 'my favourite word is quokka'])
    const resumed = await qwen.run([...byName(), '--continue', '--json-stream', 'please ECHO'])
    const lines = resumed.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const how = lines.find(({ type, payload }) => type === 'status' && payload.status === 'resumed')
    expect(JSON.parse(how.payload.message)).toEqual({ via: 'agent' })
    const words = lines.filter(({ type }) => type === 'text_delta').map(({ payload }) => payload.content)
    expect(words.join('')).toBe('Earlier prompts: ["my favourite word is quokka"]')

    rmSync(qwen.home, { recursive: true, force: true })
    mkdirSync(qwen.home)
    const retold = await qwen.run([...byName(), '--continue', 'please ECHO'])
    expect(retold.stderr).toContain('the agent does not know this conversation')
    expect(JSON.stringify(qwen.server.requests.at(-1)?.prompts)).toContain('quokka')
    expect(retold.exitCode).toBe(0)
  })
})

describe('ExecSession with a real agent that speaks ACP', () => {
  test('reports the usage of each turn exactly, in one process', async () => {
    const session = await qwen.createSession({ allowAll: true, save: false })
    const warm: boolean[] = []
    session.on(ExecEventType.TURN_STARTED, ({ data }) => warm.push(data.warm))
    for (const prompt of ['hello', 'please FAILTOOL', 'hello again']) {
      const before = qwen.server.usage()
      const { usage, turns } = await session.execute(prompt)
      const after = qwen.server.usage()
      const requests = prompt.includes('TOOL') ? 2 : 1
      expect(usage).toMatchObject({
        input: after.input - before.input,
        output: after.output - before.output,
        cacheRead: after.cacheRead - before.cacheRead,
        requests,
      })
      expect(turns).toBe(requests)
    }
    expect(warm).toEqual([false, true, true])
  })

  test('asks the host before a tool runs, and heeds its answer', async () => {
    const file = join(qwen.project, 'made.txt')
    const asked: unknown[] = []
    const session = await qwen.createSession({
      onPermission: ({ tool, parameters }) => {
        asked.push([tool, parameters])
        expect(existsSync(file)).toBe(false)
        return { behavior: asked.length === 1 ? 'deny' : 'allow' }
      },
    })
    const denied = await chunksOf(session.executeStreaming(`please WRITETOOL path=<${file}>`))
    expect(existsSync(file)).toBe(false)
    expect(denied.map(({ type }) => type)).toContain('permission_request')
    await session.execute(`please WRITETOOL path=<${file}>`)
    expect(existsSync(file)).toBe(true)
    const question = ['edit', { file_path: file, content: 'Written by the model.\n' }]
    expect(asked).toEqual([question, question])
  })

  test('gives thinking, a plan, and text outside ASCII as it was written', async () => {
    const session = await qwen.createSession({ allowAll: true })
    const chunks = await chunksOf(session.executeStreaming('please THINK and UNICODE'))
    const thoughts = chunks.map((chunk) => (chunk.type === 'thinking' ? (chunk.content ?? '') : '')).join('')
    expect(thoughts).toBe('Hmm, let me think.')
    expect(textOf(chunks)).toContain('日本語')
    expect(textOf(chunks)).toBe(chunks.findLast((chunk) => chunk.type === 'result')?.content)

    const planned = await chunksOf(session.executeStreaming('please PLANTOOL'))
    expect(planned.find((chunk) => chunk.type === 'tool_parameters')).toMatchObject({
      tool: 'todo_list',
      parameters: {
        items: [
          { text: 'look', status: 'completed' },
          { text: 'leap', status: 'in_progress' },
        ],
      },
    })
  })

  test('tells failures of the API apart, and goes on when a limit has passed', async () => {
    const session = await qwen.createSession({ retry: false })
    for (const [prompt, code] of [
      ['please ERR400', 'API_ERROR'],
      ['please ERR401', 'AUTH'],
    ]) {
      await expect(session.execute(prompt as string), prompt).rejects.toMatchObject({ code })
    }
    const { content } = await session.execute('please RATE429')
    expect(content).toBe('Hello from the stand-in model.')
    const statuses = qwen.server.requests.filter(({ keywords }) => keywords.includes('RATE429'))
    expect(statuses.map(({ status }) => status)).toEqual([429, 429, 200])
  })

  test.runIf(process.platform === 'linux')(
    'leaves nothing behind when it ends while a tool runs',
    async () => {
      const [name, value] = ['LOCUS_TEST_MARKER', randomUUID()]
      const marked = () => markedProcesses(`${name}=${value}`)
      const session = await qwen.createSession({
        allowAll: true,
        env: { ...qwen.environment(), [name]: value },
      })
      const failed = session.execute('please SLEEPTOOL').catch(({ code }) => code)
      // The two that sleep, not the shell that was told to start them.
      const sleepers = () => marked().filter((it) => it.includes('setTimeout') && !it.includes('&'))
      await vi.waitFor(() => expect(sleepers()).toHaveLength(2), { timeout: 30_000 })
      await session.end()
      expect(await failed).toBe('CANCELLED')
      await vi.waitFor(() => expect(marked()).toEqual([]), { timeout: 10_000 })
    },
  )
})
