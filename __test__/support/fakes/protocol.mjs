// @ts-check
// What the fakes share: they speak the lines of Claude Code's stream-json protocol that the engine acts on.
import { EventEmitter } from 'node:events'
import { connect } from 'node:net'

/**
 * What the engine says: `prompt` (text, number of the turn), `interrupt`, and `answer:<id>` (the response) to a question.
 * An `initialize` is acknowledged by itself; an interrupt is not, see {@link acknowledge}.
 */
export const engine = new EventEmitter()

/** Listens to the engine; the process ends when stdin does and nothing else is left to do. */
export function listen() {
  let turns = 0
  onLine((line) => {
    const message = JSON.parse(line)
    if (message.type === 'user') {
      engine.emit('prompt', message.message.content, ++turns)
    } else if (message.type === 'control_response') {
      engine.emit(`answer:${message.response.request_id}`, message.response)
    } else if (message.request.subtype === 'interrupt') {
      engine.emit('interrupt', message.request_id)
    } else {
      acknowledge(message.request_id)
    }
  })
}

/**
 * Not `node:readline`: since Node 24 its lines also end at U+2028, which JSON leaves as it is.
 * @param {(line: string) => void} take
 */
function onLine(take) {
  let rest = ''
  process.stdin
    .setEncoding('utf8')
    .on('data', (text) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      lines.forEach(take)
    })
    .on('end', () => rest && take(rest))
}

/** @param {object} line */
export function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** @param {string} id of the engine's request */
export function acknowledge(id) {
  say({ type: 'control_response', response: { subtype: 'success', request_id: id, response: {} } })
}

/** The line with which every turn begins. */
export function init() {
  say({
    ...{
      type: 'system',
      subtype: 'init',
      session_id: 'fake-session',
      model: process.env.FAKE_MODEL ?? 'fake-1',
    },
    ...{ permissionMode: 'default', claude_code_version: '9.9.9' },
  })
}

/**
 * @param {object} event of the Messages API
 * @param {string} [parent] the tool use of the subagent that says it
 */
export const streamEvent = (event, parent) => ({
  type: 'stream_event',
  event,
  parent_tool_use_id: parent ?? null,
})

/**
 * @param {string} text
 * @param {string} [parent]
 */
export const textDelta = (text, parent) =>
  streamEvent({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }, parent)

/**
 * The line that ends a turn.
 * @param {string} answer
 * @param {object} [fields] that it has beside the usual ones, or in their place
 */
export function result(answer, fields = {}) {
  say({
    ...{
      type: 'result',
      subtype: 'success',
      is_error: false,
      terminal_reason: 'completed',
      stop_reason: 'end_turn',
    },
    ...{
      result: answer,
      num_turns: 1,
      session_id: 'fake-session',
      usage: { input_tokens: 3, output_tokens: 5 },
    },
    ...fields,
  })
}

/**
 * A whole turn with one answer.
 * @param {string} answer
 */
export function answerWith(answer) {
  init()
  say(textDelta(answer))
  result(answer)
}

/**
 * Asks for permission and resolves with the engine's response.
 * @param {string} id
 * @param {object} request
 * @returns {Promise<any>}
 */
export function ask(id, request) {
  return new Promise((resolve) => {
    engine.once(`answer:${id}`, resolve)
    say({ type: 'control_request', request_id: id, request })
  })
}

// A test that wants to know when this process is gone listens at a socket: it closes with the process.
if (process.env.FAKE_LIFELINE) {
  const lifeline = connect(process.env.FAKE_LIFELINE, () => lifeline.write(`${process.pid}\n`))
  lifeline.on('error', () => {}).unref()
}
