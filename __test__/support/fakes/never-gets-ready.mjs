#!/usr/bin/env node
// Listens, and never says that it works on the prompt.
import { engine, listen } from './protocol.mjs'

listen()
engine.on('prompt', () => process.stderr.write('fake: waiting for the network\n'))
