import { describe, expect, it } from 'vitest'

import { parseDuration } from '../../ts/cli/duration.js'
import { EXIT_CODES } from '../../ts/cli/exit-codes.js'
import { parseOnError } from '../../ts/cli/recovery.js'
import { HistoryStore } from '../../ts/index.js'
import { protocolLines, runCli } from '../support/cli.js'
import { temporaryFolder } from '../support/folder.js'
import { script } from '../support/script.js'
import { startInTerminal } from '../support/terminal.js'

describe('a turn that fails and is tried again', () => {
  it('says so on stderr, and the answer alone is on stdout', async () => {
    const { env, told } = script({ result: { api_error_status: 529, result: 'the API is overloaded' } })
    const { exitCode, stdout, stderr } = await runCli(['exec', 'do it'], { agent: 'follows-a-script', env })
    expect(stderr).toMatch(/^↻ OVERLOADED the API is overloaded; trying again in [\d.]+m?s \(1\/2\)$/m)
    expect([exitCode, stdout]).toEqual([0, 'It is done.\n'])
    expect(told()).toHaveLength(2)
  })

  it('is tried as often as --retries says', async () => {
    const { env, told } = script({ exit: 7 }, { exit: 7 })
    const run = await runCli(['exec', '--retries', '1', 'do it'], { agent: 'follows-a-script', env })
    expect(run.exitCode).toBe(EXIT_CODES.PROCESS_CRASHED)
    expect(run.stderr).toContain('✗ PROCESS_CRASHED')
    expect(run.stderr).toContain('  → go on with the conversation')
    expect(told()).toHaveLength(2)
  })

  it('is a status in the JSON stream, and its end has all attempts', async () => {
    const { env } = script({ exit: 7 }, { exit: 7 })
    const args = ['exec', '--json-stream', '--retries', '1', 'do it']
    const { stdout } = await runCli(args, { agent: 'follows-a-script', env })
    const lines = protocolLines(stdout)
    const statuses = lines.filter(({ type, payload }) => type === 'status' && payload.status === 'retrying')
    expect(statuses).toHaveLength(1)
    const [error] = lines.filter(({ type }) => type === 'error')
    expect(error?.payload.error.details.attempts).toMatchObject([{ attempt: 1 }, { attempt: 2 }])
    expect(lines.at(-1)?.payload).toMatchObject({ exitCode: EXIT_CODES.PROCESS_CRASHED, success: false })
  })

  it.each([
    [['--retries', 'many'], /--retries needs a whole number from 0, not 'many'/],
    [['--max-wait', 'long'], /--max-wait must be a duration such as 90s, 10m or 1h30m, not 'long'/],
    [['--on-error', 'panic'], /--on-error needs retry, continue, .* not 'panic'/],
    [['--on-error', 'switch'], /switch:<model>/],
  ])('refuses %j', async (flags, message) => {
    const { exitCode, stderr } = await runCli(['exec', ...flags, 'hi'], { agent: 'answers-with-the-prompt' })
    expect(exitCode).toBe(EXIT_CODES.INVALID_INPUT)
    expect(stderr).toMatch(message)
  })
})

describe('a turn that fails for good', () => {
  it('is followed by what --on-error says, once', async () => {
    const { env, told } = script({ exit: 7 }, { exit: 7 })
    const args = ['exec', '--retries', '0', '--on-error', 'continue', 'do it']
    const { exitCode, stderr } = await runCli(args, { agent: 'follows-a-script', env })
    expect(exitCode).toBe(EXIT_CODES.PROCESS_CRASHED)
    expect(told().map(({ prompt }) => prompt.startsWith('Your work on the last request'))).toEqual([
      false,
      true,
    ])
    expect(stderr).toContain('↻ going on where it stopped')
    expect(stderr.match(/✗ PROCESS_CRASHED/g)).toHaveLength(2)
  })

  it('goes on with another model', async () => {
    const { env, told } = script({ result: { api_error_status: 529 } })
    const args = ['exec', '--retries', '0', '--on-error', 'switch:other-1', 'do it']
    const { exitCode } = await runCli(args, { agent: 'follows-a-script', env })
    expect(exitCode).toBe(0)
    expect(told().map(({ model }) => model)).toEqual([undefined, '--model=other-1'])
  })

  it('is saved', async () => {
    const cwd = temporaryFolder()
    const { env } = script({ text: 'half', exit: 7 })
    await runCli(['exec', '--retries', '0', 'do it'], { agent: 'follows-a-script', env, cwd })
    const { sessions } = await new HistoryStore({ projectPath: cwd }).list()
    const stored = await new HistoryStore({ projectPath: cwd }).read(sessions[0]?.id ?? '')
    expect(stored.messages).toMatchObject([
      { role: 'user', content: 'do it' },
      { role: 'assistant', content: 'half', metadata: { errorCode: 'PROCESS_CRASHED' } },
    ])
  })

  it('is asked about in a terminal', async () => {
    const { env, told } = script({ exit: 7 })
    const args = ['exec', '--retries', '0', 'do it']
    const run = startInTerminal(args, 'follows-a-script', env)
    await run.written('What now?')
    run.type('1\r')
    const { exitCode, screen } = await run.finished
    expect(exitCode).toBe(0)
    expect(screen).toContain('1  try the same again')
    expect(screen).toContain('↻ trying again')
    expect(screen).toContain('It is done.')
    expect(told()).toHaveLength(2)
  })

  it.each([
    ['Enter', '\r'],
    ['Ctrl+C', '\u0003'],
    ['Ctrl+D', '\u0004'],
  ])('is left by %s', async (_, keys) => {
    const { env, told } = script({ exit: 7 })
    const run = startInTerminal(['exec', '--retries', '0', 'do it'], 'follows-a-script', env)
    await run.written('What now?')
    run.type(keys)
    expect((await run.finished).exitCode).toBe(EXIT_CODES.PROCESS_CRASHED)
    expect(told()).toHaveLength(1)
  })
})

it.each([
  ['500ms', 500],
  ['90s', 90_000],
  ['1h30m', 5_400_000],
  ['0.5s', 500],
  ['7d', 604_800_000],
])('a duration %s has %i milliseconds', (text, ms) => {
  expect(parseDuration(text, '--flag')).toBe(ms)
})

it.each(['', '5', 's', '5 s', '-5s', '5s!', 'five'])('%j is no duration', (text) => {
  expect(() => parseDuration(text, '--flag')).toThrow(/--flag must be a duration/)
})

it('what --on-error says is understood', () => {
  expect(parseOnError('retry')).toEqual({ action: 'retry' })
  expect(parseOnError('switch:a:b')).toEqual({ action: 'switch', model: 'a:b' })
})
