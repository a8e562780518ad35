#!/usr/bin/env node
// $FAKE_LINES deltas of the text that text.mjs defines.
import { engine, init, listen, result, textDelta } from './protocol.mjs'
import { deltaText } from './text.mjs'

const LINES_PER_WRITE = 500

listen()
engine.on('prompt', () => {
  const count = Number(process.env.FAKE_LINES ?? 10)
  init()
  for (let from = 0; from < count; from += LINES_PER_WRITE) {
    const size = Math.min(LINES_PER_WRITE, count - from)
    const lines = Array.from(
      { length: size },
      (_, offset) => `${JSON.stringify(textDelta(deltaText(from + offset)))}\n`,
    )
    process.stdout.write(lines.join(''))
  }
  result('done')
})
