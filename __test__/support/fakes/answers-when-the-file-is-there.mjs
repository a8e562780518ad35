#!/usr/bin/env node
// Notes its prompts, and answers each when the file FAKE_FILE is there.
import { appendFileSync } from 'node:fs'

import { appears } from './appears.mjs'
import { engine, init, listen, result, say, textDelta } from './protocol.mjs'

const { FAKE_FILE = '', FAKE_NOTES = '' } = process.env

listen()
engine.on('prompt', async (prompt) => {
  appendFileSync(FAKE_NOTES, `${prompt}\n`)
  init()
  say(textDelta('working. '))
  await appears(FAKE_FILE)
  say(textDelta(`answer to ${prompt}`))
  result(`answer to ${prompt}`)
})
