import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { expect, it, onTestFinished, vi } from 'vitest'

import { Countdown } from '../../ts/cli/renderers/countdown.js'
import { temporaryFolder } from '../support/folder.js'
import { script } from '../support/script.js'
import { startInTerminal } from '../support/terminal.js'

it('a countdown tells each second how many are left, and no more when it is stopped', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const told: number[] = []
  const countdown = new Countdown(Date.now() + 2500, (seconds) => told.push(seconds))
  vi.advanceTimersByTime(2000)
  expect(told).toEqual([3, 2, 1])
  vi.advanceTimersByTime(2000)
  expect(told).toEqual([3, 2, 1, 0, 0])
  countdown.stop()
  vi.advanceTimersByTime(5000)
  expect(told).toHaveLength(5)
})

it('is shown in a terminal while a turn waits to be tried again, and is gone at its end', async () => {
  const { env } = script({ result: { api_error_status: 529, result: 'overloaded' } })
  const cwd = temporaryFolder()
  mkdirSync(join(cwd, '.locus'))
  writeFileSync(
    join(cwd, '.locus', 'settings.json'),
    JSON.stringify({ retry: { delayMs: 1500, jitter: false } }),
  )
  const run = startInTerminal(['exec', 'do it'], 'follows-a-script', env, { cwd })
  await run.written('Trying again in 2s')
  const { exitCode, screen } = await run.finished
  expect(exitCode).toBe(0)
  expect(screen).toContain('↻ OVERLOADED overloaded; trying again in 1.5s (1/2)')
  expect(screen).not.toContain('Trying again')
})
