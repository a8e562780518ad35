import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { Checkpoint } from '../../ts/sdk/checkpoint.js'

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

it('writes at once, then at most every 250 ms', () => {
  const write = vi.fn()
  const checkpoint = new Checkpoint(write)
  for (let count = 0; count < 100; count++) {
    checkpoint.grown()
    vi.advanceTimersByTime(10)
  }
  expect(write).toHaveBeenCalledTimes(4)
})

it('writes what is left where nothing may come for a while, and nothing twice', () => {
  const write = vi.fn()
  const checkpoint = new Checkpoint(write)
  checkpoint.pause()
  expect(write).not.toHaveBeenCalled()
  checkpoint.grown()
  checkpoint.grown()
  checkpoint.pause()
  checkpoint.pause()
  expect(write).toHaveBeenCalledTimes(2)
})

it('takes a twentieth of the time at most', () => {
  const write = vi.fn(() => void vi.advanceTimersByTime(100))
  const checkpoint = new Checkpoint(write)
  for (let count = 0; count < 500; count++) {
    checkpoint.grown()
    vi.advanceTimersByTime(10)
  }
  expect(write).toHaveBeenCalledTimes(3)
})
