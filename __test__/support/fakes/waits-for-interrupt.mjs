#!/usr/bin/env node
// Says one word and waits; an interrupt ends the turn, and the next prompt is answered again.
import { acknowledge, engine, init, listen, result, say, textDelta } from './protocol.mjs'

listen()
engine.on('prompt', (prompt) => {
  init()
  say(textDelta(`waiting in ${process.pid} for ${prompt}`))
})
engine.on('interrupt', (id) => {
  acknowledge(id)
  result('', { subtype: 'error_during_execution', is_error: true, terminal_reason: 'aborted_streaming' })
})
