#!/usr/bin/env node
import { engine, init, listen, say, textDelta } from './protocol.mjs'

listen()
engine.on('prompt', () => {
  init()
  say(textDelta('half an ans'))
  process.stderr.write('fake: the disk is full\n')
  process.exit(7)
})
