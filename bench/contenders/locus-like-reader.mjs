// How Locus 0.14.x reads an agent: lines cut as usual, each parsed, the pieces handed over.
import { startAgent } from './agent.mjs'
import { measure } from './measure.mjs'
import { splitLines } from './split-lines.mjs'

await measure(async (consumer) => {
  for await (const line of splitLines(startAgent('replay-after-prompt').stdout)) {
    consumer.takeMessage(JSON.parse(line))
  }
})
