import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { runCli } from './support/cli.js'
import { temporaryFolder } from './support/folder.js'
import { script } from './support/script.js'
import { openSession, rejectionOf } from './support/session.js'

const folderOf = (projectPath: string) => join(projectPath, '.locus', 'logs')
const today = () => `${new Date().toISOString().slice(0, 10)}.jsonl`

/** The files in a folder, but for what keeps them out of git. */
const filesIn = (folder: string) =>
  (existsSync(folder) ? readdirSync(folder) : []).filter((name) => name !== '.gitignore').toSorted()

/** The lines of a project's log. */
function logOf(projectPath: string): Record<string, unknown>[] {
  const folder = folderOf(projectPath)
  return filesIn(folder).flatMap((name) =>
    readFileSync(join(folder, name), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  )
}

const messagesOf = (lines: Record<string, unknown>[]) =>
  lines.map(({ level, message }) => `${level} ${message}`)

describe('the log of a session', () => {
  it('has its turns, their attempts, what they used, and nothing that was said', async () => {
    const projectPath = temporaryFolder()
    const { env } = script({ text: 'the secret plan', exit: 7 })
    const session = await openSession('follows-a-script', { projectPath, env, retry: { delayMs: 1 } })
    await session.execute('what is the secret plan')
    await session.end()
    const lines = logOf(projectPath)
    expect(messagesOf(lines)).toEqual([
      'INFO turn started',
      'WARN attempt failed',
      'INFO turn ended',
      'INFO session ended',
    ])
    expect(
      lines.every(({ session: id, timestamp }) => id === session.id && Date.parse(`${timestamp}`) > 0),
    ).toBe(true)
    expect(lines[1]).toMatchObject({ attempt: 1, code: 'PROCESS_CRASHED', how: 'repeat' })
    expect(lines[2]).toMatchObject({
      ...{ attempts: 2, success: true, input: 3, output: 5, model_requests: 1 },
      ...{ run: lines[0]?.run, duration_ms: expect.any(Number) },
    })
    expect(JSON.stringify(lines)).not.toContain('secret plan')
  })

  it('has the code of a failure, and its message without secrets', async () => {
    const projectPath = temporaryFolder()
    const key = ['sk', 'ant', 'a1B2c3D4e5F6g7H8i9J0k1L2'].join('-')
    const { env } = script({
      result: { api_error_status: 401, result: `the key ${key} of hunter-two-2 is refused` },
    })
    const session = await openSession('follows-a-script', {
      projectPath,
      env: { ...env, DEPLOY_TOKEN: 'hunter-two-2' },
    })
    await rejectionOf(session.execute('hi'))
    await session.end()
    expect(logOf(projectPath)[1]).toMatchObject({
      ...{ level: 'WARN', message: 'turn ended', code: 'AUTH', success: false },
      error: 'the key [redacted] of [redacted] is refused',
    })
  })

  it('is the user’s alone', async () => {
    const projectPath = temporaryFolder()
    const session = await openSession('answers-with-the-prompt', { projectPath })
    await session.execute('hi')
    await session.end()
    const folder = folderOf(projectPath)
    expect(filesIn(folder)).toEqual([today()])
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(statSync(join(folder, today())).mode & 0o777).toBe(0o600)
  })

  it('has more or less by its level, from LOCUS_LOG where it is not given', async () => {
    const at = async (log?: 'debug' | 'warn' | 'off') => {
      const projectPath = temporaryFolder()
      const session = await openSession('answers-with-the-prompt', { projectPath, ...(log && { log }) })
      await session.execute('hi')
      await session.end()
      return messagesOf(logOf(projectPath))
    }
    expect(await at('debug')).toContain('DEBUG process started')
    expect(await at('warn')).toEqual([])
    expect(await at('off')).toEqual([])
    vi.stubEnv('LOCUS_LOG', 'debug')
    onTestFinished(() => void vi.unstubAllEnvs())
    expect(await at()).toContain('DEBUG process started')
    expect(await rejectionOf(openSession('answers-with-the-prompt', { log: 'loud' as never }))).toMatchObject(
      {
        code: 'INVALID_INPUT',
        message: expect.stringContaining("no level of logs 'loud'"),
      },
    )
  })

  it('is not there where nothing is to be kept', async () => {
    const projectPath = temporaryFolder()
    const session = await openSession('answers-with-the-prompt', { projectPath, save: false })
    await session.execute('hi')
    await session.end()
    expect(existsSync(join(projectPath, '.locus'))).toBe(false)
  })

  it('never stands in the way: a folder that leads outside is not written to', async () => {
    const [projectPath, outside] = [temporaryFolder(), temporaryFolder()]
    mkdirSync(join(projectPath, '.locus'))
    symlinkSync(outside, folderOf(projectPath))
    const session = await openSession('answers-with-the-prompt', { projectPath })
    await session.execute('hi')
    await session.end()
    expect(readdirSync(outside)).toEqual([])
  })

  it('is kept for a week of days', async () => {
    const projectPath = temporaryFolder()
    const folder = folderOf(projectPath)
    mkdirSync(folder, { recursive: true })
    const old = Array.from({ length: 9 }, (_, day) => `2020-01-0${day + 1}.jsonl`)
    for (const name of [...old, 'notes.txt']) {
      writeFileSync(join(folder, name), '')
    }
    const session = await openSession('answers-with-the-prompt', { projectPath })
    await session.execute('hi')
    await session.end()
    expect(filesIn(folder)).toEqual([...old.slice(2), today(), 'notes.txt'].toSorted())
  })
})

it('--verbose logs more', async () => {
  const cwd = temporaryFolder()
  await runCli(['exec', '--verbose', 'hi'], { agent: 'answers-with-the-prompt', cwd })
  expect(messagesOf(logOf(cwd))).toContain('DEBUG process started')
})
