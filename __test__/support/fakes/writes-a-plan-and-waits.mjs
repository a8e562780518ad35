#!/usr/bin/env node
// Writes plan.md by a tool; every turn goes on until it is interrupted when the prompt says `wait`.
import { acknowledge, engine, init, listen, result, say, textDelta } from './protocol.mjs'

const block = (type, content) => say({ type, parent_tool_use_id: null, message: { content: [content] } })

listen()
engine.on('prompt', (prompt) => {
  init()
  const input = { file_path: '/project/plan.md', content: '# The Plan\n\nFirst the tests.' }
  block('assistant', { type: 'tool_use', id: 'write', name: 'Write', input })
  block('user', { type: 'tool_result', tool_use_id: 'write', content: 'written', is_error: false })
  say(textDelta(`written for ${prompt}`))
  if (!prompt.includes('wait')) {
    result(`written for ${prompt}`)
  }
})
engine.on('interrupt', (id) => {
  acknowledge(id)
  result('', { subtype: 'error_during_execution', is_error: true, terminal_reason: 'aborted_streaming' })
})
