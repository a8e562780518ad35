#!/usr/bin/env node
// Answers with the prompt and its arguments, but crashes in the middle of the second turn of a process.
import { answerWith, engine, init, listen, say, textDelta } from './protocol.mjs'

listen()
engine.on('prompt', (prompt, turn) => {
  if (turn === 2) {
    init()
    say(textDelta('half an ans'))
    process.exitCode = 7
    process.stdin.destroy()
  } else {
    answerWith(`${prompt} ${process.argv.slice(2).join(' ')}`)
  }
})
