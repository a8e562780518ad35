#!/usr/bin/env node
// Started to resume a conversation, it fails as codex does: with exit code 1 and a line on stderr. Otherwise it answers
// with the prompt.
import { answerWith, engine, listen } from './protocol.mjs'

if (process.argv.some((arg) => arg.startsWith('--resume='))) {
  process.stderr.write('fake: no rollout found for this thread\n')
  process.exit(1)
}
listen()
engine.on('prompt', (prompt) => answerWith(prompt))
