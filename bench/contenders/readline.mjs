import { createInterface } from 'node:readline'

import { startAgent } from './agent.mjs'
import { measure } from './measure.mjs'

await measure(async (consumer) => {
  const { stdout } = startAgent('replay-after-prompt')
  for await (const line of createInterface({ input: stdout, crlfDelay: Number.POSITIVE_INFINITY })) {
    consumer.takeMessage(JSON.parse(line))
    const due = consumer.due()
    if (due) await due
  }
})
