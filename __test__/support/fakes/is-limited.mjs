#!/usr/bin/env node
// Ends every turn with a limit of its API.
import { engine, init, listen, result } from './protocol.mjs'

listen()
engine.on('prompt', () => {
  init()
  result('too many requests', { is_error: true, api_error_status: 429 })
})
