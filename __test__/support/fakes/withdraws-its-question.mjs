#!/usr/bin/env node
// Asks for permission, takes the question back, and ends the turn.
import { engine, init, listen, result, say } from './protocol.mjs'

listen()
engine.on('prompt', () => {
  init()
  const request = { subtype: 'can_use_tool', tool_name: 'Bash', input: {} }
  say({ type: 'control_request', request_id: 'question', request })
  say({ type: 'control_cancel_request', request_id: 'question' })
  result('never mind')
})
