#!/usr/bin/env node
// Ends the turn with an error; the prompt is the fields of its result line as JSON.
import { engine, init, listen, result } from './protocol.mjs'

listen()
engine.on('prompt', (prompt) => {
  init()
  result('', { is_error: true, ...JSON.parse(prompt) })
})
