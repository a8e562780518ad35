// Streams in claude's own shape (stream-json, observed on 2.1.329).
import { random, text, words } from './words.mjs'

const SESSION = '5094d955-665d-4a8d-9cb7-6d98f473b94e'
const BIG_RESULT_UNITS = 1_000_000

const uuid = (n) => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`

const INIT = {
  type: 'system',
  subtype: 'init',
  session_id: SESSION,
  model: 'bench',
  permissionMode: 'default',
}

const RESULT = {
  duration_api_ms: 1,
  stop_reason: 'end_turn',
  session_id: SESSION,
  total_cost_usd: 0.5,
  is_error: false,
  num_turns: 1,
  subtype: 'success',
  result: 'done',
  type: 'result',
  duration_ms: 2,
  usage: { input_tokens: 1, output_tokens: 2 },
}

function delta(n, delta, parent = null) {
  return {
    type: 'stream_event',
    event: { type: 'content_block_delta', index: 0, delta },
    session_id: SESSION,
    parent_tool_use_id: parent,
    uuid: uuid(n),
    api_message_id: 'msg_1',
  }
}

/** A turn with `count` deltas: 80 % text, 8 % thinking, 8 % tool input, 4 % a subagent's text. */
export function* deltas(count) {
  const next = random()
  const word = words(next)
  yield INIT
  for (let n = 0; n < count; n++) {
    const kind = next(100)
    if (kind < 80) yield delta(n, { type: 'text_delta', text: word() })
    else if (kind < 88) yield delta(n, { type: 'thinking_delta', thinking: word() })
    else if (kind < 96) yield delta(n, { type: 'input_json_delta', partial_json: `{"command":"ls ${word()}` })
    else yield delta(n, { type: 'text_delta', text: word() }, 'toolu_1')
  }
  yield RESULT
}

function message(n, type, role, block) {
  return {
    type,
    message: { role, content: [block] },
    parent_tool_use_id: null,
    session_id: SESSION,
    uuid: uuid(n),
  }
}

/** A turn with one tool use whose result is a line of `count` megabytes. */
export function* longResult(count) {
  yield INIT
  const content = 'const answer = 42\n'.repeat((count * BIG_RESULT_UNITS) / 18)
  yield message(1, 'assistant', 'assistant', { type: 'tool_use', id: 'toolu_1', name: 'Read', input: {} })
  yield message(2, 'user', 'user', { type: 'tool_result', tool_use_id: 'toolu_1', content })
  yield RESULT
}

/** A turn with `count` tool uses whose results are a million units long; every other one is plain ASCII. */
export function* bigResults(count) {
  const next = random()
  const word = words(next)
  yield INIT
  for (let n = 0; n < count; n++) {
    const id = `toolu_${n}`
    yield message(2 * n, 'assistant', 'assistant', {
      type: 'tool_use',
      id,
      name: 'Read',
      input: { file_path: `/project/${n}.txt` },
    })
    const content =
      n % 2 === 0 ? text(word, BIG_RESULT_UNITS) : 'const answer = 42\n'.repeat(BIG_RESULT_UNITS / 18)
    yield message(2 * n + 1, 'user', 'user', { type: 'tool_result', tool_use_id: id, content })
  }
  yield RESULT
}
