#!/usr/bin/env node
// A delta of 3000 characters between two short ones.
import { engine, init, listen, result, say, textDelta } from './protocol.mjs'

listen()
engine.on('prompt', () => {
  init()
  for (const text of ['before ', 'x'.repeat(3000), 'after']) {
    say(textDelta(text))
  }
  result('done')
})
