import { readdirSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { temporaryFolder } from '../../support/folder.js'
import { isRunning, openLifeline } from '../../support/lifeline.js'
import { CTRL_C, CTRL_D, endAfterTest, type ReplSetup, send, startRepl } from '../../support/repl.js'
import type { TerminalRun } from '../../support/terminal.js'

const ESC = '\u001b['

/** Starts a turn that does not end by itself. */
async function startedTurn(agent: string, setup: ReplSetup = {}) {
  const lifeline = await openLifeline()
  const cwd = temporaryFolder()
  const terminal = await startRepl(agent, { cwd, ...setup, env: { ...lifeline.env, ...setup.env } })
  send(terminal, 'begin')
  const pid = await lifeline.pid
  endAfterTest(pid)
  return { terminal, pid, lifeline, cwd }
}

const savedIn = (folder: string) =>
  readdirSync(join(folder, '.locus', 'exec-history')).filter((name) => name.endsWith('.jsonl')).length

/** Everything that was switched on was switched off again. */
function expectRestored({ bytes }: TerminalRun): void {
  for (const [on, off] of [
    ['?2004h', '?2004l'],
    ['?25l', '?25h'],
    ['?7l', '?7h'],
    ['?2026h', '?2026l'],
  ]) {
    expect(bytes).toContain(ESC + on)
    expect(bytes.lastIndexOf(ESC + off)).toBeGreaterThan(bytes.lastIndexOf(ESC + on))
  }
}

describe('Ctrl+C', () => {
  it('interrupts the turn; the agent, the conversation and the prompt stay', async () => {
    const { terminal, pid } = await startedTurn('waits-for-interrupt')
    await terminal.shown(`waiting in ${pid} for begin`)
    terminal.type(CTRL_C)
    await terminal.shown('⏹ interrupted')
    send(terminal, 'go on')
    await terminal.shown(`waiting in ${pid} for go on`)
    terminal.type(CTRL_C)
    terminal.type(CTRL_D)
    const run = await terminal.finished
    expect(run.exitCode).toBe(0)
    expect(isRunning(pid)).toBe(false)
    expectRestored(run)
  })

  it('gives back what was queued, to be edited', async () => {
    const { terminal } = await startedTurn('waits-for-interrupt')
    await terminal.shown('for begin')
    send(terminal, 'next')
    await terminal.shown('then: next')
    terminal.type(CTRL_C)
    await terminal.shown('⏹ interrupted')
    await terminal.shown('❯ next\nclaude')
    terminal.type(CTRL_C)
    await terminal.shown('❯\nclaude')
    terminal.type(CTRL_D)
    expect((await terminal.finished).exitCode).toBe(0)
  })

  it('a second one does not wait for an agent that heeds nothing', async () => {
    const { terminal } = await startedTurn('ignores-interrupts')
    await terminal.shown('never')
    terminal.type(CTRL_C)
    await terminal.shown('Ctrl+C again leaves at once')
    terminal.type(CTRL_C)
    const run = await terminal.finished
    expect(run.exitCode).toBe(130)
    expectRestored(run)
  })

  it('with nothing typed asks for a second one, and any other key calls it off', async () => {
    const terminal = await startRepl('answers-with-the-prompt')
    terminal.type(CTRL_C)
    await terminal.shown('Press Ctrl+C again to leave')
    terminal.type('x')
    await terminal.shown('❯ x\nclaude')
    terminal.type(CTRL_C)
    await terminal.shown('❯\nclaude')
    terminal.type(CTRL_C)
    await terminal.shown('Press Ctrl+C again to leave')
    terminal.type(CTRL_C)
    const run = await terminal.finished
    expect(run.exitCode).toBe(0)
    expectRestored(run)
  })
})

describe.each([
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s', (signal, exitCode) => {
  it('in a turn saves and leaves, when the agent is gone', async () => {
    const { terminal, pid, lifeline, cwd } = await startedTurn('waits-for-interrupt', {
      flags: ['--save-on-exit', 'ask'],
    })
    await terminal.shown('for begin')
    terminal.kill(signal)
    const run = await terminal.finished
    expect(run.exitCode).toBe(exitCode)
    await lifeline.closed
    expect(isRunning(pid)).toBe(false)
    expect(savedIn(cwd)).toBe(1)
    expectRestored(run)
  })

  it('at the prompt leaves', async () => {
    const terminal = await startRepl('answers-with-the-prompt')
    terminal.kill(signal)
    const run = await terminal.finished
    expect(run.exitCode).toBe(exitCode)
    expectRestored(run)
  })
})

it.each([[[]], [['--simple']]])(
  'a terminal that is closed in a turn ends both, and the turn is saved (%j)',
  async (flags) => {
    const { terminal, lifeline, cwd } = await startedTurn('waits-for-interrupt', { flags })
    await terminal.shown('for begin')
    terminal.close()
    await lifeline.closed
    // By SIGHUP, and not by an abort of Node that cannot restore it.
    expect((await terminal.finished).signal).toBe(1)
    expect(savedIn(cwd)).toBe(1)
  },
)

it('SIGINT from elsewhere is as Ctrl+C', async () => {
  const { terminal } = await startedTurn('waits-for-interrupt')
  await terminal.shown('for begin')
  terminal.kill('SIGINT')
  await terminal.shown('⏹ interrupted')
  terminal.type(CTRL_D)
  expect((await terminal.finished).exitCode).toBe(0)
})

it('an agent that heeds nothing is not waited for longer than 5 seconds', async () => {
  const { terminal } = await startedTurn('ignores-interrupts')
  await terminal.shown('never')
  const asked = performance.now()
  terminal.kill('SIGTERM')
  const run = await terminal.finished
  expect(run.exitCode).toBe(143)
  expect(performance.now() - asked).toBeLessThan(8000)
  expectRestored(run)
})

it('an agent dies with a program that is killed', async () => {
  const { terminal, lifeline } = await startedTurn('waits-for-interrupt')
  await terminal.shown('for begin')
  terminal.kill('SIGKILL')
  await terminal.finished
  await lifeline.closed
})

describe('--save-on-exit', () => {
  it.each([
    ['y', 1, 'Conversation saved'],
    ['n', 0, 'The conversation was deleted.'],
    [CTRL_C, 1, 'Conversation saved'],
  ])('ask: %j', async (key, saved, words) => {
    const cwd = temporaryFolder()
    const terminal = await startRepl('answers-with-the-prompt', { cwd, flags: ['--save-on-exit', 'ask'] })
    send(terminal, 'hello')
    await terminal.shown('out\n')
    terminal.type(CTRL_D)
    await terminal.shown('Keep this conversation? [Y/n]')
    terminal.type(key)
    const { exitCode, screen } = await terminal.finished
    expect(exitCode).toBe(0)
    expect(screen).toContain(words)
    expect(savedIn(cwd)).toBe(saved)
  })

  it('never: nothing is written', async () => {
    const cwd = temporaryFolder()
    const terminal = await startRepl('answers-with-the-prompt', { cwd, flags: ['--save-on-exit', 'never'] })
    send(terminal, 'hello')
    await terminal.shown('out\n')
    terminal.type(CTRL_D)
    await terminal.finished
    expect(readdirSync(cwd).filter((name) => name === '.locus')).toEqual([])
  })
})
