// A stream in the shape of `codex exec --experimental-json` (0.163), with lines as long as claude's deltas.
import { random, text, words } from './words.mjs'

/** Makes the lines about as long as a delta of claude with all its ids. */
const TEXT_UNITS = 180

/** A turn with `count` items: 80 % answers, 10 % reasoning, 10 % commands. */
export function* items(count) {
  const next = random()
  const word = words(next)
  yield { type: 'thread.started', thread_id: '0199a213-81c0-7800-8aa1-bbab2a035a53' }
  yield { type: 'turn.started' }
  for (let n = 0; n < count; n++) {
    const id = `item_${n}`
    const kind = next(10)
    if (kind < 8) yield completed({ id, type: 'agent_message', text: text(word, TEXT_UNITS) })
    else if (kind < 9) yield completed({ id, type: 'reasoning', text: text(word, TEXT_UNITS) })
    else {
      const output = { aggregated_output: text(word, TEXT_UNITS - 70), exit_code: 0, status: 'completed' }
      yield completed({ id, type: 'command_execution', command: 'bash -lc ls', ...output })
    }
  }
  yield { type: 'turn.completed', usage: { input_tokens: 1, cached_input_tokens: 0, output_tokens: 2 } }
}

const completed = (item) => ({ type: 'item.completed', item })
