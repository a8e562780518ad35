import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

import { ExecEventType, type ExecSession, type SessionOptions, type StreamChunk } from '../../ts/index.js'
import { chunksOf, textOf } from '../support/session.js'
import { RealCodex } from './real-agent.js'

const codex = new RealCodex()

/** A session with the real codex; `config` is more of its config.toml. */
function createSession(options: SessionOptions = {}, config = ''): Promise<ExecSession> {
  // Each failure is to be seen, and not what comes of trying again.
  return codex.createSession({ env: codex.environment(config), retry: false, ...options })
}

/** Runs `locus exec` with the real codex as its agent. */
function locusExec(...args: string[]) {
  return codex.start(['--executable', codex.executable, ...args], { LOCUS_PROVIDER: 'codex' })
}

function runToEnd(...args: string[]) {
  return codex.run(['--executable', codex.executable, ...args], { LOCUS_PROVIDER: 'codex' })
}

function statuses(chunks: StreamChunk[], name: string) {
  return chunks.flatMap((chunk) => (chunk.type === 'status' && chunk.status === name ? [chunk.detail] : []))
}

describe('locus exec with the real codex', () => {
  test('shows its words one by one', async () => {
    const { child, exit } = locusExec('please GATE and SLOWMS=1')
    // The model waits behind its first word; that it is shown can only be because it was not waited for the rest.
    const shown = new Promise<string>((resolve) => {
      child.stdout.once('data', (data: Buffer) => resolve(data.toString()))
    })
    await codex.server.gated()
    const first = await shown
    expect(first).not.toContain('\n')
    const rest = text(child.stdout)
    codex.server.release()
    expect((first + (await rest)).split(' ').length).toBeGreaterThan(100)
    expect(await exit).toBe(0)
  })

  test('shows a tool with its command and its result', async () => {
    const { stdout, stderr, exitCode } = await runToEnd('--yes', 'please TOOL')
    expect(exitCode).toBe(0)
    expect(stderr).toMatch(/✓ ⚡ Running command echo hi-from-shell \(\d+ms\)\n {2}│ hi-from-shell\n/)
    expect(stdout).not.toContain('Running command')
  })

  test('shows that a tool was denied and how to allow it', async () => {
    const file = join(codex.project, 'made.txt')
    const denied = await runToEnd(`please WRITETOOL path=<${file}>`)
    expect(denied.stderr).toContain('file_change was denied')
    expect(denied.stderr).toContain('--allow file_change')
    expect(existsSync(file)).toBe(false)

    const allowed = await runToEnd('--allow', 'file_change', `please WRITETOOL path=<${file}>`)
    expect(allowed.stderr).toContain(`✓ 📝 Changing files ${file}`)
    expect(existsSync(file)).toBe(true)
  })

  test('refuses to deny what codex cannot be denied', async () => {
    const { stderr, exitCode } = await runToEnd('--deny', 'Bash(git *)', 'hello')
    expect(exitCode).not.toBe(0)
    expect(stderr).toContain("INVALID_INPUT codex has no tool 'Bash(git *)' to deny")
  })

  test('goes on with the conversation in another process', async () => {
    await runToEnd('my favourite word is quokka')
    const before = codex.server.usage()
    const { stdout, stderr } = await runToEnd('--continue', '--json-stream', 'please ECHO')
    expect(stderr).toBe('')
    expect(stdout).toContain('quokka')
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const resumed = lines.find(({ type, payload }) => type === 'status' && payload.status === 'resumed')
    expect(JSON.parse(resumed.payload.message)).toEqual({ via: 'agent' })
    // What the thread used before is not counted again.
    const sum = (usage: object) => Object.values(usage).reduce((a, b) => a + b)
    expect(lines.at(-1).payload.tokensUsed).toBe(sum(codex.server.usage()) - sum(before))
  })

  test('is told of the conversation when codex does not know it', async () => {
    await runToEnd('my favourite word is quokka')
    rmSync(codex.home, { recursive: true, force: true })
    mkdirSync(codex.home)
    const { stdout, stderr, exitCode } = await runToEnd('--continue', 'please ECHO')
    expect(stderr).toContain('the agent does not know this conversation')
    expect(stdout + JSON.stringify(codex.server.requests.at(-1)?.prompts)).toContain('quokka')
    expect(exitCode).toBe(0)
  })
})

describe('ExecSession with the real codex', () => {
  test('begins its second turn in a quarter of the time that a new process takes', async () => {
    const untilFirstWord = async (session: ExecSession) => {
      const begin = performance.now()
      let first = 0
      for await (const chunk of session.executeStreaming('hello')) {
        if (chunk.type === 'text_delta' && first === 0) {
          first = performance.now() - begin
        }
      }
      return first
    }
    const session = await createSession({ save: false })
    const warm: boolean[] = []
    session.on(ExecEventType.TURN_STARTED, ({ data }) => warm.push(data.warm))
    const cold = [await untilFirstWord(session)]
    const held = [await untilFirstWord(session), await untilFirstWord(session), await untilFirstWord(session)]
    expect(warm).toEqual([false, true, true, true])
    for (let i = 0; i < 2; i++) {
      cold.push(await untilFirstWord(await createSession({ save: false })))
    }
    // The best of each: what else the machine does only ever makes them slower.
    const [alone, there] = [Math.min(...cold), Math.min(...held)]
    process.stdout.write(
      `codex, until the first word: ${alone.toFixed()} ms in a new process, ${there.toFixed()} ms in one that is there\n`,
    )
    expect(there).toBeLessThan(alone / 4)
  })

  test('reports the usage of each turn exactly', async () => {
    const session = await createSession({ allowAll: true })
    for (const prompt of ['hello', 'please TOOL', 'please TWOTOOLS', 'hello again']) {
      const before = codex.server.usage()
      const { usage, turns } = await session.execute(prompt)
      const after = codex.server.usage()
      const requests = prompt.includes('TOOL') ? 2 : 1
      const used = {
        input: after.input - before.input,
        output: after.output - before.output,
        cacheRead: after.cacheRead - before.cacheRead,
        cacheWrite: after.cacheWrite - before.cacheWrite,
        requests,
      }
      expect(usage).toMatchObject({ ...used, models: { 'stand-in': used } })
      expect(turns).toBe(requests)
    }
  })

  test('gives thinking, a search, tool input and tool result', async () => {
    const session = await createSession({ allowAll: true })
    const chunks = await chunksOf(session.executeStreaming('please THINK and FAILTOOL'))
    const thoughts = chunks.map((chunk) => (chunk.type === 'thinking' ? (chunk.content ?? '') : '')).join('')
    expect(thoughts).toBe('Hmm, let me think.')
    const use = chunks.find((chunk) => chunk.type === 'tool_parameters')
    expect(use?.parameters).toMatchObject({ command: 'echo out; echo err >&2; exit 3' })
    const result = chunks.find((chunk) => chunk.type === 'tool_result')
    expect(result).toMatchObject({ tool: 'command_execution', success: false, id: use?.id })
    // Codex reads both pipes of a command, in the order in which it finds something in them.
    expect(result?.error).toMatch(/^exit code 3\n(out\nerr|err\nout)$/)

    const searched = await chunksOf(session.executeStreaming('please SEARCH'))
    expect(searched.find((chunk) => chunk.type === 'tool_parameters')).toMatchObject({
      tool: 'web_search',
      parameters: { query: 'weather in Paris' },
    })
  })

  test('asks the host and heeds its answer', async () => {
    const file = join(codex.project, 'made.txt')
    const asked: unknown[] = []
    const session = await createSession({
      onPermission: ({ tool, parameters }) => {
        asked.push([tool, parameters])
        return asked.length === 1 ? { behavior: 'deny' } : { behavior: 'allow' }
      },
    })
    const first = await chunksOf(session.executeStreaming(`please WRITETOOL path=<${file}>`))
    expect(first.find((chunk) => chunk.type === 'tool_result')).toMatchObject({
      success: false,
      error: 'declined',
    })
    expect(existsSync(file)).toBe(false)
    await session.execute(`please WRITETOOL path=<${file}>`)
    expect(existsSync(file)).toBe(true)
    const question = [
      'file_change',
      { changes: [{ path: file, kind: 'add', diff: 'Written by the model.\n' }] },
    ]
    expect(asked).toEqual([question, question])
  })

  test('asks about the tools of servers', async () => {
    const quokka = fileURLToPath(new URL('mcp-server.mjs', import.meta.url))
    const config = `[mcp_servers.quokka]\ncommand = '${process.execPath}'\nargs = ['${quokka}']\n`
    const session = await createSession({ allowedTools: ['mcp__quokka__greet'] }, config)
    const chunks = await chunksOf(session.executeStreaming('please MCPTOOL'))
    expect(chunks.find((chunk) => chunk.type === 'tool_result')).toMatchObject({
      tool: 'mcp__quokka__greet',
      success: true,
      data: 'hello Quokka',
    })
  })

  test('marks what a subagent does', async () => {
    const session = await createSession({ allowAll: true })
    const chunks = await chunksOf(session.executeStreaming('please AGENT'))
    const spawned = chunks.find((chunk) => chunk.type === 'tool_parameters')
    expect(spawned).toMatchObject({ tool: 'spawn_agent' })
    expect(textOf(chunks.filter((chunk) => !('parentToolUseId' in chunk)))).toBe(
      'Hello from the stand-in model.That is what came of it.',
    )
  })

  test('tells failures of the API apart', async () => {
    const session = await createSession()
    for (const [prompt, code] of [
      ['please ERR400', 'API_ERROR'],
      ['please ERR401', 'AUTH'],
      ['please ERR429', 'RATE_LIMIT'],
      ['please ERR500', 'OVERLOADED'],
    ]) {
      const chunks: StreamChunk[] = []
      const stream = session.executeStreaming(prompt as string)
      for await (const chunk of stream) {
        chunks.push(chunk)
      }
      await expect(stream.result, prompt).rejects.toMatchObject({ code })
      if (code === 'RATE_LIMIT') {
        expect(statuses(chunks, 'retrying')).toMatchObject([{ attempt: 1, maxRetries: 1, errorStatus: 429 }])
      }
    }
    expect((await session.execute('hello')).success).toBe(true)
  })

  test('says that a text is void whose stream broke', async () => {
    const session = await createSession()
    const chunks: StreamChunk[] = []
    const stream = session.executeStreaming('please CUT')
    for await (const chunk of stream) {
      chunks.push(chunk)
    }
    await expect(stream.result).rejects.toMatchObject({ code: 'NETWORK_ERROR' })
    expect(statuses(chunks, 'abandoned')).toHaveLength(1)
  })

  test('speaks to an old codex by exec, and says so', async () => {
    const session = await createSession({ executable: codex.withoutAppServer(), allowAll: true })
    const warm: boolean[] = []
    session.on(ExecEventType.TURN_STARTED, ({ data }) => warm.push(data.warm))
    const first = await chunksOf(session.executeStreaming('please TOOL'))
    expect(statuses(first, 'fallback')).toHaveLength(1)
    expect(first.find((chunk) => chunk.type === 'tool_result')).toMatchObject({ data: 'hi-from-shell\n' })

    const before = codex.server.usage()
    const second = await chunksOf(session.executeStreaming('please ECHO'))
    expect(statuses(second, 'fallback')).toHaveLength(0)
    expect(textOf(second)).toContain('please TOOL')
    const { input, output } = codex.server.usage()
    expect(second.findLast((chunk) => chunk.type === 'result')?.usage).toMatchObject({
      input: input - before.input,
      output: output - before.output,
    })
    expect(warm).toEqual([false, false])
  })
})
