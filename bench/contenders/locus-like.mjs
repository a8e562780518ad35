// A CLI as it is usually written: parses each line of the agent and writes a line of protocol 1 for each piece.
import { randomUUID } from 'node:crypto'

import { startAgent } from './agent.mjs'
import { splitLines } from './split-lines.mjs'

const sessionId = randomUUID()

function write(type, payload) {
  const line = { protocol: 1, type, sessionId, timestamp: Date.now(), payload }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

write('start', { command: 'exec', provider: 'claude', cwd: process.cwd() })
for await (const line of splitLines(startAgent('replay-after-prompt').stdout)) {
  const { type, event, parent_tool_use_id: parent } = JSON.parse(line)
  if (type !== 'stream_event' || event.type !== 'content_block_delta') continue
  const { delta } = event
  if (delta.type === 'text_delta') {
    if (parent === null) write('text_delta', { content: delta.text })
  } else if (delta.type === 'thinking_delta') write('thinking', { content: delta.thinking })
}
write('done', { exitCode: 0, success: true })
