import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'

import {
  ErrorHandler,
  ExecSession,
  execError,
  fallbackAgents,
  HistoryStore,
  readUsage,
  type SessionOptions,
} from '../ts/index.js'
import { entryOf } from './support/agents-file.js'
import { protocolLines, runCli } from './support/cli.js'
import { temporaryFolder } from './support/folder.js'
import { rejectionOf } from './support/session.js'
import { startInTerminal } from './support/terminal.js'

let config: string
let notes: string

beforeEach(() => {
  config = temporaryFolder()
  notes = join(temporaryFolder(), 'notes')
  vi.stubEnv('XDG_CONFIG_HOME', config)
  vi.stubEnv('FAKE_NOTES', notes)
  onTestFinished(() => void vi.unstubAllEnvs())
  mkdirSync(join(config, 'locus'))
  const agents = [
    entryOf('limited', 'is-limited'),
    entryOf('busy', 'is-limited-after-a-change'),
    entryOf('second', 'notes-its-prompts'),
    '[agents.absent]\ndialect = "claude"\nprograms = ["locus-no-such-agent"]\n',
  ]
  writeFileSync(join(config, 'locus', 'agents.toml'), agents.join('\n'))
})

const told = () => readFileSync(notes, 'utf8')

async function open(options: SessionOptions): Promise<ExecSession> {
  const session = await ExecSession.create({ projectPath: temporaryFolder(), retry: false, ...options })
  onTestFinished(() => session.end())
  return session
}

describe('a session with a fallback', () => {
  it('gives the prompt to the next agent where one is limited', async () => {
    const projectPath = temporaryFolder()
    const session = await open({ projectPath, provider: 'limited', fallback: ['second'] })
    await expect(session.execute('do it')).resolves.toMatchObject({ success: true })
    expect(session.provider).toBe('second')
    expect(told()).toBe('do it\n')
    await session.end()
    const { records } = await new HistoryStore({ projectPath }).read(session.id)
    const prompts = records.flatMap((record) => (record.type === 'prompt' ? [record.provider] : []))
    expect(prompts).toEqual(['limited', 'second'])
    const { entries } = await readUsage({ projectPath })
    expect(entries.map(({ provider, success }) => [provider, success])).toEqual([
      ['limited', false],
      ['second', true],
    ])
  })

  it('passes over agents that are missing, not known or not allowed, each once', async () => {
    const session = await open({ provider: 'absent', fallback: ['absent', 'hal', 'limited', 'second'] })
    await session.execute('do it')
    expect(session.provider).toBe('second')
  })

  it('tells the next agent what was said before, and the request once', async () => {
    const session = await open({ provider: 'second', fallback: ['second'] })
    await session.execute('remember: 42')
    await session.use({ provider: 'limited' })
    writeFileSync(notes, '')
    await session.execute('which number?')
    expect(told()).toContain('remember: 42')
    expect(told().match(/which number\?/g)).toHaveLength(1)
  })

  it('fails as the last agent did when nobody is left', async () => {
    const session = await open({ provider: 'absent', fallback: ['limited'] })
    expect(await rejectionOf(session.execute('do it'))).toMatchObject({ code: 'RATE_LIMIT' })
  })

  it('does not go on elsewhere with work that changed something, unless it is asked to', async () => {
    const careful = await open({ provider: 'busy', fallback: ['second'], allowAll: true })
    expect(await rejectionOf(careful.execute('do it'))).toMatchObject({ code: 'RATE_LIMIT', changed: true })
    const asked = await open({
      ...{ provider: 'busy', fallback: ['second'], fallbackAfterChanges: true, allowAll: true },
    })
    await asked.execute('do it')
    expect(told()).toContain('look at what is already there')
    expect(told()).toContain('do it')
  })

  it('has a list of names', async () => {
    const session = await open({ provider: 'limited', fallback: 'second' as unknown as string[] })
    expect(await rejectionOf(session.execute('do it'))).toMatchObject({ code: 'INVALID_INPUT' })
  })
})

describe('--fallback', () => {
  const env = () => ({ XDG_CONFIG_HOME: config, FAKE_NOTES: notes })
  const args = ['exec', '--provider', 'limited', '--retries', '0', '--fallback', 'absent,second']

  it('says in the terminal who goes on, and ends with 0', async () => {
    const run = await runCli([...args, 'do it'], { agent: 'prints-garbage', env: env() })
    expect(run.stderr).toMatch(/✗ .*RATE_LIMIT/)
    expect(run.stderr).toContain('↻ going on with absent')
    expect(run.stderr).toContain('↻ going on with second')
    expect([run.exitCode, run.stdout]).toEqual([0, 'do it\n'])
  })

  it('says it in the JSON stream', async () => {
    const run = await runCli([...args, '--json-stream', 'do it'], { agent: 'prints-garbage', env: env() })
    const statuses = protocolLines(run.stdout).filter(({ payload }) => payload.status === 'fallback')
    expect(statuses.map(({ payload }) => payload.message)).toEqual(['absent', 'second'])
    expect(protocolLines(run.stdout).at(-1)?.payload).toMatchObject({ exitCode: 0, success: true })
  })

  it('is refused with a name that is not known', async () => {
    const run = await runCli(['exec', '--fallback', 'hal', 'hi'], { agent: 'answers-with-the-prompt' })
    expect(run.exitCode).toBe(3)
    expect(run.stderr).toContain("--fallback names the unknown provider 'hal'; known providers: acp, claude,")
  })

  it('can be a setting, which a flag overrides', async () => {
    const cwd = temporaryFolder()
    mkdirSync(join(cwd, '.locus'))
    const settings = (content: object) =>
      writeFileSync(join(cwd, '.locus', 'settings.json'), JSON.stringify(content))
    const exec = (...flags: string[]) =>
      runCli([...args.slice(0, 5), ...flags, 'do it'], { agent: 'prints-garbage', env: env(), cwd })
    settings({ fallback: ['absent', 'second'] })
    const { stderr, exitCode } = await exec()
    expect([exitCode, stderr.match(/going on with \w+/g)]).toEqual([
      ...[0, ['going on with absent', 'going on with second']],
    ])
    expect((await exec('--no-fallback')).exitCode).toBe(23)
    expect((await exec('--fallback', 'absent')).exitCode).toBe(5)
    settings({ fallback: ['hal'] })
    const refused = await exec()
    expect(refused.exitCode).toBe(3)
    expect(refused.stderr).toMatch(
      /the setting 'fallback' in '.*\/settings\.json' names the unknown provider 'hal'; known/,
    )
  })

  it('goes on in the interactive mode', async () => {
    const run = startInTerminal(['exec', '-i', ...args.slice(1)], 'prints-garbage', env())
    await run.shown('Locus Exec Interactive Mode')
    run.type('do it\r')
    await run.shown('↻ going on with second')
    await run.shown('second fake-1')
    run.type('/provider limited\r')
    await run.shown('from the next prompt on: limited')
    run.type('exit\r')
    expect((await run.finished).exitCode).toBe(0)
  })
})

describe('who takes over', () => {
  const agents = ['a', 'b']
  const list = (code: Parameters<typeof execError>[0], details = {}, afterChanges = false) =>
    fallbackAgents(execError(code, '', details), { agents, afterChanges }, new Set(['a']))

  it.each(['RATE_LIMIT', 'OVERLOADED', 'AUTH', 'CLI_NOT_FOUND', 'SPAWN_FAILED'] as const)(
    'somebody who was not tried, after %s',
    (code) => {
      expect(list(code)).toEqual(['b'])
      expect(list(code, { changed: true })).toEqual([])
      expect(list(code, { needsConsent: true })).toEqual([])
      expect(list(code, { changed: true }, true)).toEqual(['b'])
    },
  )

  it.each([
    'CANCELLED',
    'API_ERROR',
    'CONTEXT_LIMIT',
    'BUDGET_EXCEEDED',
    'PROCESS_CRASHED',
    'INVALID_INPUT',
  ] as const)('nobody after %s', (code) => expect(list(code)).toEqual([]))

  it('is decided before somebody is asked, and somebody is asked when nobody is left', async () => {
    const used: (string | undefined)[] = []
    const session = {
      provider: 'a',
      save: async () => {},
      use: async ({ provider }: SessionOptions) => void used.push(provider),
    }
    const handler = new ErrorHandler({ fallback: { agents }, choose: () => ({ action: 'retry' }) })
    const limited = execError('RATE_LIMIT', 'limited')
    expect(await handler.handle(limited, session, 'p')).toEqual({
      action: 'switch',
      provider: 'b',
      prompt: 'p',
    })
    expect(await handler.handle(limited, session, 'p')).toEqual({ action: 'retry', prompt: 'p' })
    expect(used).toEqual(['b'])
  })
})
