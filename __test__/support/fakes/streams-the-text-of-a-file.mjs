#!/usr/bin/env node
// Answers with the text of the file FAKE_TEXT in pieces of a few characters; at a `⏸` it waits for the file FAKE_FILE.
import { readFileSync } from 'node:fs'

import { appears } from './appears.mjs'
import { engine, init, listen, result, say, textDelta } from './protocol.mjs'

const { FAKE_TEXT = '', FAKE_FILE = '' } = process.env

listen()
engine.on('prompt', async () => {
  init()
  const [before = '', behind] = readFileSync(FAKE_TEXT, 'utf8').split('⏸')
  stream(before)
  if (behind !== undefined) {
    await appears(FAKE_FILE)
    stream(behind)
  }
  result(before + (behind ?? ''))
})

/** @param {string} text */
function stream(text) {
  for (let at = 0; at < text.length; at += 7) {
    say(textDelta(text.slice(at, at + 7)))
  }
}
