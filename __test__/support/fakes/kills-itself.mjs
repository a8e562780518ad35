#!/usr/bin/env node
import { engine, init, listen } from './protocol.mjs'

listen()
engine.on('prompt', () => {
  init()
  process.kill(process.pid, 'SIGKILL')
})
