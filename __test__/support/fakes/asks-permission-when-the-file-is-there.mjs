#!/usr/bin/env node
// Asks whether it may run a command when the file FAKE_FILE is there.
import { appears } from './appears.mjs'
import { ask, engine, init, listen, result, say, textDelta } from './protocol.mjs'

listen()
engine.on('prompt', async () => {
  init()
  say(textDelta('working. '))
  await appears(process.env.FAKE_FILE ?? '')
  await ask('question', {
    subtype: 'can_use_tool',
    tool_name: 'Bash',
    input: { command: 'ls' },
    tool_use_id: 'toolu_1',
  })
  result('done')
})
