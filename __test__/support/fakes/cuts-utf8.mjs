#!/usr/bin/env node
// Says the same delta once for every place at which its line can be cut in two, each half in a read of its own: in front
// of the first half goes a question in the same write, and its answer proves that this write was read.
import { writeSync } from 'node:fs'

import { engine, init, listen, result, textDelta } from './protocol.mjs'
import { SMALL_TEXT } from './text.mjs'

const line = Buffer.from(`${JSON.stringify(textDelta(SMALL_TEXT))}\n`)

listen()
engine.on('prompt', async () => {
  init()
  for (let cut = 1; cut < line.length; cut++) {
    const answered = new Promise((resolve) => engine.once(`answer:cut-${cut}`, resolve))
    const question = {
      type: 'control_request',
      request_id: `cut-${cut}`,
      request: { subtype: 'is_this_read' },
    }
    writeSync(1, Buffer.concat([Buffer.from(`${JSON.stringify(question)}\n`), line.subarray(0, cut)]))
    await answered
    writeSync(1, line.subarray(cut))
  }
  result(String(line.length - 1))
})
