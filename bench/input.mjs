// Makes the input of a benchmark: a stream in claude's own shape, the same bytes on every machine.

import { once } from 'node:events'
import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SESSION = '5094d955-665d-4a8d-9cb7-6d98f473b94e'
const PLAIN = [
  'the ',
  'function ',
  'returns ',
  'a ',
  'promise, ',
  'which ',
  'resolves ',
  'when ',
  'all is done. ',
  'Then ',
]
// 30 % of the words are outside ASCII or have to be escaped.
const OTHER = [
  'naïve ',
  '日本語 ',
  '🦀🎉 ',
  'é ',
  'עברית ',
  '"quoted" ',
  'a\\b ',
  'line\n',
  'tab\t',
  'café – ',
  '“so” ',
]

/** A generator of pseudo-random numbers below `limit` (xorshift), so that runs are the same. */
function random(seed = 0x9e3779b9) {
  let x = seed
  return (limit) => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return (x >>> 0) % limit
  }
}

const uuid = (n) => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`

function delta(n, delta, parent = null) {
  const event = { type: 'content_block_delta', index: 0, delta }
  return {
    type: 'stream_event',
    event,
    session_id: SESSION,
    parent_tool_use_id: parent,
    uuid: uuid(n),
    api_message_id: 'msg_1',
  }
}

/** The lines of a turn with `count` deltas: text, thinking, tool input and a subagent's text among them. */
function* turn(count) {
  const next = random()
  const word = () => (next(10) < 3 ? OTHER[next(OTHER.length)] : PLAIN[next(PLAIN.length)])
  yield { type: 'system', subtype: 'init', session_id: SESSION, model: 'bench', permissionMode: 'default' }
  for (let n = 0; n < count; n++) {
    const kind = next(100)
    if (kind < 80) yield delta(n, { type: 'text_delta', text: word() })
    else if (kind < 88) yield delta(n, { type: 'thinking_delta', thinking: word() })
    else if (kind < 96) yield delta(n, { type: 'input_json_delta', partial_json: `{"command":"ls ${word()}` })
    else yield delta(n, { type: 'text_delta', text: word() }, 'toolu_1')
  }
  yield {
    ...{
      duration_api_ms: 1,
      stop_reason: 'end_turn',
      session_id: SESSION,
      total_cost_usd: 0.5,
      is_error: false,
      num_turns: 1,
    },
    ...{
      subtype: 'success',
      result: 'done',
      type: 'result',
      duration_ms: 2,
      usage: { input_tokens: 1, output_tokens: 2 },
    },
  }
}

/** The path of the file with a turn of `count` deltas; made when it is not there. */
export async function inputFile(count) {
  const folder = join(tmpdir(), 'locus-exec-bench')
  const path = join(folder, `deltas-v1-${count}.jsonl`)
  if (existsSync(path)) return path
  mkdirSync(folder, { recursive: true })
  const temporary = `${path}.${process.pid}`
  const file = createWriteStream(temporary)
  for (const line of turn(count)) {
    if (!file.write(`${JSON.stringify(line)}\n`)) await once(file, 'drain')
  }
  file.end()
  await once(file, 'close')
  renameSync(temporary, path)
  return path
}
