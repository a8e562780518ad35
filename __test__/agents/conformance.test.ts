import { describe, expect, test } from 'vitest'

import { type Column, GAPS, SCENARIOS } from './conformance/expected.mjs'
import { RUNS, type Subject } from './conformance/scenarios.js'
import { RealClaude, RealCodex, RealQwen } from './real-agent.js'

/** What each column of the table is run with. */
const SUBJECTS: Record<Column, () => Subject> = {
  // By itself it tries ten times, for minutes.
  claude: () => ({ agent: new RealClaude({ CLAUDE_CODE_MAX_RETRIES: '2' }), options: () => ({}) }),
  codex: () => ({ agent: new RealCodex(), options: () => ({}) }),
  'codex, by `exec`': () => {
    const agent = new RealCodex()
    return { agent, options: () => ({ executable: agent.withoutAppServer() }) }
  },
  'qwen, by ACP': () => ({ agent: new RealQwen(), options: () => ({}) }),
}

describe.each(Object.keys(SUBJECTS) as Column[])('%s', (column) => {
  const subject = SUBJECTS[column]()

  test.each(SCENARIOS)('%s', async (scenario) => {
    const run = RUNS[scenario](subject)
    const gap = GAPS[column][scenario]
    if (gap === undefined) {
      await run
    } else {
      // One that it has learned is to be told.
      await expect(run, `it can do what docs/agents.md says it cannot: ${gap}`).rejects.toThrow()
    }
  })
})
