#!/usr/bin/env node
// Begins two tool uses, of which neither ends before it is interrupted.
import { acknowledge, engine, init, listen, result, say } from './protocol.mjs'

listen()
engine.on('prompt', () => {
  init()
  const content = [
    { type: 'tool_use', id: 'one', name: 'Bash', input: { command: 'sleep' } },
    { type: 'tool_use', id: 'two', name: 'Read', input: { file_path: 'b.txt' } },
  ]
  for (const block of content) {
    say({ type: 'assistant', message: { content: [block] } })
  }
})
engine.on('interrupt', (id) => {
  acknowledge(id)
  result('', { subtype: 'error_during_execution', is_error: true, terminal_reason: 'aborted_tools' })
})
