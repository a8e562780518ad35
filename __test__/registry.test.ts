import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'

import {
  AgentNotAllowedError,
  allowAgents,
  ExecSession,
  listAgents,
  revokeAgents,
  type SessionOptions,
} from '../ts/index.js'
import { entryOf, projectWithAgents, writeAgents } from './support/agents-file.js'
import { fakeAgent } from './support/fakes.js'
import { temporaryFolder } from './support/folder.js'
import { recordEvents, rejectionOf } from './support/session.js'

const TELLS = 'answers-with-how-it-was-started'
let config: string

beforeEach(() => {
  config = temporaryFolder()
  vi.stubEnv('XDG_CONFIG_HOME', config)
  onTestFinished(() => void vi.unstubAllEnvs())
})

/** Puts an `agents.toml` into the user's configuration. */
function userAgents(toml: string): void {
  mkdirSync(join(config, 'locus'), { recursive: true })
  writeFileSync(join(config, 'locus', 'agents.toml'), toml)
}

async function open(options: SessionOptions): Promise<ExecSession> {
  const session = await ExecSession.create({
    projectPath: temporaryFolder(),
    save: false,
    retry: false,
    ...options,
  })
  onTestFinished(() => session.end())
  return session
}

async function startedWith(options: SessionOptions) {
  const session = await open(options)
  return JSON.parse((await session.execute('how?')).content)
}

describe('an agent of the registry', () => {
  it("is run as the user's file says", async () => {
    userAgents(
      entryOf('mine', TELLS, 'args = ["chat"]\nmodel = "big"\nenv = { MINE = "1", NO_COLOR = false }\n'),
    )
    vi.stubEnv('NO_COLOR', '1')
    const { args, env } = await startedWith({ provider: 'mine' })
    expect(args.slice(0, 2)).toEqual(['chat', '--print'])
    expect(args).toContain('--model=big')
    expect(env).toMatchObject({ MINE: '1' })
    expect(env).not.toHaveProperty('NO_COLOR')
  })

  it('gives way to the options', async () => {
    userAgents(entryOf('mine', 'prints-garbage', 'model = "big"\nenv = { MINE = "1" }\n'))
    const { args, env } = await startedWith({
      ...{ provider: 'mine', executable: fakeAgent(TELLS), model: 'small', env: { MINE: null } },
    })
    expect(args).toContain('--model=small')
    expect(env).not.toHaveProperty('MINE')
  })

  it('has its wrapper and its own name everywhere', async () => {
    userAgents(
      `[agents.boxed]\nextends = "claude"\nprograms = ["${fakeAgent(TELLS)}"]\nwrapper = ["env", "BOX=1"]`,
    )
    const session = await open({ provider: 'boxed', model: 'm' })
    const events = recordEvents(session)
    const { env } = JSON.parse((await session.execute('how?')).content)
    expect(env).toMatchObject({ BOX: '1' })
    expect(events[0]).toMatchObject({ type: 'session:started', data: { provider: 'boxed', model: 'm' } })
    await session.use({ provider: 'demo', extraArgs: ['--pace=0'] })
    await expect(session.execute('hello')).resolves.toMatchObject({ success: true })
  })

  it('is named by its errors, with what to do where it is not installed', async () => {
    userAgents(
      '[agents.mine]\ndialect = "claude"\nprograms = ["locus-no-such"]\ninstall = "get it from mine.example"',
    )
    expect(await rejectionOf((await open({ provider: 'mine' })).execute('hi'))).toMatchObject({
      code: 'CLI_NOT_FOUND',
      message:
        "'locus-no-such' was not found on PATH; get it from mine.example, or name its executable with the option `executable`",
    })
    userAgents(entryOf('mine', 'exits-before-init'))
    expect(await rejectionOf((await open({ provider: 'mine' })).execute('hi'))).toMatchObject({
      code: 'EXITED_BEFORE_INIT',
      message: expect.stringMatching(/^mine ended before it was ready/),
    })
  })

  it('is listed with what is known of it, and not with the values of its variables', () => {
    userAgents(entryOf('mine', TELLS, 'env = { SECRET = "hunter2" }\ncapabilities = ["deltas", "telepathy"]'))
    const { agents, projectFile } = listAgents({ projectPath: temporaryFolder() })
    expect(projectFile).toBeUndefined()
    expect(agents.map(({ name, origin }) => [name, origin])).toEqual(
      expect.arrayContaining([
        ['claude', 'built-in'],
        ['codex', 'built-in'],
        ['demo', 'built-in'],
        ['mine', 'user'],
      ]),
    )
    expect(agents.find(({ name }) => name === 'mine')).toMatchObject({
      ...{ dialect: 'claude', env: ['SECRET'], capabilities: ['deltas', 'telepathy'], allowed: true },
    })
    expect(JSON.stringify(agents)).not.toContain('hunter2')
  })
})

describe("a project's file of agents", () => {
  it('is not believed before it is allowed', async () => {
    const projectPath = projectWithAgents(entryOf('claude', TELLS))
    const refused = await rejectionOf(ExecSession.create({ projectPath }))
    expect(refused).toBeInstanceOf(AgentNotAllowedError)
    expect(refused).toMatchObject({
      message: expect.stringContaining(`${projectPath}/.locus/agents.toml' says how 'claude' is run`),
    })
    await open({ projectPath, provider: 'demo' })
    const args = (await startedWith({ projectPath, trustProject: true })).args
    expect(args).toContain('--print')
  })

  it('is allowed as it is, and not as it becomes', async () => {
    const projectPath = projectWithAgents(entryOf('theirs', TELLS))
    const { projectFile } = listAgents({ projectPath })
    expect(projectFile).toMatchObject({ allowed: false, text: expect.stringContaining('[agents.theirs]') })
    if (projectFile) allowAgents(projectFile)
    await open({ projectPath, provider: 'theirs' })
    writeAgents(projectPath, entryOf('theirs', TELLS, 'args = ["--more"]'))
    expect(await rejectionOf(open({ projectPath, provider: 'theirs' }))).toBeInstanceOf(AgentNotAllowedError)
    expect(listAgents({ projectPath }).projectFile).toMatchObject({
      ...{ allowed: false, allowedBefore: projectFile?.text },
    })
    expect(revokeAgents(projectFile?.path ?? '')).toBe(true)
    expect(listAgents({ projectPath }).projectFile).not.toHaveProperty('allowedBefore')
  })

  it('is not believed by a session that goes over to one of its agents either', async () => {
    const projectPath = projectWithAgents(entryOf('theirs', TELLS))
    const session = await open({ projectPath, provider: 'demo' })
    expect(await rejectionOf(session.use({ provider: 'theirs' }))).toBeInstanceOf(AgentNotAllowedError)
    expect(session.provider).toBe('demo')
  })

  it('that cannot be used is told with its place', async () => {
    const projectPath = projectWithAgents('[agents.x]\ndialect = "claude"\nwraper = []\n')
    expect(await rejectionOf(ExecSession.create({ projectPath }))).toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(
        'line 3 cannot be used: `agents.x.wraper`: it is not known (did you mean `wrapper`?)',
      ),
    })
  })
})
