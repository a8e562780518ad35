#!/usr/bin/env node
// Answers with the kinds of what its prompt consists of, and with its words.
import { answerWith, engine, listen } from './protocol.mjs'

listen()
engine.on('prompt', (content) => {
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  answerWith(blocks.map(({ type, text, source }) => `${type}: ${text ?? source.media_type}`).join('\n\n'))
})
