import { describe, expect, it, onTestFinished, vi } from 'vitest'

import { type ExecFlags, runExec } from '../../ts/cli/commands/exec.js'
import type { Renderer, RunEnd, RunStart } from '../../ts/cli/renderers/renderer.js'
import type { ExecError, ExecEventData, RecoveryAction, StreamChunk } from '../../ts/index.js'
import { fakeAgent } from '../support/fakes.js'
import { temporaryFolder } from '../support/folder.js'

/** Remembers what it is told, each call by its name. */
class Recorder implements Renderer {
  readonly calls: string[] = []
  readonly chunks: StreamChunk[] = []
  started: RunStart | undefined
  ended: RunEnd | undefined
  ready: () => Promise<void> | undefined = () => undefined

  start(run: RunStart): void {
    this.calls.push('start')
    this.started = run
  }

  chunk(chunk: StreamChunk): void {
    this.calls.push(chunk.type)
    this.chunks.push(chunk)
  }

  permissionResolved({ behavior }: ExecEventData['permission:resolved']): void {
    this.calls.push(behavior)
  }

  turnCompleted(): void {
    this.calls.push('turnCompleted')
  }

  failed({ code }: ExecError): void {
    this.calls.push(`failed ${code}`)
  }

  recovering(action: RecoveryAction): void {
    this.calls.push(`recovering ${action}`)
  }

  end(run: RunEnd): void {
    this.calls.push('end')
    this.ended = run
  }
}

/** Runs a prompt as the command does, in a folder without settings. */
async function run(fake: string, flags: ExecFlags = {}, renderer = new Recorder()) {
  vi.stubEnv('LOCUS_PROVIDER', '')
  vi.stubEnv('LOCUS_MODEL', '')
  onTestFinished(() => void vi.unstubAllEnvs())
  const exitCode = await runExec(
    ['hi'],
    { dir: temporaryFolder(), executable: fakeAgent(fake), retries: '0', ...flags },
    renderer,
  )
  return { exitCode, renderer }
}

describe('a run', () => {
  it('tells the renderer everything in the order in which it happened', async () => {
    const { exitCode, renderer } = await run('asks-permission', { yes: true })
    expect(exitCode).toBe(0)
    expect(renderer.calls).toEqual([
      ...['start', 'status', 'status', 'tool_use', 'tool_parameters', 'allow', 'tool_result', 'text_delta'],
      ...['usage', 'result', 'turnCompleted', 'end'],
    ])
  })

  it('tells what is run, and what it came to', async () => {
    const dir = temporaryFolder()
    const { renderer } = await run('answers-with-its-pid', { dir, model: 'm' })
    expect(renderer.started).toEqual({
      sessionId: expect.any(String),
      saved: true,
      cwd: dir,
      provider: 'claude',
      model: 'm',
      prompt: 'hi',
    })
    expect(renderer.ended).toEqual({ exitCode: 0, durationMs: expect.any(Number), error: undefined })
  })

  it('that fails has the exit code of its error, and the renderer gets the error', async () => {
    const { exitCode, renderer } = await run('exits-non-zero')
    expect(exitCode).toBe(12)
    expect(renderer.calls.slice(-4)).toEqual(['error', 'result', 'turnCompleted', 'end'])
    expect(renderer.ended).toMatchObject({ exitCode: 12, error: { code: 'PROCESS_CRASHED', exitCode: 7 } })
  })

  it('that cannot begin starts and ends all the same', async () => {
    const { exitCode, renderer } = await run('exits-non-zero', { provider: 'hal' })
    expect(exitCode).toBe(3)
    expect(renderer.calls).toEqual(['start', 'end'])
    expect(renderer.started?.provider).toBe('hal')
  })

  it('waits for a renderer whose reader cannot keep up', async () => {
    const renderer = new Recorder()
    const waited: number[] = []
    renderer.ready = () =>
      new Promise((resolve) => {
        const { length } = renderer.chunks
        setImmediate(() => {
          // Nothing more was shown while it was waited.
          waited.push(renderer.chunks.length - length)
          resolve()
        })
      })
    await run('streams-deltas', {}, renderer)
    expect(waited).toEqual(renderer.chunks.map(() => 0))
    expect(renderer.chunks.filter(({ type }) => type === 'text_delta')).toHaveLength(10)
  })

  it('whose renderer fails is a defect that is told, and not a run that hangs', async () => {
    const renderer = new Recorder()
    renderer.chunk = () => {
      throw new TypeError('the renderer is broken')
    }
    const { exitCode } = await run('waits-for-interrupt', {}, renderer)
    expect(exitCode).toBe(1)
    expect(renderer.ended?.error).toMatchObject({
      ...{ code: 'INTERNAL', message: expect.stringContaining('TypeError: the renderer is broken') },
    })
  })

  it('leaves no listener of signals behind', async () => {
    const count = () => ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => process.listenerCount(signal))
    const before = count()
    await run('answers-with-its-pid')
    await run('exits-before-init')
    expect(count()).toEqual(before)
  })
})
