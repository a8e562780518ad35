import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

import { describe, expect, it, onTestFinished, vi } from 'vitest'

import {
  ExecEventType,
  ExecSession,
  InvalidInputError,
  type SessionOptions,
  type TurnOptions,
} from '../ts/index.js'
import { runnerPath } from '../ts/native.js'
import { fakeAgent } from './support/fakes.js'
import { temporaryFolder } from './support/folder.js'
import { png, pngFile } from './support/image.js'
import { chunksOf, openSession, rejectionOf, textOf } from './support/session.js'

interface Start {
  args: string[]
  env: Record<string, string>
  cwd: string
}

/** How an agent is started with these options. */
async function startWith(options: SessionOptions): Promise<Start> {
  const session = await openSession('answers-with-how-it-was-started', options)
  return JSON.parse((await session.execute('how?')).content)
}

describe('the options of the agent', () => {
  it('become its arguments', async () => {
    const { args } = await startWith({
      model: 'opus',
      permissionMode: 'acceptEdits',
      systemPrompt: 'Be brief.\n--not-a-flag',
      allowedTools: ['Read', 'Bash(git *)'],
      deniedTools: ['WebFetch'],
      extraArgs: ['--bare', '', 'é 日本 "x"'],
    })
    expect(args).toEqual(
      expect.arrayContaining([
        '--model=opus',
        '--permission-mode=acceptEdits',
        '--append-system-prompt=Be brief.\n--not-a-flag',
      ]),
    )
    expect(args).toEqual(
      expect.arrayContaining([
        '--allowedTools=Read',
        '--allowedTools=Bash(git *)',
        '--disallowedTools=WebFetch',
      ]),
    )
    expect(args.slice(-3)).toEqual(['--bare', '', 'é 日本 "x"'])
  })

  it('leave out what is not set', async () => {
    const { args } = await startWith({})
    expect(args.filter((arg) => /model|mode=|system|Tools|resume/.test(arg))).toEqual([])
  })

  it('set and remove variables of its environment', async () => {
    vi.stubEnv('LOCUS_TEST_INHERITED', 'inherited')
    vi.stubEnv('LOCUS_TEST_REMOVED', 'removed')
    vi.stubEnv('CLAUDECODE', '1')
    onTestFinished(() => void vi.unstubAllEnvs())
    const { env } = await startWith({
      env: { LOCUS_TEST_ADDED: 'a=b é', LOCUS_TEST_EMPTY: '', LOCUS_TEST_REMOVED: null },
    })
    expect(env).toMatchObject({
      LOCUS_TEST_INHERITED: 'inherited',
      LOCUS_TEST_ADDED: 'a=b é',
      LOCUS_TEST_EMPTY: '',
    })
    expect(env).not.toHaveProperty('LOCUS_TEST_REMOVED')
    expect(env).not.toHaveProperty('CLAUDECODE')
  })

  it('put a wrapper in front of it', async () => {
    const { env } = await startWith({ wrapper: ['env', 'LOCUS_TEST_WRAPPED=yes'] })
    expect(env.LOCUS_TEST_WRAPPED).toBe('yes')
  })

  it('find it by its name on the PATH that it is given', async () => {
    const executable = fakeAgent('answers-with-its-pid')
    const env = { PATH: `${dirname(executable)}:${process.env.PATH}` }
    const session = await ExecSession.create({ executable: basename(executable), env, save: false })
    expect(Number((await session.execute('hi')).content)).toBeGreaterThan(0)
    await session.end()
  })

  it('resolve a relative folder of the project', async () => {
    const { cwd } = await startWith({ projectPath: '__test__/../__test__', save: false })
    expect(cwd).toBe(join(process.cwd(), '__test__'))
  })
})

describe('options that cannot be used', () => {
  const UNUSABLE: [string, unknown, string][] = [
    ['provider', '', 'a non-empty string'],
    ['provider', 5, 'a non-empty string'],
    ['projectPath', '', 'a non-empty string'],
    ['projectPath', 'a\0b', 'a non-empty string'],
    ['model', null, 'a non-empty string'],
    ['executable', ['claude'], 'a non-empty string'],
    ['permissionMode', {}, 'a non-empty string'],
    ['systemPrompt', false, 'a non-empty string'],
    ['wrapper', 'sandbox', 'an array of strings'],
    ['extraArgs', [1], 'an array of strings'],
    ['allowedTools', 'Read', 'an array of strings'],
    ['deniedTools', [null], 'an array of strings'],
    ['env', { A: 5 }, 'an object of strings and nulls'],
    ['env', ['A=5'], 'an object of strings and nulls'],
    ['allowAll', 'yes', 'a boolean'],
    ['flushMs', -1, 'a whole number from 0 to 16'],
    ['flushMs', 17, 'a whole number from 0 to 16'],
    ['flushMs', 1.5, 'a whole number from 0 to 16'],
    ['flushMs', '5', 'a whole number from 0 to 16'],
    ['flushMs', Number.NaN, 'a whole number from 0 to 16'],
    ['maxLineBytes', -5, 'a whole number from 0 to 4294967295'],
  ]

  it.each(UNUSABLE)('%s: %j is refused with what is wanted: %s', async (name, value, wanted) => {
    const failure = await rejectionOf(ExecSession.create({ [name]: value }))
    expect(failure).toBeInstanceOf(InvalidInputError)
    expect((failure as Error).message).toContain(
      `option '${name}' must be ${wanted}, not ${JSON.stringify(value)}`,
    )
  })

  const TIMEOUTS = ['startMs', 'idleMs', 'totalMs', 'settleMs', 'graceMs', 'lingerMs']

  it.each(TIMEOUTS)('timeouts.%s is refused below 0 and above 32 bits', async (name) => {
    for (const value of [-1, 2 ** 32, 0.5, Number.POSITIVE_INFINITY, '5']) {
      const failure = await rejectionOf(ExecSession.create({ timeouts: { [name]: value } }))
      expect(failure).toMatchObject({
        code: 'INVALID_INPUT',
        message: expect.stringContaining(`'timeouts.${name}'`),
      })
    }
    await (await ExecSession.create({ timeouts: { [name]: 2 ** 32 - 1 } })).end()
  })

  it.each(['startMs', 'idleMs', 'totalMs'])(
    'timeouts.%s of a turn is refused in the same way',
    async (name) => {
      const session = await openSession('answers-with-its-pid')
      await expect(session.execute('hi', { timeouts: { [name]: -1 } })).rejects.toMatchObject({
        ...{ code: 'INVALID_INPUT', message: expect.stringContaining(`'timeouts.${name}'`) },
      })
      expect((await session.execute('hi')).success).toBe(true)
    },
  )

  it('are named even where they cannot be written as JSON', async () => {
    const failure = await rejectionOf(ExecSession.create({ model: 1n as never }))
    expect(failure).toMatchObject({
      code: 'INVALID_INPUT',
      message: "option 'model' must be a non-empty string, not 1",
    })
  })
})

describe('the runner', () => {
  it('can be named by LOCUS_RUNNER_PATH', async () => {
    const folder = temporaryFolder()
    const [runner, log] = [join(folder, 'runner'), join(folder, 'log')]
    writeFileSync(runner, `#!/bin/sh\necho called >> '${log}'\nexec '${runnerPath()}' "$@"\n`)
    chmodSync(runner, 0o755)
    vi.stubEnv('LOCUS_RUNNER_PATH', runner)
    onTestFinished(() => void vi.unstubAllEnvs())
    const session = await ExecSession.create({
      provider: 'demo',
      projectPath: folder,
      extraArgs: ['--pace=0'],
    })
    expect((await session.execute('hi')).content).toContain('You asked: *hi*')
    await session.end()
    expect(readFileSync(log, 'utf8')).toContain('called')
  })

  it.each(['missing', 'not executable'])('is to blame where it is %s', async (how) => {
    const runner = join(temporaryFolder(), 'locus-runner')
    if (how === 'not executable') {
      writeFileSync(runner, '')
    }
    vi.stubEnv('LOCUS_RUNNER_PATH', runner)
    onTestFinished(() => void vi.unstubAllEnvs())
    const guarded = process.platform === 'linux' ? [{ executable: fakeAgent('answers-with-its-pid') }] : []
    for (const options of [{ provider: 'demo' }, ...guarded]) {
      const session = await ExecSession.create({ ...options, save: false })
      await expect(session.execute('hi')).rejects.toMatchObject({
        code: 'BROKEN_INSTALLATION',
        message: expect.stringContaining(`cannot run '${runner}', a part of this package: `),
        remedy: expect.stringContaining('npm install --include=optional'),
      })
    }
  })
})

describe('the longest line that is understood', () => {
  it('is `maxLineBytes`: a longer one is skipped, and the turn goes on', async () => {
    const session = await openSession('says-a-long-line', { maxLineBytes: 2000 })
    const chunks = await chunksOf(session.executeStreaming('hi'))
    const unparsed = chunks.find(({ type }) => type === 'unparsed')
    expect(unparsed).toMatchObject({
      reason: expect.stringMatching(/^a line of \d+ bytes is above the limit$/),
    })
    expect(textOf(chunks)).toBe('before after')
  })
})

it('the settings of a project are not read by the library: they are for the command line', async () => {
  const projectPath = temporaryFolder()
  mkdirSync(join(projectPath, '.locus'))
  writeFileSync(join(projectPath, '.locus', 'settings.json'), '{"model":"from-settings"}')
  const { args } = await startWith({ projectPath })
  expect(args.join()).not.toContain('from-settings')
})

describe('images', () => {
  const wrong = "option 'images' must be an array of paths and of `{ data, mediaType }`"

  it.each([
    ['text', wrong],
    [[7], wrong],
    [[''], wrong],
    [[{ data: 7, mediaType: 'image/png' }], wrong],
    [[{ data: new Uint8Array(3) }], wrong],
    [[null], wrong],
    [['none.png'], "there is no image 'none.png'"],
    [[{ data: png(), mediaType: 'image/gif' }], "the image 'image/gif' is image/png and not 'image/gif'"],
    [
      [{ data: 'bm90IGFuIGltYWdl', mediaType: 'image/png', name: 'it' }],
      "the image 'it' is no PNG, JPEG, GIF or WebP",
    ],
  ])('%j are refused, and the session goes on', async (images, message) => {
    const session = await openSession('says-what-its-prompt-consists-of')
    const turn = session.execute('look', { images } as TurnOptions)
    const error = await rejectionOf(turn)
    expect(error).toBeInstanceOf(InvalidInputError)
    expect(error).toMatchObject({ message })
    expect((await session.execute('go on')).content).toBe('text: go on')
    expect(session.getHistory().map(({ content }) => content)).toEqual(['go on', 'text: go on'])
  })

  it('come from files of the project, views of bytes and base64', async () => {
    const projectPath = temporaryFolder()
    pngFile(projectPath, 'shot.png')
    const session = await openSession('says-what-its-prompt-consists-of', { projectPath })
    const bytes = Buffer.concat([Buffer.of(1, 2, 3), png()])
    const told: unknown[] = []
    session.on(ExecEventType.PROMPT_SUBMITTED, ({ data }) => told.push(data.images))
    const { content } = await session.execute('look', {
      images: [
        'shot.png',
        { data: bytes.subarray(3), mediaType: 'image/png', name: 'view' },
        { data: png().toString('base64'), mediaType: 'image/png' },
      ],
    })
    expect(content).toBe(`${'image: image/png\n\n'.repeat(3)}text: look`)
    const info = (name: string) => ({ name, mediaType: 'image/png', bytes: png().length })
    expect(told).toEqual([[info('shot.png'), info('view'), info('image/png')]])
    expect(session.getHistory()[0]?.metadata).toEqual({ images: told[0] })
  })
})
