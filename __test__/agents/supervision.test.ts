import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'

import { installAgents } from '../../scripts/install-agents.mjs'
import { ExecSession } from '../../ts/index.js'
import { claudeEnv } from './claude-env.mjs'
import { markedProcesses } from './marked-processes.js'
import { type ModelServer, startModelServer } from './model-server.mjs'

const CLI = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url))
const GRACE_MS = 2000
const MARGIN_MS = 1000

let executable: string
let server: ModelServer
let folder: string
/** In the environment of the agent and of all that it starts, and nowhere else. */
let marker: string

beforeAll(async () => {
  executable = (await installAgents()).claude
  server = await startModelServer()
})

afterAll(() => server.close())

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'locus-supervision-'))
  marker = `LOCUS_TEST_MARKER=${randomUUID()}`
  return () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
})

function environment(): Record<string, string> {
  const [name = '', value = ''] = marker.split('=')
  return { ...claudeEnv(server.url, { home: folder }), [name]: value }
}

/** The command lines of all processes that were started by the agent, itself included. */
const marked = () => markedProcesses(marker)

async function until(condition: () => boolean, limitMs: number): Promise<boolean> {
  const end = performance.now() + limitMs
  while (!condition()) {
    if (performance.now() > end) {
      return false
    }
    await pause(10)
  }
  return true
}

/** The two sleepers of the tool, not the shell that was told to start them. */
const toolRuns = () =>
  marked().filter((command) => command.includes('setTimeout') && !command.includes('&')).length >= 2

async function expectNothingLeft(): Promise<void> {
  await until(() => marked().length === 0, GRACE_MS + MARGIN_MS)
  expect(marked()).toEqual([])
}

async function locusExecWithRunningTool(): Promise<{ child: ChildProcess; exit: Promise<number | null> }> {
  const args = [
    'exec',
    '--yes',
    '--json-stream',
    '--dir',
    folder,
    '--executable',
    executable,
    'please SLEEPTOOL',
  ]
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { ...process.env, ...environment() },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const exit = new Promise<number | null>((resolve) => child.on('exit', resolve))
  for await (const line of createInterface({ input: child.stdout })) {
    if (JSON.parse(line).type === 'tool_started') {
      break
    }
  }
  child.stdout.resume()
  expect(await until(toolRuns, 10_000)).toBe(true)
  return { child, exit }
}

describe('of the real claude and the tools it runs nothing is left', () => {
  test('after a turn was cancelled and the session ended', async () => {
    const session = await ExecSession.create({
      ...{
        executable,
        projectPath: folder,
        env: environment(),
        allowAll: true,
        timeouts: { graceMs: GRACE_MS },
      },
    })
    const stream = session.executeStreaming('please SLEEPTOOL')
    for await (const chunk of stream) {
      if (chunk.type === 'tool_parameters') {
        expect(await until(toolRuns, 10_000)).toBe(true)
        break
      }
    }
    // The process is held open, and its tools are for claude to end.
    const tools = () => marked().filter((command) => command.includes('setTimeout'))
    await until(() => tools().length === 0, GRACE_MS + MARGIN_MS)
    expect(tools()).toEqual([])
    await session.end()
    expect(marked()).toEqual([])
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('after %s', async (signal, exitCode) => {
    const { child, exit } = await locusExecWithRunningTool()
    child.kill(signal)
    expect(await exit).toBe(exitCode)
    expect(marked()).toEqual([])
  })

  test('after a second Ctrl+C', async () => {
    const { child, exit } = await locusExecWithRunningTool()
    child.kill('SIGINT')
    child.kill('SIGINT')
    expect(await exit).toBe(130)
    await expectNothingLeft()
  })

  test('after SIGKILL', async () => {
    const { child, exit } = await locusExecWithRunningTool()
    child.kill('SIGKILL')
    await exit
    // The grace of the CLI is the default one here.
    await until(() => marked().length === 0, 5000 + MARGIN_MS)
    expect(marked()).toEqual([])
  })
})
