import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { pathWith, protocolLines } from '../support/cli.js'
import { temporaryFolder } from '../support/folder.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

let project = ''

/** Puts the stand-in for Locus into a folder of its own, with this package installed, and compiles it. */
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'locus-project-'))
  cpSync(join(ROOT, 'fixtures', 'locus-cli'), project, { recursive: true })
  mkdirSync(join(project, 'node_modules', '@locus'), { recursive: true })
  symlinkSync(ROOT, join(project, 'node_modules', '@locus', 'exec-native'), 'dir')
  symlinkSync(join(ROOT, 'node_modules', '@types'), join(project, 'node_modules', '@types'), 'dir')
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  execFileSync(process.execPath, [tsc, '-p', project], { stdio: 'pipe' })
})

afterAll(() => rmSync(project, { recursive: true, force: true }))

/** Runs `locus exec` of the stand-in. */
async function exec(args: string[], { cwd = temporaryFolder(), input = '', env = {}, agent = '' } = {}) {
  const PATH = [pathWith(agent || undefined), dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter)
  const program = join(project, 'dist', 'cli', 'src', 'cli.js')
  const child = spawn(process.execPath, [program, 'exec', ...args], { cwd, env: { HOME: cwd, PATH, ...env } })
  child.stdin.end(input)
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { stdout, stderr, exitCode, cwd }
}

const DEMO = ['--provider', 'demo']

describe('a project with the calls of Locus', () => {
  it('runs one prompt, shown as it comes', async () => {
    const { stdout, stderr, exitCode } = await exec([...DEMO, 'create a sprint plan'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain('create a sprint plan')
    expect(stderr).toBe('thinking\nstarted Glob\ncompleted Glob number\nsummary: Glob; tokens\n')
  })

  it('runs one prompt to its end', async () => {
    const { stdout, exitCode } = await exec([...DEMO, '--no-stream', 'create a sprint plan'])
    expect(exitCode).toBe(0)
    expect(stdout).toContain('create a sprint plan')
  })

  it('holds a conversation, and goes on with it', async () => {
    const first = await exec([...DEMO, '-i'], { input: 'create a plan\nhistory\nexit\n' })
    expect(first.stdout).toContain('user: create a plan\nassistant: ')
    const id = /session (\S+)\n$/.exec(first.stdout)?.[1] ?? ''
    const { cwd } = first
    const second = await exec([...DEMO, '-i', '-s', id], { cwd, input: 'more of week 2\nhistory\nexit\n' })
    expect(second.stdout).toContain('user: create a plan\n')
    expect(second.stdout).toContain('user: more of week 2\n')
    expect(second.stdout).toContain(`session ${id}\n`)
    const list = await exec(['sessions', 'list'], { cwd })
    expect(list.stdout).toBe(`${id} 4 create a plan\n`)
    const show = await exec(['sessions', 'show', id.slice(-8)], { cwd })
    expect(show.stdout).toMatch(/^demo demo-1\nuser: create a plan\nassistant: .+\nuser: more of week 2\n/)
    expect((await exec(['sessions', 'show', 'nobody'], { cwd })).exitCode).toBe(1)
    expect((await exec(['sessions', 'delete', id.slice(-8)], { cwd })).stdout).toBe('deleted\n')
    expect((await exec(['sessions', 'clear'], { cwd })).stdout).toBe('cleared 0 of 0 left\n')
  })

  it('prints the JSON stream of protocol 1', async () => {
    const { stdout, exitCode, cwd } = await exec([...DEMO, '--json-stream', 'create a plan'])
    const lines = protocolLines(stdout)
    const types = [...new Set(lines.map(({ type }) => type))]
    expect(exitCode).toBe(0)
    expect([lines[0]?.type, lines.at(-1)?.type]).toEqual(['start', 'done'])
    expect(types).toEqual(expect.arrayContaining(['text_delta', 'tool_started', 'tool_completed']))
    expect(lines[0]?.payload).toEqual({ command: 'exec', provider: 'demo', model: 'demo-1', cwd })
    expect(lines.at(-1)?.payload).toMatchObject({ exitCode: 0, success: true, toolsUsed: ['Glob'] })
    const { sessionId = '' } = lines[0] ?? {}
    const stored = readFileSync(join(cwd, '.locus', 'exec-history', `${sessionId}.jsonl`), 'utf8')
    expect(stored).toContain('create a plan')
  })

  it('fails with the code of the failure', async () => {
    const lines = protocolLines((await exec(['--provider', 'hal', '--json-stream', 'hi'])).stdout)
    expect(lines.map(({ type }) => type)).toEqual(['start', 'error', 'done'])
    expect(lines[1]?.payload.error).toMatchObject({ code: 'UNKNOWN_PROVIDER' })
    const failed = await exec(['--provider', 'hal', '--no-stream', 'hi'])
    expect(failed).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("'hal'") })
  })

  it('falls back to the engine of before with LOCUS_EXEC_NATIVE=0, and keeps its history all the same', async () => {
    const env = { LOCUS_EXEC_NATIVE: '0' }
    const agent = 'answers-in-plain-text'
    const one = await exec(['hi'], { env, agent })
    expect(one).toMatchObject({ exitCode: 0, stderr: 'thinking\nsummary: ; no tokens\n' })
    expect(one.stdout).not.toBe('')
    const talk = await exec(['-i'], { env, agent, input: 'hi\nhistory\n' })
    expect(talk.stdout).toContain('user: hi\nassistant: ')
    const lines = protocolLines((await exec(['--json-stream', 'hi'], { env, agent })).stdout)
    expect(lines.map(({ type }) => type)).toEqual(['start', 'text_delta', 'done'])
  })
})
