import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { EXIT_CODES } from '../../ts/cli/exit-codes.js'
import { type ErrorCode, errorInfo } from '../../ts/index.js'
import { CLI, type CliOptions, type CliRun, protocolLines, runCli, unhideableClaude } from '../support/cli.js'
import { temporaryFolder } from '../support/folder.js'

interface Case {
  code: ErrorCode
  message: RegExp
  args: string[]
  options?: CliOptions
  /** Why it cannot be tried here. */
  skip?: string | false | undefined
}

/** A folder whose content this makes. */
function folderWith(make: (folder: string) => void): string {
  const folder = temporaryFolder()
  make(folder)
  return folder
}

/** A folder that is not to be entered, not even by root: the command line then runs as nobody. */
function forbiddenFolder(): string {
  return folderWith((folder) => chmodSync(folder, 0o000))
}

/** Makes a process of root one of nobody's. */
const asNobody =
  process.getuid?.() === 0 ? ['/usr/bin/setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : []

/** Why nobody cannot run the command line: this project may be in a folder of root's. */
function whyNotAsNobody(): string | undefined {
  const [command = process.execPath, ...args] = [...asNobody, process.execPath, CLI, '--version']
  const { status, error, stderr } = spawnSync(command, args, { cwd: '/', encoding: 'utf8' })
  return status === 0 ? undefined : `nobody cannot run the command line: ${error ?? stderr}`
}

const settings = (content: string) =>
  folderWith((folder) => {
    mkdirSync(join(folder, '.locus'))
    writeFileSync(join(folder, '.locus', 'settings.json'), content)
  })

/** Each is made anew for every mode: its folders belong to the test. */
const cases: [string, () => Case][] = [
  [
    'a missing agent',
    () => ({
      code: 'CLI_NOT_FOUND',
      message:
        /^'claude' was not found on PATH; install Claude Code with `npm install -g @anthropic-ai\/claude-code`/,
      args: ['hi'],
      // A real claude in a folder that is always searched would be found.
      skip: unhideableClaude && `there is a real agent at ${unhideableClaude}`,
    }),
  ],
  [
    'a missing executable',
    () => ({
      code: 'CLI_NOT_FOUND',
      message: /^'\/no\/such\/agent' was not found; /,
      args: ['--executable', '/no/such/agent', 'hi'],
    }),
  ],
  [
    'a missing --dir',
    () => ({
      code: 'INVALID_DIRECTORY',
      message: /^working directory '\/no\/such\/folder' does not exist$/,
      args: ['--dir', '/no/such/folder', 'hi'],
      options: { agent: 'answers-with-the-prompt' },
    }),
  ],
  [
    'a --dir that is a file',
    () => ({
      code: 'INVALID_DIRECTORY',
      message: /^working directory '.*\/file' is not a directory$/,
      args: [
        '--dir',
        join(
          folderWith((folder) => writeFileSync(join(folder, 'file'), '')),
          'file',
        ),
        'hi',
      ],
      options: { agent: 'answers-with-the-prompt' },
    }),
  ],
  [
    'a forbidden --dir',
    () => ({
      code: 'INVALID_DIRECTORY',
      message: /^working directory '.*' cannot be entered: /,
      args: ['--dir', forbiddenFolder(), 'hi'],
      options: { wrapper: asNobody, cwd: '/' },
      skip: whyNotAsNobody(),
    }),
  ],
  [
    'an empty --dir',
    () => ({
      code: 'INVALID_DIRECTORY',
      message: /^--dir is empty/,
      args: ['--dir', '', 'hi'],
      options: { agent: 'answers-with-the-prompt' },
    }),
  ],
  [
    'an empty prompt',
    () => ({
      code: 'INVALID_INPUT',
      message: /^the prompt is empty; say what the agent is to do$/,
      args: [''],
      options: { agent: 'answers-with-the-prompt' },
    }),
  ],
  [
    'an empty prompt on stdin',
    () => ({
      code: 'INVALID_INPUT',
      message: /^the prompt on stdin is empty; say what the agent is to do$/,
      args: ['-'],
      options: { agent: 'answers-with-the-prompt', input: ' \n' },
    }),
  ],
  [
    'an unknown flag',
    () => ({
      code: 'INVALID_INPUT',
      message: /^unknown option '--frobnicate'; see locus exec --help$/,
      args: ['--frobnicate', 'hi'],
    }),
  ],
  [
    'a flag without its value',
    () => ({
      code: 'INVALID_INPUT',
      message: /^option '-m, --model <name>' argument missing; see locus exec --help$/,
      args: ['hi', '--model'],
    }),
  ],
  [
    'an unknown provider',
    () => ({
      code: 'UNKNOWN_PROVIDER',
      message: /^unknown provider 'hal'; known providers: acp, claude, codex, .*, qwen$/,
      args: ['--provider', 'hal', 'hi'],
    }),
  ],
  [
    'an empty model',
    () => ({
      code: 'INVALID_INPUT',
      message: /^option 'model' must be a non-empty string, not ""$/,
      args: ['--model', '', 'hi'],
    }),
  ],
  [
    'settings that are not JSON',
    () => ({
      code: 'INVALID_INPUT',
      message: /^the settings in '.*\/\.locus\/settings\.json' are not JSON: /,
      args: ['--dir', settings('{"model": opus}'), 'hi'],
      options: { agent: 'answers-with-the-prompt' },
    }),
  ],
  [
    'a setting of the wrong type',
    () => ({
      code: 'INVALID_INPUT',
      message: /^the setting 'provider' in '.*\/settings\.json' must be a non-empty string$/,
      args: ['--dir', settings('{"provider": 5}'), 'hi'],
      options: { agent: 'answers-with-the-prompt' },
    }),
  ],
  [
    'an agent that exits before it is ready',
    () => ({
      code: 'EXITED_BEFORE_INIT',
      message: /^claude ended before it was ready \(exit code 3\)$/,
      args: ['hi'],
      options: { agent: 'exits-before-init' },
    }),
  ],
  [
    'an agent that exits with an error',
    () => ({
      code: 'PROCESS_CRASHED',
      message: /^claude ended in the middle of the turn \(exit code 7\)$/,
      args: ['hi', '--retries', '0'],
      options: { agent: 'exits-non-zero' },
    }),
  ],
  [
    'an agent that exits without a result',
    () => ({
      code: 'NO_RESULT',
      message: /^claude ended without a result \(exit code 0\)$/,
      args: ['hi', '--retries', '0'],
      options: { agent: 'exits-without-result' },
    }),
  ],
  [
    'an agent that prints garbage',
    () => ({
      code: 'PROTOCOL',
      message: /^claude printed no line that its protocol knows .*Segmentation fault \(core dumped\)$/,
      args: ['hi'],
      options: { agent: 'prints-garbage' },
    }),
  ],
  [
    'an agent that is killed',
    () => ({
      code: 'KILLED_BY_SIGNAL',
      message: /^claude ended in the middle of the turn \(ended by SIGKILL\)$/,
      args: ['hi', '--retries', '0'],
      options: { agent: 'kills-itself' },
    }),
  ],
  [
    'an agent that is not logged in',
    () => ({
      code: 'AUTH',
      message: /^Please run \/login$/,
      args: ['{"api_error_status":401,"result":"Please run /login"}'],
      options: { agent: 'fails-as-told' },
    }),
  ],
]

const run = ({ args, options }: Case, ...flags: string[]) => runCli(['exec', ...flags, ...args], options)

/** One message on stderr, with the code, the words and the exit code of the failure. */
function expectOneMessage({ stderr, exitCode, signal }: CliRun, { code, message }: Case): void {
  const messages = stderr.split('\n').filter((line) => line.startsWith('✗ '))
  expect(messages).toEqual([expect.stringMatching(new RegExp(`^✗ ${code} `))])
  expect(messages[0]?.slice(`✗ ${code} `.length)).toMatch(message)
  expect({ exitCode, signal }).toEqual({ exitCode: EXIT_CODES[code], signal: null })
  expect(stderr).not.toMatch(/^\s+at /m)
}

describe.each(cases)('%s', (_, make) => {
  it('is told in one message on stderr, and stdout has nothing but what was said before', async (test) => {
    const bad = make()
    test.skip(Boolean(bad.skip), String(bad.skip))
    const result = await run(bad)
    expectOneMessage(result, bad)
    expect(['', 'half an ans\n']).toContain(result.stdout)
  })

  it('is told in one message also with --no-stream, and stdout is empty', async (test) => {
    const bad = make()
    test.skip(Boolean(bad.skip), String(bad.skip))
    const result = await run(bad, '--no-stream')
    expectOneMessage(result, bad)
    expect(result.stdout).toBe('')
  })

  it('is told as an error between start and done with --json-stream, and stderr is empty', async (test) => {
    const bad = make()
    test.skip(Boolean(bad.skip), String(bad.skip))
    const { stdout, stderr, exitCode } = await run(bad, '--json-stream')
    const lines = protocolLines(stdout)
    expect(lines[0]?.type).toBe('start')
    expect(lines.slice(-2).map(({ type }) => type)).toEqual(['error', 'done'])
    expect(lines.filter(({ type }) => ['start', 'error', 'done'].includes(type))).toHaveLength(3)
    expect(lines.at(-2)?.payload.error).toMatchObject({
      ...{ message: expect.stringMatching(bad.message), details: { code: bad.code } },
      recoverable: expect.any(Boolean),
    })
    expect(lines.at(-1)?.payload).toMatchObject({ success: false, exitCode: EXIT_CODES[bad.code] })
    expect(new Set(lines.map(({ sessionId }) => sessionId)).size).toBe(1)
    expect(lines[0]?.sessionId).not.toBe('')
    expect({ exitCode, stderr }).toEqual({ exitCode: EXIT_CODES[bad.code], stderr: '' })
  })
})

describe('the last words of an agent', () => {
  it.each(['exits-before-init', 'exits-non-zero'])('that %s are shown below the message', async (agent) => {
    const { stderr } = await runCli(['exec', 'hi'], { agent })
    expect(stderr).toMatch(/^✗ .*\n {2}│ fake: the (configuration is broken|disk is full)$/m)
  })

  it('are in the details with --json-stream', async () => {
    const { stdout } = await runCli(['exec', '--json-stream', '--retries', '0', 'hi'], {
      agent: 'exits-non-zero',
    })
    const error = protocolLines(stdout).find(({ type }) => type === 'error')
    expect(error?.payload.error).toEqual({
      ...{
        code: 'PROCESS_CRASHED',
        message: 'claude ended in the middle of the turn (exit code 7)',
        recoverable: true,
      },
      details: {
        code: 'PROCESS_CRASHED',
        remedy: errorInfo('PROCESS_CRASHED').remedy,
        exitCode: 7,
        stderrTail: 'fake: the disk is full',
      },
    })
  })
})

it('a missing --dir is told once: there is nothing that could not be saved', async () => {
  const { stderr } = await runCli(['exec', '--dir', '/no/such/folder', 'hi'], {
    agent: 'answers-with-the-prompt',
  })
  expect(stderr).toBe("✗ INVALID_DIRECTORY working directory '/no/such/folder' does not exist\n")
})
