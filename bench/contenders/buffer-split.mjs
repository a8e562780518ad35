// The best that we could write by hand in Node: split the buffers at newlines, parse each line, hand the pieces over
// without a promise for each.
import { startAgent } from './agent.mjs'
import { Lines } from './lines.mjs'
import { measure } from './measure.mjs'

await measure(async (consumer) => {
  const child = startAgent('replay-after-prompt')
  const lines = new Lines()
  for await (const buffer of child.stdout) {
    lines.push(buffer)
    for (let line = lines.next(); line !== undefined; line = lines.next()) {
      consumer.takeMessage(JSON.parse(line))
      const due = consumer.due()
      if (due) await due
    }
  }
})
