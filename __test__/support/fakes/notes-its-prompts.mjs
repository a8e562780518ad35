#!/usr/bin/env node
// Appends every prompt to the file FAKE_NOTES before it answers with it.
import { appendFileSync } from 'node:fs'
import { answerWith, engine, listen } from './protocol.mjs'

listen()
engine.on('prompt', (prompt) => {
  appendFileSync(process.env.FAKE_NOTES ?? '', `${prompt}\n`)
  answerWith(prompt)
})
