#!/usr/bin/env node
// Runs each prompt as a shell command, without asking, and answers with what it prints.
import { spawnSync } from 'node:child_process'

import { answerWith, engine, listen } from './protocol.mjs'

listen()
engine.on('prompt', (prompt) => {
  const { stdout } = spawnSync('sh', ['-c', prompt], { encoding: 'utf8' })
  answerWith(`ran: ${stdout}`)
})
