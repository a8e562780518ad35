import { execFileSync } from 'node:child_process'
import { createReadStream, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { fakeAgent } from '../../support/fakes.js'
import { temporaryFolder } from '../../support/folder.js'
import { isRunning, openLifeline } from '../../support/lifeline.js'
import {
  CTRL_C,
  CTRL_D,
  CTRL_Z,
  ENTER,
  endAfterTest,
  type ReplSetup,
  send,
  startRepl,
} from '../../support/repl.js'
import type { TerminalRun } from '../../support/terminal.js'

const ESC = '\u001b['
const PATIENTLY = { timeout: 20_000 }

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

/** The records of this type in the only conversation of a project. */
function recordsIn(folder: string, type: string): unknown[] {
  const history = join(folder, '.locus', 'exec-history')
  const [name = ''] = readdirSync(history).filter((name) => name.endsWith('.jsonl'))
  const lines = readFileSync(join(history, name), 'utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line)).filter((record) => record.type === type)
}

const savedIn = (folder: string) =>
  readdirSync(join(folder, '.locus', 'exec-history')).filter((name) => name.endsWith('.jsonl')).length

/** Everything that was switched on was switched off again. */
function expectRestored({ bytes }: Pick<TerminalRun, 'bytes'>): void {
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
    const { terminal, pid, lifeline, cwd } = await startedTurn('waits-for-interrupt')
    await terminal.shown(`waiting in ${pid} for begin`)
    terminal.type(CTRL_C)
    await terminal.shown('⏹ interrupted')
    send(terminal, 'go on')
    await terminal.shown(`waiting in ${pid} for go on`)
    terminal.type(CTRL_C)
    terminal.type(CTRL_D)
    const run = await terminal.finished
    expect(run.exitCode).toBe(0)
    await lifeline.closed
    expect(isRunning(pid)).toBe(false)
    expect(recordsIn(cwd, 'turn')).toMatchObject([{ errorCode: 'CANCELLED' }, { errorCode: 'CANCELLED' }])
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
    const { terminal, lifeline, cwd } = await startedTurn('ignores-interrupts')
    await terminal.shown('never')
    terminal.type(CTRL_C)
    await terminal.shown('Ctrl+C again leaves at once')
    terminal.type(CTRL_C)
    const run = await terminal.finished
    expect(run.exitCode).toBe(130)
    await lifeline.closed
    expect(recordsIn(cwd, 'prompt')).toMatchObject([{ content: 'begin' }])
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

  it('at the prompt leaves, and the agent that waits there goes with it', async () => {
    const { terminal, lifeline, cwd } = await startedTurn('answers-with-the-prompt')
    await terminal.shown('out\n\n❯')
    terminal.kill(signal)
    const run = await terminal.finished
    expect(run.exitCode).toBe(exitCode)
    await lifeline.closed
    expect(recordsIn(cwd, 'turn')).toMatchObject([{ success: true }])
    expectRestored(run)
  })

  it('before anything was said leaves nothing behind', async () => {
    const cwd = temporaryFolder()
    const terminal = await startRepl('answers-with-the-prompt', { cwd })
    terminal.kill(signal)
    const run = await terminal.finished
    expect(run.exitCode).toBe(exitCode)
    expect(readdirSync(cwd)).toEqual([])
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
  const { terminal, lifeline, cwd } = await startedTurn('ignores-interrupts')
  await terminal.shown('never')
  const asked = performance.now()
  terminal.kill('SIGTERM')
  const run = await terminal.finished
  expect(run.exitCode).toBe(143)
  expect(performance.now() - asked).toBeLessThan(8000)
  await lifeline.closed
  expect(recordsIn(cwd, 'prompt')).toMatchObject([{ content: 'begin' }])
  expectRestored(run)
})

it('an agent dies with a program that is killed', async () => {
  const { terminal, lifeline, cwd } = await startedTurn('waits-for-interrupt')
  await terminal.shown('for begin')
  terminal.kill('SIGKILL')
  await terminal.finished
  await lifeline.closed
  expect(recordsIn(cwd, 'prompt')).toMatchObject([{ content: 'begin' }])
})

/** Pids that a hostile tree tells of, by their names, and the end of all but `D`, which nobody hears of. */
function treeThrough(fifo: string) {
  execFileSync('mkfifo', [fifo])
  const pids = new Map<string, number>()
  const told = createReadStream(fifo, 'utf8')
  const planted = new Promise<void>((resolve) => {
    let text = ''
    told.on('data', (data) => {
      text += data
      for (const [, name = '', pid] of text.matchAll(/^(\w+) (\d+)\n/gm)) {
        pids.set(name, Number(pid))
      }
      if (pids.size === 5) {
        resolve()
      }
    })
  })
  const felled = new Promise<void>((resolve) => told.on('end', resolve))
  return { pids, planted, felled }
}

describe('of a tree of processes that heed nothing nothing is left, and what was asked is saved', () => {
  it.each([
    ['Ctrl+C twice', 130],
    ['Ctrl+D, then Ctrl+C', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['a closed window', undefined],
    ['SIGKILL', undefined],
  ])('%s', async (how, exitCode) => {
    const cwd = temporaryFolder()
    const TREE = join(temporaryFolder(), 'tree')
    const tree = treeThrough(TREE)
    const flags = ['--executable', fakeAgent('hostile-tree')]
    const terminal = await startRepl('answers-with-the-prompt', { cwd, flags, env: { TREE } })
    send(terminal, 'begin')
    await terminal.shown('the tree is planted')
    await tree.planted
    tree.pids.forEach(endAfterTest)
    switch (how) {
      case 'Ctrl+C twice':
        terminal.type(CTRL_C)
        await terminal.shown('Ctrl+C again leaves at once')
        terminal.type(CTRL_C)
        break
      case 'Ctrl+D, then Ctrl+C':
        terminal.type(CTRL_D)
        await terminal.shown('Leaving when this is done; Ctrl+C interrupts it')
        terminal.type(CTRL_C)
        await terminal.shown('Ctrl+C again leaves at once')
        terminal.type(CTRL_C)
        break
      case 'a closed window':
        terminal.close()
        break
      default:
        terminal.kill(how as NodeJS.Signals)
    }
    const run = await terminal.finished
    await tree.felled
    await expect.poll(() => [...tree.pids.values()].filter(isRunning), PATIENTLY).toEqual([])
    expect(recordsIn(cwd, 'prompt')).toMatchObject([{ content: 'begin' }])
    if (exitCode !== undefined) {
      expect(run.exitCode).toBe(exitCode)
      expectRestored(run)
    }
  })
})

describe('Ctrl+Z', () => {
  it('gives the terminal back to the shell; `fg` brings all back, also in a turn', async () => {
    const lifeline = await openLifeline()
    const terminal = await startRepl('waits-for-interrupt', { shell: true, env: lifeline.env })
    terminal.type('half a prompt')
    await terminal.shown('❯ half a prompt')
    terminal.type(CTRL_Z)
    // What is typed before the shell has the terminal again is thrown away. The command may need more than a row.
    const stops = () => terminal.screen().match(/Stopped[^$]*\nshell\$/g)
    await expect.poll(stops, PATIENTLY).toHaveLength(1)
    expectRestored({ bytes: terminal.bytes() })
    send(terminal, 'echo the shell hears')
    await terminal.shown('\nthe shell hears\n')
    send(terminal, 'fg')
    await terminal.shown('❯ half a prompt\nclaude')
    terminal.type(`, and more${ENTER}`)
    const pid = await lifeline.pid
    endAfterTest(pid)
    await terminal.shown(`waiting in ${pid} for half a prompt, and more`)
    terminal.type(CTRL_Z)
    await expect.poll(stops, PATIENTLY).toHaveLength(2)
    expectRestored({ bytes: terminal.bytes() })
    expect(isRunning(pid)).toBe(true)
    send(terminal, 'fg')
    await expect.poll(() => terminal.screen(), PATIENTLY).toMatch(/(Stopped.*){2}fg\n.*exec -i\n.*Answering/s)
    terminal.type(CTRL_C)
    await terminal.shown('⏹ interrupted')
    terminal.type(CTRL_D)
    await terminal.shown('Conversation saved')
    await lifeline.closed
    send(terminal, 'exit')
    expectRestored(await terminal.finished)
  })
})

describe('--save-on-exit', () => {
  it.each([
    ['y', 1, 'Conversation saved'],
    ['n', 0, 'The conversation was deleted.'],
    [CTRL_C, 1, 'Conversation saved'],
  ])('ask: %j', async (key, saved, words) => {
    const flags = ['--save-on-exit', 'ask']
    const { terminal, lifeline, cwd } = await startedTurn('answers-with-the-prompt', { flags })
    await terminal.shown('out\n')
    terminal.type(CTRL_D)
    await terminal.shown('Keep this conversation? [Y/n]')
    terminal.type(key)
    const run = await terminal.finished
    expect(run.exitCode).toBe(0)
    expect(run.screen).toContain(words)
    await lifeline.closed
    expect(savedIn(cwd)).toBe(saved)
    expectRestored(run)
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
