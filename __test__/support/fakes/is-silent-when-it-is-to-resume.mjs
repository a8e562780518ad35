#!/usr/bin/env node
// Answers with the prompt. Started to resume a conversation, it never says a word.
import { answerWith, engine, listen } from './protocol.mjs'

const resumes = process.argv.some((arg) => arg.startsWith('--resume='))
listen()
engine.on('prompt', (prompt) => {
  if (!resumes) {
    answerWith(prompt)
  }
})
