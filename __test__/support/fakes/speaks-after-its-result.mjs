#!/usr/bin/env node
// Tells a status when its turn is already over.
import { answerWith, engine, listen, say } from './protocol.mjs'

listen()
engine.on('prompt', () => {
  answerWith('done')
  say({ type: 'system', subtype: 'status', status: 'tidying' })
})
