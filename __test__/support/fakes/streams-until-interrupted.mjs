#!/usr/bin/env node
// Text without end, as fast as it is read; stops at an interrupt.
import { acknowledge, engine, init, listen, result, textDelta } from './protocol.mjs'

const BLOCK = `${JSON.stringify(textDelta('more '))}\n`.repeat(200)

let interrupted = false

function stream() {
  if (interrupted) {
    return result('', {
      subtype: 'error_during_execution',
      is_error: true,
      terminal_reason: 'aborted_streaming',
    })
  }
  // Between two writes the engine is listened to.
  process.stdout.write(BLOCK, () => setImmediate(stream))
}

listen()
engine.on('prompt', () => {
  interrupted = false
  init()
  stream()
})
engine.on('interrupt', (id) => {
  interrupted = true
  acknowledge(id)
})
process.stdin.on('end', () => process.exit(0))
process.stdout.on('error', () => process.exit(0))
