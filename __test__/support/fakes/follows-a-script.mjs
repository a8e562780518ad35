#!/usr/bin/env node
// Does for each prompt the next step of FAKE_SCRIPT, over all of its processes: what it is told it appends to FAKE_NOTES, by which it
// also knows which step is next. A step says some `text`, uses a `tool`, and then either exits with a code, kills itself, is
// silent, or ends the turn with the fields of its result line; without a step left it answers.
import { appendFileSync, readFileSync } from 'node:fs'
import { answerWith, engine, init, listen, result, say, textDelta } from './protocol.mjs'

const notes = process.env.FAKE_NOTES ?? ''
/** @type {{ text?: string, tool?: string, exit?: number, kill?: boolean, silent?: boolean, result?: object }[]} */
const script = JSON.parse(process.env.FAKE_SCRIPT ?? '[]')

listen()
engine.on('prompt', (prompt) => {
  appendFileSync(
    notes,
    `${JSON.stringify({ prompt, args: process.argv.slice(2), model: process.argv.find((arg) => arg.startsWith('--model')) })}\n`,
  )
  const step = script[readFileSync(notes, 'utf8').trim().split('\n').length - 1]
  if (step === undefined) {
    return answerWith('It is done.')
  }
  init()
  if (step.text) say(textDelta(step.text))
  if (step.tool) {
    const use = { type: 'tool_use', id: `toolu_${Date.now()}`, name: step.tool, input: {} }
    say({
      type: 'assistant',
      message: { id: 'm', role: 'assistant', content: [use] },
      parent_tool_use_id: null,
    })
  }
  if (step.kill) process.kill(process.pid, 'SIGKILL')
  // What was said is on its way before the process leaves.
  if (step.exit !== undefined) return process.stdout.write('', () => process.exit(step.exit))
  if (!step.silent) result('', { is_error: true, ...step.result })
})
