import { createInterface } from 'node:readline'

import { startAgent } from './agent-process.mjs'
import { consumeLine, measure } from './measure.mjs'

await measure(async (consumer) => {
  for await (const line of createInterface({
    input: startAgent().stdout,
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    consumeLine(line, consumer)
  }
})
