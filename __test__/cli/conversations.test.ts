import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { type CliOptions, protocolLines, runCli, startCli } from '../support/cli.js'
import { temporaryFolder } from '../support/folder.js'
import { openLifeline } from '../support/lifeline.js'
import { FIRST, json, project, SECOND, THIRD } from '../support/project.js'
import { fileWith } from '../support/watch.js'

const ECHO = 'answers-with-the-prompt'

/** Runs `locus exec --json-stream` in a project. */
async function exec(args: string[], cwd: string, options: CliOptions = {}) {
  const run = await runCli(['exec', '--json-stream', ...args], { agent: ECHO, cwd, ...options })
  const lines = protocolLines(run.stdout)
  const statuses = lines.filter(({ type }) => type === 'status').map(({ payload }) => payload)
  const error = lines.find(({ type }) => type === 'error')?.payload.error
  return { ...run, lines, sessionId: lines[0]?.sessionId ?? '', statuses, error }
}

const fileOf = (cwd: string, id: string) => join(cwd, '.locus', 'exec-history', `${id}.jsonl`)

/** The prompts and answers of a stored conversation. */
async function said(id: string, cwd: string): Promise<string[]> {
  const { messages } = await json(['show', id], cwd)
  return messages.map(({ role, content }: { role: string; content: string }) => `${role}: ${content}`)
}

/** A project with a conversation of one turn. */
async function begun(prompt = 'one'): Promise<{ cwd: string; id: string }> {
  const cwd = temporaryFolder()
  const { sessionId } = await exec([prompt], cwd)
  return { cwd, id: sessionId }
}

describe('a run of the command line', () => {
  it('is a session with the id that it prints, and says how to continue it', async () => {
    const { cwd, id } = await begun()
    expect(readdirSync(join(cwd, '.locus', 'exec-history'))).toContain(`${id}.jsonl`)
    expect(await said(id, cwd)).toEqual(['user: one', 'assistant: one'])
    const { stderr } = await runCli(['exec', 'two'], { agent: ECHO, cwd })
    expect(stderr).toMatch(/locus exec -s [0-9a-f]{8} "…"/)
  })

  it('continues the last one', async () => {
    const { cwd, id } = await begun()
    const { exitCode, sessionId, statuses } = await exec(['--continue', 'two'], cwd)
    expect({ exitCode, sessionId }).toEqual({ exitCode: 0, sessionId: id })
    expect(statuses).toContainEqual({ status: 'resumed', message: '{"via":"agent"}' })
    expect(await said(id, cwd)).toEqual(['user: one', 'assistant: one', 'user: two', 'assistant: two'])
  })

  it('continues the one that it is told to, by a beginning of its id', async () => {
    const { cwd, id } = await begun()
    await exec(['another one'], cwd)
    const { exitCode, sessionId } = await exec(['--session', id.slice(0, 8), 'two'], cwd)
    expect({ exitCode, sessionId }).toEqual({ exitCode: 0, sessionId: id })
    expect(await said(id, cwd)).toHaveLength(4)
  })

  it('refuses what may mean several, and lists them', async () => {
    const { exitCode, error } = await exec(['--session', 'a8f3', 'hi'], project())
    expect(exitCode).not.toBe(0)
    expect(error).toMatchObject({ code: 'SESSION_AMBIGUOUS' })
    expect(error.message).toContain(FIRST)
    expect(error.message).toContain(SECOND)
  })

  it.each([
    [['--session', 'c0ffee'], 'SESSION_NOT_FOUND'],
    [['--session', '../config'], 'INVALID_INPUT'],
    [['--session', THIRD, '--continue'], 'INVALID_INPUT'],
  ])('refuses %j with %s, and the agent is not started', async (args, code) => {
    const { exitCode, error, lines } = await exec([...args, 'hi'], project())
    expect(exitCode).not.toBe(0)
    expect(error).toMatchObject({ code })
    expect(lines.map(({ type }) => type)).toEqual(['start', 'error', 'done'])
  })

  it('refuses to continue where nothing has been said yet', async () => {
    expect((await exec(['--continue', 'hi'], temporaryFolder())).error).toMatchObject({
      code: 'SESSION_NOT_FOUND',
    })
  })

  it('leaves nothing with --no-save, also of a conversation that it continues', async () => {
    const { cwd, id } = await begun()
    const { exitCode } = await exec(['--continue', '--no-save', 'two'], cwd)
    expect(exitCode).toBe(0)
    expect(await said(id, cwd)).toEqual(['user: one', 'assistant: one'])
    const empty = temporaryFolder()
    const { stderr } = await runCli(['exec', '--no-save', 'hi'], { agent: ECHO, cwd: empty })
    expect(stderr).not.toContain('locus exec -s')
    expect(existsSync(join(empty, '.locus'))).toBe(false)
  })

  it('keeps the history within the limits of the settings', async () => {
    const { cwd, id } = await begun()
    await exec(['two'], cwd)
    writeFileSync(join(cwd, '.locus', 'settings.json'), '{ "history": { "keep": 1 } }')
    const { sessionId } = await exec(['three'], cwd)
    const { sessions } = await json(['list'], cwd)
    expect(sessions.map((session: { id: string }) => session.id)).toEqual([sessionId])
    expect(existsSync(fileOf(cwd, id))).toBe(false)
  })

  it('is told where the agent does not know the conversation', async () => {
    const { cwd } = await begun('the colour is teal')
    const { stdout, stderr, exitCode } = await runCli(['exec', '--continue', 'which?'], {
      ...{ agent: 'knows-no-conversation', cwd },
    })
    expect(exitCode).toBe(0)
    expect(stderr).toContain('the agent does not know this conversation')
    expect(stdout).toContain('the colour is teal')
  })
})

describe('a command line that is killed in the middle of an answer', () => {
  it('leaves the prompt and the text so far, marked as interrupted, and can be continued', async () => {
    const { cwd, id } = await begun()
    const lifeline = await openLifeline()
    const { child, finished } = startCli(['exec', '--continue', 'two'], {
      ...{ agent: 'waits-for-interrupt', cwd, env: lifeline.env },
    })
    const pid = await lifeline.pid
    await fileWith(fileOf(cwd, id), (content) => content.includes('for two'))
    child.kill('SIGKILL')
    expect(await finished).toMatchObject({ signal: 'SIGKILL' })
    await lifeline.closed

    const { messages, summary } = await json(['show', id], cwd)
    expect(messages.slice(2)).toMatchObject([
      { role: 'user', content: 'two' },
      { role: 'assistant', content: `waiting in ${pid} for two`, metadata: { interrupted: true } },
    ])
    expect(summary).toMatchObject({ interrupted: true, open: false })

    const { exitCode, sessionId } = await exec(['--continue', 'three'], cwd)
    expect({ exitCode, sessionId }).toEqual({ exitCode: 0, sessionId: id })
    expect((await said(id, cwd)).slice(4)).toEqual(['user: three', 'assistant: three'])
  })
})

describe('two command lines in one session', () => {
  it('lose nothing of each other', async () => {
    const { cwd, id } = await begun()
    const slow = startCli(['exec', '--session', id, 'slow'], { agent: 'waits-for-interrupt', cwd })
    await fileWith(fileOf(cwd, id), (content) => content.includes('for slow'))
    const prompts = ['a', 'b', 'c']
    const runs = await Promise.all(prompts.map((prompt) => exec(['--session', id, prompt], cwd)))
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0])
    slow.child.kill('SIGINT')
    expect(await slow.finished).toMatchObject({ exitCode: 130 })
    const { records, problems } = await json(['show', id], cwd)
    expect(problems).toEqual([])
    const of = (wanted: string) => records.filter(({ type }: { type: string }) => type === wanted)
    expect(
      of('prompt')
        .map(({ content }: { content: string }) => content)
        .sort(),
    ).toEqual(['one', 'slow', ...prompts].sort())
    const finished = of('turn').map(({ runId }: { runId: string }) => runId)
    expect(finished.sort()).toEqual(
      of('prompt')
        .map(({ runId }: { runId: string }) => runId)
        .sort(),
    )
  })
})

describe.skipIf(process.platform !== 'linux')('where the disk is full', () => {
  /** No file of the process grows beyond 8 KB; what is to be written then fails as on a full disk. */
  const wrapper = ['/bin/sh', '-c', 'trap "" XFSZ; ulimit -f 16; exec "$@"', 'sh']

  it('a prompt that cannot be saved is refused, and the agent never hears of it', async () => {
    const cwd = temporaryFolder()
    const notes = join(cwd, 'notes')
    const { exitCode, error } = await exec(['-'], cwd, {
      ...{ agent: 'notes-its-prompts', wrapper, env: { FAKE_NOTES: notes } },
      input: 'a long prompt '.repeat(3000),
    })
    expect(error).toMatchObject({ code: 'HISTORY' })
    expect(exitCode).not.toBe(0)
    expect(existsSync(notes)).toBe(false)
  })

  it('an answer that cannot be saved is given all the same, and it is said that it was not', async () => {
    const cwd = temporaryFolder()
    const { exitCode, statuses, sessionId } = await exec(['-'], cwd, {
      ...{ agent: 'says-a-long-line', wrapper },
      input: 'a long prompt '.repeat(400),
    })
    expect(exitCode).toBe(0)
    const told = statuses.filter(({ status }) => status === 'not_saved')
    expect(told).toHaveLength(1)
    expect(told[0]?.message).toContain(`${sessionId}.jsonl`)
    expect((await said(sessionId, cwd))[0]).toMatch(/^user: a long prompt /)
    expect((await json(['show', sessionId], cwd)).summary).toMatchObject({ interrupted: true })
  })
})
