#!/usr/bin/env node
// Goes on whatever it is told, SIGTERM included, and also when nobody listens any more: only SIGKILL ends it.
import { engine, init, listen, say, textDelta } from './protocol.mjs'

process.on('SIGTERM', () => say(textDelta('SIGTERM came')))
process.stdout.on('error', () => {})
setInterval(() => {}, 1 << 30)
listen()
engine.on('prompt', () => {
  init()
  say(textDelta('never'))
})
engine.on('interrupt', () => say(textDelta('an interrupt came')))
