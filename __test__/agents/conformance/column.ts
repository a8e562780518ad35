import { describe, expect, test } from 'vitest'

import { type Column, GAPS, SCENARIOS } from './expected.mjs'
import { RUNS, type Subject } from './scenarios.js'

/** What an agent is expected not to do is waited for no longer than this. */
const GAP_MS = 10_000

/** Runs every scenario of a column of the table, and fails where the agent does otherwise than is expected of it. */
export function conformance(column: Column, subject: Subject): void {
  describe(column, () => {
    test.each(SCENARIOS)('%s', async (scenario) => {
      const gap = GAPS[column][scenario]
      if (gap === undefined) {
        await RUNS[scenario](subject)
      } else {
        // One that it has learned is to be told.
        const run = RUNS[scenario]({ ...subject, patienceMs: GAP_MS })
        await expect(run, `it can do what docs/agents.md says it cannot: ${gap}`).rejects.toThrow()
      }
    })
  })
}
