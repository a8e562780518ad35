#!/usr/bin/env node
// Answers with its arguments, its environment and its working directory as JSON.
import { answerWith, engine, listen } from './protocol.mjs'

listen()
engine.on('prompt', () =>
  answerWith(JSON.stringify({ args: process.argv.slice(2), env: process.env, cwd: process.cwd() })),
)
