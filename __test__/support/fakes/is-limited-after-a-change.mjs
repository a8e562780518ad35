#!/usr/bin/env node
// Writes a file, and is then limited by its API.
import { engine, init, listen, result, say } from './protocol.mjs'

listen()
engine.on('prompt', () => {
  init()
  const use = { type: 'tool_use', id: 'one', name: 'Write', input: { file_path: 'a.txt', content: '' } }
  say({ type: 'assistant', message: { content: [use] } })
  const done = { type: 'tool_result', tool_use_id: 'one', content: 'written' }
  say({ type: 'user', message: { content: [done] } })
  result('too many requests', { is_error: true, api_error_status: 429 })
})
