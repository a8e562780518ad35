#!/usr/bin/env node
// Answers with the prompt; started to resume a conversation, it says that it is ready and then fails.
import { answerWith, engine, init, listen, result } from './protocol.mjs'

listen()
engine.on('prompt', (prompt) => {
  if (process.argv.some((arg) => arg.startsWith('--resume='))) {
    init()
    result('overloaded', { is_error: true, api_error_status: 529 })
  } else {
    answerWith(prompt)
  }
})
