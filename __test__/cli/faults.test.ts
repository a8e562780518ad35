// What is left of an agent when the program that runs it ends, in whatever way: faults 4 and 29 of the catalogue, and 2
// once more through Node. The agent is the hostile tree: nothing but SIGKILL ends it or what it has started.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

import pty from '@lydell/node-pty'
import { describe, it } from 'vitest'

import { CLI } from '../support/cli.js'
import { expectTree, HOSTILE_TREE, living, type Tree, untilGone } from '../support/hostile-tree.js'

const LIBRARY = fileURLToPath(new URL('../../dist/index.cjs', import.meta.url))

/** The deadlines of a cancellation where nobody sets others, and what the machine may need beside them. */
const SETTLE_MS = 2000
const GRACE_MS = 5000
const MARGIN_MS = 1000

/** The tests wait most of the time, all together. */
const TOGETHER = { concurrent: true, timeout: 60_000 }

const describeOnLinux = describe.skipIf(process.platform !== 'linux')

/** Runs a program, and resolves with how it ended. */
function start(command: string, args: string[], { env }: Tree) {
  const child = spawn(command, args, { env })
  child.stdin.on('error', () => {})
  const written = Promise.all([text(child.stdout), text(child.stderr)])
  const finished = once(child, 'close').then(async ([exitCode, signal]) => {
    const [stdout, stderr] = await written
    return { exitCode, signal, stdout, stderr }
  })
  return { child, finished }
}

const startCli = (tree: Tree) =>
  start(process.execPath, [CLI, 'exec', '--no-save', '--executable', HOSTILE_TREE, 'hi'], tree)

/** Resolves when a stream has had this text. */
async function said(child: ChildProcess, wanted: string): Promise<void> {
  let seen = ''
  while (!seen.includes(wanted)) {
    seen += String((await once(child.stdout as NodeJS.ReadableStream, 'data'))[0])
  }
}

/** How long something takes in milliseconds. */
async function time(promise: Promise<unknown>): Promise<number> {
  const since = performance.now()
  await promise
  return performance.now() - since
}

describeOnLinux('fault 4: the command line', TOGETHER, () => {
  it.for([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('ended by %s exits with %i when nobody is left', async ([signal, code], context) => {
    const tree = expectTree(context)
    const { child, finished } = startCli(tree)
    const pids = await tree.planted
    child.kill(signal)
    const since = performance.now()
    const { exitCode, stderr } = await finished
    context.expect({ exitCode, living: living(pids) }).toEqual({ exitCode: code, living: [] })
    context.expect(stderr).toContain('CANCELLED')
    await tree.gone
    context.expect(performance.now() - since).toBeLessThan(SETTLE_MS + GRACE_MS + MARGIN_MS)
  })

  it('ends at once at the second Ctrl+C, and nobody is left', async (context) => {
    const tree = expectTree(context)
    const { child, finished } = startCli(tree)
    await tree.planted
    const heard = said(child, 'asked to stop')
    child.kill('SIGINT')
    await heard
    child.kill('SIGINT')
    const since = performance.now()
    context.expect(await finished).toMatchObject({ exitCode: 130, signal: null })
    context.expect(performance.now() - since).toBeLessThan(MARGIN_MS)
    await tree.gone
    context.expect(performance.now() - since).toBeLessThan(GRACE_MS + MARGIN_MS)
  })

  it('leaves nobody when its terminal is closed', async (context) => {
    const tree = expectTree(context)
    const args = [CLI, 'exec', '--no-save', '--executable', HOSTILE_TREE, 'hi']
    const terminal = pty.spawn(process.execPath, args, { env: { ...tree.env, TERM: 'xterm' } })
    const ended = new Promise<void>((resolve) => terminal.onExit(() => resolve()))
    const pids = await tree.planted
    // The kernel sends SIGHUP when the last who has the other side open closes it.
    ;(terminal as unknown as { destroy(): void }).destroy()
    const since = performance.now()
    await ended
    await tree.gone
    await untilGone(pids)
    context.expect(performance.now() - since).toBeLessThan(SETTLE_MS + GRACE_MS + MARGIN_MS)
  })

  it('leaves nobody when it is killed', async (context) => {
    const tree = expectTree(context)
    const { child, finished } = startCli(tree)
    await tree.planted
    child.kill('SIGKILL')
    const left = time(tree.gone)
    context.expect(await finished).toMatchObject({ exitCode: null, signal: 'SIGKILL' })
    context.expect(await left).toBeLessThan(GRACE_MS + MARGIN_MS)
  })
})

describeOnLinux('fault 4: a program that uses the package', TOGETHER, () => {
  const SHORT_GRACE_MS = 300

  /** Runs the hostile tree until it is told to go on, by a line on its stdin. */
  const program = (then: string) => `
    const { ExecSession } = require(${JSON.stringify(LIBRARY)})
    const told = new Promise((resolve) => process.stdin.once('data', resolve))
    ExecSession.create({ executable: ${JSON.stringify(HOSTILE_TREE)}, save: false, timeouts: { graceMs: ${SHORT_GRACE_MS} } }).then(async (session) => {
      const stream = session.executeStreaming('hi')
      ${then}
    })`

  it.for([
    ['by process.exit()', 'await told; process.exit(7)', 7, {}],
    ['by an uncaught exception', 'await told; setImmediate(() => { throw new Error("oh") })', 1, {}],
    ['by a rejection that nobody handles', 'await told; Promise.reject(new Error("oh"))', 1, {}],
    ['without ending its session', 'await stream.result; await told', 0, { ANSWER: 'the answer' }],
  ] as const)('that ends %s leaves nobody', async ([, then, code, env], context) => {
    const tree = expectTree(context)
    const { child, finished } = start(process.execPath, ['-e', program(then)], {
      ...tree,
      env: { ...tree.env, ...env },
    })
    await tree.planted
    child.stdin.end('go on\n')
    const left = time(finished.then(() => tree.gone))
    context.expect(await finished).toMatchObject({ exitCode: code, signal: null })
    context.expect(await left).toBeLessThan(SHORT_GRACE_MS + MARGIN_MS)
  })
})

/** A line that the command line has something to say to. */
const TALKS = JSON.stringify({
  type: 'stream_event',
  event: { type: 'content_block_delta', delta: { type: 'text_delta', text: 'on and on ' } },
})

describeOnLinux('fault 29: a reader that goes away', TOGETHER, () => {
  it('ends the command line quietly, and nobody is left', async (context) => {
    const tree = expectTree(context)
    // The reader goes when it is told to: one that goes at once may be gone before the agent is there.
    const line = ['-c', 'exec 3<&0; "$@" </dev/null | { head -1; read -r go <&3; }', 'sh']
    const command = [
      process.execPath,
      CLI,
      'exec',
      '--no-save',
      '--json-stream',
      '--executable',
      HOSTILE_TREE,
      'hi',
    ]
    const { child, finished } = start('sh', [...line, ...command], { ...tree, env: { ...tree.env, TALKS } })
    await tree.planted
    child.stdin.end('go\n')
    const { stdout, stderr } = await finished
    context.expect({ lines: stdout.split('\n').length, stderr }).toEqual({ lines: 2, stderr: '' })
    context.expect(await time(tree.gone)).toBeLessThan(GRACE_MS + MARGIN_MS)
  })
})
