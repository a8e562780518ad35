import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import type { TestContext } from 'vitest'

import { MEASURED } from './cli.js'
import { isRunning } from './lifeline.js'

/** The agent that nothing but SIGKILL ends, nor what it has started. */
export const HOSTILE_TREE = fileURLToPath(new URL('../../tests/agents/hostile-tree', import.meta.url))

/** What the agent has started. */
export interface Tree {
  env: Record<string, string>
  /** Resolves with the pids of the agent and its four descendants when all are there. */
  planted: Promise<number[]>
  /** Resolves when nobody is left. */
  gone: Promise<void>
}

/** Waits for what a hostile tree starts, and for its end. */
export function expectTree({ onTestFinished }: TestContext): Tree {
  const folder = mkdtempSync(join(tmpdir(), 'locus-exec-test-'))
  const fifo = join(folder, 'tree')
  execFileSync('mkfifo', [fifo])
  // Ends when all who have the fifo open have ended.
  const reader = spawn('cat', [fifo], { stdio: ['ignore', 'pipe', 'inherit'] })
  const helpers: ChildProcess[] = [reader]
  onTestFinished(() => {
    for (const helper of helpers) {
      helper.kill('SIGKILL')
    }
    rmSync(folder, { recursive: true })
  })
  const readerEnded = once(reader, 'exit')
  const pids = new Map<string, number>()
  const planted = new Promise<number[]>((resolve) => {
    createInterface({ input: reader.stdout }).on('line', (line) => {
      const [name = '', pid] = line.split(' ')
      pids.set(name, Number(pid))
      if (pids.size === 5) {
        resolve([...pids.values()])
      }
    })
  })
  const gone = planted.then(async () => {
    // The one who has closed the fifo.
    const waiter = spawn('perl', ['-e', WAIT_FOR_END, String(pids.get('D'))], { stdio: 'inherit' })
    helpers.push(waiter)
    await Promise.all([readerEnded, once(waiter, 'exit')])
  })
  return { env: { ...process.env, ...MEASURED, TREE: fifo } as Record<string, string>, planted, gone }
}

/** Waits in the kernel for the end of a process that is not our child (pidfd_open, which has one number everywhere). */
const WAIT_FOR_END =
  'my $fd = syscall 434, $ARGV[0] + 0, 0; exit if $fd < 0; vec(my $set, $fd, 1) = 1; select $set, undef, undef, undef'

export const living = (pids: number[]) => pids.filter(isRunning)

/** Waits for those who do not hold the fifo: they are killed with the others, but not in the same moment. */
export async function untilGone(pids: number[]): Promise<void> {
  while (living(pids).length > 0) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}
