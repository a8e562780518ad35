#!/usr/bin/env node
// Notes its prompts, and answers each when the file FAKE_FILE is there.
import { appendFileSync, existsSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import { engine, init, listen, result, say, textDelta } from './protocol.mjs'

const { FAKE_FILE = '', FAKE_NOTES = '' } = process.env

/** @param {string} path */
function appears(path) {
  return new Promise((/** @type {(value: void) => void} */ resolve) => {
    const watcher = watch(dirname(path), look)
    function look() {
      if (existsSync(path)) {
        watcher.close()
        resolve()
      }
    }
    look()
  })
}

listen()
engine.on('prompt', async (prompt) => {
  appendFileSync(FAKE_NOTES, `${prompt}\n`)
  init()
  say(textDelta('working. '))
  await appears(FAKE_FILE)
  say(textDelta(`answer to ${prompt}`))
  result(`answer to ${prompt}`)
})
