#!/usr/bin/env node
import { answerWith, engine, listen } from './protocol.mjs'

listen()
engine.on('prompt', (prompt) => answerWith(JSON.stringify({ prompt, args: process.argv.slice(2) })))
