#!/usr/bin/env node
// As a slash command does: no model speaks, there is only a result.
import { engine, init, listen, result } from './protocol.mjs'

listen()
engine.on('prompt', () => {
  init()
  result('Total cost: $0.00')
})
