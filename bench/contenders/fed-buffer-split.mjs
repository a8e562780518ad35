import { once } from 'node:events'

import { startAgent } from './agent.mjs'
import { measureFed } from './fed.mjs'
import { Lines } from './lines.mjs'

await measureFed(async (stream, consumer) => {
  const child = startAgent('fed')
  const lines = new Lines()
  // Cheaper here than `for await`, whose promise would be one for each line.
  child.stdout.on('data', (buffer) => {
    lines.push(buffer)
    for (let line = lines.next(); line !== undefined; line = lines.next()) {
      const message = JSON.parse(line)
      if (message.type === 'result') child.stdin.end()
      else if (message.type === 'stream_event') consumer.take(stream, message.event.delta.text)
    }
  })
  await once(child, 'close')
})
