import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { describe, expect, it } from 'vitest'

import { ExecSession } from '../ts/index.js'
import { fakeAgent } from './support/fakes.js'
import { temporaryFolder } from './support/folder.js'
import { openLifeline } from './support/lifeline.js'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** Resolves when what `refs` point to has been collected; the time limit of the test is the only other way out. */
async function collected(refs: WeakRef<object>[]): Promise<void> {
  while (refs.some((ref) => ref.deref() !== undefined)) {
    // What was looked at stays until the job is done.
    await setImmediate()
    gc()
  }
}

describe('memory', () => {
  it('keeps nothing of a session that has ended', async () => {
    const run = async () => {
      const session = await ExecSession.create({
        executable: fakeAgent('answers-with-its-pid'),
        projectPath: temporaryFolder(),
      })
      await session.execute('hi')
      await session.end()
      return new WeakRef(session)
    }
    const refs = []
    for (let count = 0; count < 5; count++) refs.push(await run())
    await collected(refs)
    expect(refs.every((ref) => ref.deref() === undefined)).toBe(true)
  })

  it('ends the agent of a session that nobody has any more', async () => {
    const line = await openLifeline()
    const run = async () => {
      const session = await ExecSession.create({
        executable: fakeAgent('answers-with-its-pid'),
        env: line.env,
        projectPath: temporaryFolder(),
      })
      await session.execute('hi')
      return new WeakRef(session)
    }
    await collected([await run()])
    await line.closed
  })
})
