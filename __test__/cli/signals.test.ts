import { once } from 'node:events'

import { describe, expect, it, onTestFinished } from 'vitest'

import { protocolLines, runCli, type StartedCli, startCli } from '../support/cli.js'
import { isRunning, openLifeline } from '../support/lifeline.js'

/** Starts a run, and resolves when the agent has said its first words. */
async function startedRun(flags: string[], agent: string) {
  const lifeline = await openLifeline()
  const cli = startCli(['exec', ...flags, 'hi'], { agent, env: lifeline.env })
  const words = flags.includes('--json-stream') ? '"text_delta"' : ''
  await outputOf(cli, words)
  const pid = await lifeline.pid
  onTestFinished(() => {
    if (isRunning(pid)) {
      process.kill(pid, 'SIGKILL')
    }
  })
  return { cli, pid, lifeline }
}

/** Resolves when stdout has had this text. */
async function outputOf({ child }: StartedCli, text: string): Promise<void> {
  let seen = ''
  while (seen === '' || !seen.includes(text)) {
    const [data] = await once(child.stdout, 'data')
    seen += data
  }
}

describe.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s', (signal, exitCode) => {
  it(`cancels the turn and exits with ${exitCode}, when the agent is gone`, async () => {
    const { cli, pid, lifeline } = await startedRun([], 'waits-for-interrupt')
    cli.child.kill(signal)
    const result = await cli.finished
    expect(isRunning(pid)).toBe(false)
    await lifeline.closed
    expect(result).toMatchObject({ exitCode, signal: null })
    expect(result.stdout).toBe(`waiting in ${pid} for hi\n`)
    expect(result.stderr).toMatch(/^✗ CANCELLED the turn was cancelled$/m)
  })

  it('ends the JSON stream with an error and a done that has the exit code', async () => {
    const { cli, pid } = await startedRun(['--json-stream'], 'waits-for-interrupt')
    cli.child.kill(signal)
    const result = await cli.finished
    expect(isRunning(pid)).toBe(false)
    const lines = protocolLines(result.stdout)
    expect(lines.slice(-2)).toMatchObject([
      { type: 'error', payload: { error: { code: 'CANCELLED', details: { code: 'CANCELLED' } } } },
      { type: 'done', payload: { exitCode, success: false } },
    ])
    expect(result).toMatchObject({ exitCode, stderr: '' })
  })
})

it('a second Ctrl+C does not wait for an agent that heeds nothing', async () => {
  const { cli, pid } = await startedRun([], 'ignores-interrupts')
  cli.child.kill('SIGINT')
  // The agent says that it was interrupted: the first signal has been dealt with.
  await outputOf(cli, 'an interrupt came')
  cli.child.kill('SIGINT')
  expect(await cli.finished).toMatchObject({ exitCode: 130, signal: null })
  // The guard will kill it, after the grace that it has.
  expect(isRunning(pid)).toBe(true)
})

it('a second Ctrl+C ends the JSON stream with done all the same', async () => {
  const { cli } = await startedRun(['--json-stream'], 'ignores-interrupts')
  cli.child.kill('SIGINT')
  await outputOf(cli, 'an interrupt came')
  cli.child.kill('SIGINT')
  const { stdout } = await cli.finished
  expect(protocolLines(stdout).slice(-2)).toMatchObject([
    { type: 'error', payload: { error: { code: 'CANCELLED' } } },
    { type: 'done', payload: { exitCode: 130, success: false } },
  ])
})

describe('a reader that goes away', () => {
  it.each([[[]], [['--json-stream']]])('ends the run quietly, and the agent with it (%j)', async (flags) => {
    const { cli, lifeline } = await startedRun(flags, 'streams-until-interrupted')
    cli.child.stdout.destroy()
    expect(await cli.finished).toMatchObject({ exitCode: 0, signal: null, stderr: '' })
    await lifeline.closed
  })

  it('after one line is what `head -1` is', async () => {
    const { child, finished } = startCli(['exec', '--json-stream', 'hi'], {
      agent: 'streams-deltas',
      env: { FAKE_LINES: '100000' },
      wrapper: ['/bin/sh', '-c', '"$@" | head -1', 'sh'],
    })
    const { exitCode, stdout, stderr } = await finished
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(protocolLines(stdout).map(({ type }) => type)).toEqual(['start'])
    expect(child.exitCode).toBe(0)
  })
})

it('a run that ends by itself leaves no agent behind', async () => {
  const lifeline = await openLifeline()
  const run = runCli(['exec', 'hi'], { agent: 'answers-with-its-pid', env: lifeline.env })
  const pid = await lifeline.pid
  expect((await run).stdout).toBe(`${pid}\n`)
  expect(isRunning(pid)).toBe(false)
})
