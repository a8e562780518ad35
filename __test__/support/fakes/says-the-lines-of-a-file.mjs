#!/usr/bin/env node
// Says the lines of the file FAKE_LINES for each prompt, with `init` before them and a result after them; at a line `{"wait":"name"}` it
// waits for a file of that name in the folder FAKE_GATES. A line `{"result":"…"}` is the answer of the result.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { appears } from './appears.mjs'
import { acknowledge, engine, init, listen, result, say } from './protocol.mjs'

const { FAKE_LINES = '', FAKE_GATES = '' } = process.env

listen()
// Also while it waits.
process.stdin.on('end', () => process.exit())
engine.on('prompt', async () => {
  init()
  let end = {}
  let answer = ''
  for (const line of readFileSync(FAKE_LINES, 'utf8').split('\n').filter(Boolean)) {
    const { wait, result: told, ...fields } = JSON.parse(line)
    if (wait !== undefined) {
      await appears(join(FAKE_GATES, wait))
    } else if (told !== undefined) {
      answer = told
      end = fields
    } else {
      say(fields)
    }
  }
  result(answer, end)
})
engine.on('interrupt', (id) => {
  acknowledge(id)
  result('', { subtype: 'error_during_execution', is_error: true, terminal_reason: 'aborted_streaming' })
})
