#!/usr/bin/env node
// Started to resume a conversation, it fails as claude does: an error in place of `init`, then exit code 1. Otherwise it
// answers with the prompt.
import { answerWith, engine, listen, result } from './protocol.mjs'

listen()
engine.on('prompt', (prompt) => {
  if (process.argv.some((arg) => arg.startsWith('--resume='))) {
    result('', {
      ...{ subtype: 'error_during_execution', is_error: true, num_turns: 0 },
      errors: ['No conversation found with this id'],
    })
    process.exitCode = 1
    process.stdin.destroy()
  } else {
    answerWith(prompt)
  }
})
