import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'

import { describe, expect, it } from 'vitest'

import pkg from '../../package.json'
import { CLI, type CliOptions, protocolLines, runCli } from '../support/cli.js'
import { fakeAgent } from '../support/fakes.js'
import { temporaryFolder } from '../support/folder.js'

const ESCAPE = '\u001b'

/** How the agent was started, by the answer of the one that tells it. */
async function startOf(args: string[], options: CliOptions = {}): Promise<{ args: string[]; cwd: string }> {
  const { stdout } = await runCli(['exec', ...args], { agent: 'answers-with-how-it-was-started', ...options })
  return JSON.parse(stdout)
}

function projectWith(settings: object): string {
  const project = temporaryFolder()
  mkdirSync(join(project, '.locus'))
  writeFileSync(join(project, '.locus', 'settings.json'), JSON.stringify(settings))
  return project
}

describe('locus exec', () => {
  it('prints the answer to stdout and all else to stderr', async () => {
    const { exitCode, stdout, stderr } = await runCli(['exec', '--yes', 'look'], { agent: 'says-everything' })
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'I will look. \nThat is all.\n' })
    expect(stderr).toMatch(/✓ 📖 Reading file a\.txt \(\d+ms\)\n {2}│ 3 lines\n/)
    expect(stderr).toMatch(/ {2}✗ 🔍 Searching code x \(\d+ms\)\n {4}│ no such folder\n/)
    expect(stderr).toContain("↻ the model's API answered 529; retrying in 500ms (1/10)")
    expect(stderr).toContain('Tools used: Read, Task, Grep')
    expect(stderr).toContain('Cost:       $0.25')
    expect(stderr).toContain('Model:      fake-1')
  })

  it('prints the answer at its end with --no-stream', async () => {
    const { stdout, stderr } = await runCli(['exec', '--no-stream', '--yes', 'look'], {
      agent: 'says-everything',
    })
    expect(stdout).toBe('I will look. That is all.\n')
    expect(stderr).toContain('Execution Summary')
  })

  it('prints one JSON object a line with --json-stream, from start to done, and nothing on stderr', async () => {
    const { exitCode, stdout, stderr } = await runCli(['exec', '--json-stream', '--yes', 'look'], {
      agent: 'says-everything',
    })
    const lines = protocolLines(stdout)
    expect(lines.map(({ type }) => type)).toEqual([
      ...['start', 'status', 'status', 'status', 'status', 'status', 'thinking', 'text_delta'],
      ...['tool_started', 'tool_completed', 'tool_started', 'thinking', 'tool_started', 'tool_completed'],
      ...['tool_completed', 'status', 'text_delta', 'status', 'done'],
    ])
    expect(lines[0]?.payload).toMatchObject({ command: 'exec', provider: 'claude' })
    expect(lines.at(-1)?.payload).toEqual({
      ...{ exitCode: 0, success: true, duration: expect.any(Number) },
      ...{ toolsUsed: ['Read', 'Task', 'Grep'], tokensUsed: 36, costUsd: 0.25 },
    })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  })

  it.each([[[]], [['--no-stream']]])(
    'prints an answer that comes only with the result, with %j',
    async (flags) => {
      const { stdout } = await runCli(['exec', ...flags, '/cost'], { agent: 'answers-only-in-its-result' })
      expect(stdout).toBe('Total cost: $0.00\n')
    },
  )

  it('tells an answer that comes only with the result in the JSON stream too', async () => {
    const { stdout } = await runCli(['exec', '--json-stream', '/cost'], {
      agent: 'answers-only-in-its-result',
    })
    const texts = protocolLines(stdout).filter(({ type }) => type === 'text_delta')
    expect(texts.map(({ payload }) => payload)).toEqual([{ content: 'Total cost: $0.00' }])
  })

  it('denies what nobody allowed, and tells how to allow it', async () => {
    const { stdout, stderr } = await runCli(['exec', 'clean up'], { agent: 'asks-permission' })
    expect(JSON.parse(stdout)).toMatchObject({ behavior: 'deny' })
    expect(stderr).toContain(
      '⚠ Bash was denied: nobody could be asked. Allow it with --allow Bash, or everything with --yes\n',
    )
  })

  it.each([[['--yes']], [['--allow', 'Bash']]])('allows with %j', async (flags) => {
    const { stdout, stderr } = await runCli(['exec', ...flags, 'clean up'], { agent: 'asks-permission' })
    expect(JSON.parse(stdout)).toMatchObject({ behavior: 'allow' })
    expect(stderr).not.toContain('⚠')
  })

  it('denies with --deny what --yes would allow', async () => {
    const { stdout } = await runCli(['exec', '--yes', '--deny', 'Bash', 'clean up'], {
      agent: 'asks-permission',
    })
    expect(JSON.parse(stdout)).toMatchObject({ behavior: 'deny', message: expect.stringContaining('denied') })
  })

  it('passes its flags on to the agent', async () => {
    const flags = [
      '--allow',
      'Read',
      '--allow',
      'Bash(git *)',
      '--deny',
      'WebFetch',
      '--permission-mode',
      'plan',
    ]
    const { args } = await startOf([...flags, 'hi'])
    expect(args).toEqual(
      expect.arrayContaining([
        ...['--allowedTools=Read', '--allowedTools=Bash(git *)', '--disallowedTools=WebFetch'],
        '--permission-mode=plan',
      ]),
    )
  })

  it('runs the agent in --dir, else in the current folder', async () => {
    const [here, there] = [temporaryFolder(), temporaryFolder()]
    expect((await startOf(['hi'], { cwd: here })).cwd).toBe(here)
    expect((await startOf(['--dir', there, 'hi'], { cwd: here })).cwd).toBe(there)
    mkdirSync(join(here, 'sub'))
    expect((await startOf(['-d', 'sub', 'hi'], { cwd: here })).cwd).toBe(join(here, 'sub'))
  })

  it('runs the --executable that it is told', async () => {
    const { stdout } = await runCli(['exec', '--executable', fakeAgent('answers-with-the-prompt'), 'hi'], {
      agent: 'exits-non-zero',
    })
    expect(stdout).toBe('hi\n')
  })
})

describe('the prompt', () => {
  const echo = (args: string[], input?: string) =>
    runCli(['exec', ...args], { agent: 'answers-with-the-prompt', input }).then(({ stdout }) => stdout)

  it('is the words of the command line', async () => {
    expect(await echo(['explain', 'this project'], 'not this')).toBe('explain this project\n')
  })

  it('is read from stdin for -, and without words', async () => {
    expect(await echo(['-'], 'from stdin: é 日本 𝒳\n')).toBe('from stdin: é 日本 𝒳\n')
    expect(await echo([], 'from stdin')).toBe('from stdin\n')
  })

  it('may begin with a dash behind --', async () => {
    expect(await echo(['--', '--help'])).toBe('--help\n')
  })

  it('may be longer than any argument', async () => {
    const prompt = 'word '.repeat(200_000)
    expect((await echo(['-'], prompt)).length).toBe(prompt.length + 1)
  })
})

describe('the provider and the model', () => {
  const env = { LOCUS_PROVIDER: 'demo', LOCUS_MODEL: 'from-env' }

  /** What the start line says with these sources; the prompt is empty so that nothing is run. */
  async function chosen(flags: string[], options: CliOptions) {
    const { stdout } = await runCli(['exec', '--json-stream', ...flags, ''], options)
    const { provider, model } = protocolLines(stdout)[0]?.payload ?? {}
    return { provider, model }
  }

  it('are those of the flags before those of the environment', async () => {
    const flags = ['--provider', 'claude', '--model', 'from-flag']
    expect(await chosen(flags, { env })).toEqual({ provider: 'claude', model: 'from-flag' })
  })

  it('are those of the environment before those of the settings', async () => {
    const cwd = projectWith({ provider: 'hal', model: 'from-settings' })
    expect(await chosen([], { env, cwd })).toEqual({ provider: 'demo', model: 'from-env' })
  })

  it('are those of the settings before the default', async () => {
    const cwd = projectWith({ provider: 'demo', model: 'from-settings' })
    expect(await chosen([], { cwd })).toEqual({ provider: 'demo', model: 'from-settings' })
    expect(await chosen(['--dir', cwd], {})).toEqual({ provider: 'demo', model: 'from-settings' })
  })

  it('are claude and its own choice by default', async () => {
    expect(await chosen([], {})).toEqual({ provider: 'claude', model: undefined })
  })

  it('reach the agent', async () => {
    expect((await startOf(['hi'])).args.filter((arg) => arg.startsWith('--model'))).toEqual([])
    const cwd = projectWith({ model: 'from-settings' })
    expect((await startOf(['hi'], { cwd })).args).toContain('--model=from-settings')
    expect((await startOf(['hi'], { cwd, env: { LOCUS_MODEL: 'from-env' } })).args).toContain(
      '--model=from-env',
    )
    expect((await startOf(['-m', 'from-flag', 'hi'], { cwd })).args).toContain('--model=from-flag')
  })
})

describe('without colour and animation', () => {
  it.each([
    ['in pipes', [], {}],
    ['with --simple', ['--simple'], {}],
    ['with NO_COLOR', [], { NO_COLOR: '1' }],
    ['with TERM=dumb', [], { TERM: 'dumb' }],
    ['in CI', [], { CI: '1' }],
    // What chalk and ora would take for a wish.
    ['in pipes, although FORCE_COLOR is set', [], { FORCE_COLOR: '3', TERM: 'xterm-256color' }],
  ])('%s there is no ESC byte', async (_, flags, env) => {
    const { stdout, stderr } = await runCli(['exec', '--yes', ...flags, 'look'], {
      agent: 'says-everything',
      env,
    })
    expect(stderr).toContain('Execution Summary')
    expect(stdout + stderr).not.toContain(ESCAPE)
  })
})

describe('help and version', () => {
  it.each([['--version'], ['-V'], ['exec --version']])(
    '%s prints the version of the package',
    async (words) => {
      const { exitCode, stdout, stderr } = await runCli(words.split(' '))
      expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: `${pkg.version}\n`, stderr: '' })
    },
  )

  it('--help names the commands, and exec --help every flag, with examples', async () => {
    const root = await runCli(['--help'])
    expect(root).toMatchObject({
      exitCode: 0,
      stderr: '',
      stdout: expect.stringContaining('exec [options] [prompt...]'),
    })
    const { exitCode, stdout, stderr } = await runCli(['exec', '--help'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    for (const flag of [
      '--provider',
      '--model',
      '--dir',
      '--no-stream',
      '--json-stream',
      '--yes',
      '--allow',
      '--verbose',
    ]) {
      expect(stdout).toContain(`${flag} `)
    }
    expect(stdout).toContain('$ locus exec "explain this project"')
    expect(stdout).toContain('LOCUS_PROVIDER')
  })

  it('without a command the help goes to stderr', async () => {
    const { exitCode, stdout, stderr } = await runCli([])
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toMatch(/^Usage: locus /)
    expect(stderr).not.toContain('✗')
  })

  it('a command that is not known is told, with the nearest that is', async () => {
    const { exitCode, stderr } = await runCli(['exce', 'hi'])
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(
      /^✗ INVALID_INPUT unknown command 'exce'; do you mean exec\? See locus exec --help\n$/,
    )
  })

  it('neither loads the addon: they work where there is none, and a prompt does not', async () => {
    const dist = join(temporaryFolder(), 'dist')
    cpSync(dirname(CLI), dist, { recursive: true })
    const lonely = join(dist, basename(CLI))
    const run = promisify(execFile)
    expect((await run(process.execPath, [lonely, '--version'])).stdout).toBe(`${pkg.version}\n`)
    expect((await run(process.execPath, [lonely, 'exec', '--help'])).stdout).toContain('Usage: locus exec')
    const failureWith = (env: NodeJS.ProcessEnv) =>
      run(process.execPath, [lonely, 'exec', 'hi'], { env }).catch((failure: unknown) => failure)
    expect(await failureWith({ LOCUS_RUNNER_PATH: '/bin/true' })).toMatchObject({
      ...{ code: 8, stdout: '' },
      stderr: expect.stringMatching(
        /^✗ BROKEN_INSTALLATION the native addon of @locus\/exec-native cannot be loaded on \w+ \w+.* with Node v[\d.]+: the package '@locus/,
      ),
    })
    expect(await failureWith({})).toMatchObject({
      ...{ code: 8, stdout: '' },
      stderr: expect.stringMatching(
        /^✗ BROKEN_INSTALLATION 'locus-runner' of @locus\/exec-native cannot be loaded on .*: the package '@locus\/exec-native-\S+' is not installed/,
      ),
    })
  })
})
