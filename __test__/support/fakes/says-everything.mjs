#!/usr/bin/env node
// The first turn has everything that an agent can say; every later one fails.
import { ask, engine, init, listen, result, say, streamEvent, textDelta } from './protocol.mjs'

const assistant = (block, parent = null) =>
  say({ type: 'assistant', parent_tool_use_id: parent, message: { content: [block] } })
const toolUse = (id, name, input, parent) => assistant({ type: 'tool_use', id, name, input }, parent)
const toolResult = (id, content, { failed = false, parent = null, data } = {}) =>
  say({
    ...{ type: 'user', parent_tool_use_id: parent, tool_use_result: data },
    message: { content: [{ type: 'tool_result', tool_use_id: id, content, is_error: failed }] },
  })

async function everything() {
  init()
  say({ type: 'system', subtype: 'status', status: 'requesting' })
  say({
    type: 'system',
    subtype: 'api_retry',
    attempt: 1,
    max_retries: 10,
    retry_delay_ms: 500,
    error_status: 529,
  })
  say(streamEvent({ type: 'message_start', message: { usage: { input_tokens: 10, output_tokens: 1 } } }))
  say(
    streamEvent({ type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '' } }),
  )
  say(
    streamEvent({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'thinking_delta', thinking: 'Let me see.' },
    }),
  )
  say(textDelta('I will look. '))
  say(
    streamEvent({
      type: 'content_block_start',
      index: 1,
      content_block: { type: 'tool_use', id: 'read', name: 'Read' },
    }),
  )
  toolUse('read', 'Read', { file_path: 'a.txt' })
  toolResult('read', 'text', { data: { file: { numLines: 3 } } })
  toolUse('task', 'Task', { description: 'look closer' })
  assistant({ type: 'thinking', thinking: 'As a subagent.' }, 'task')
  assistant({ type: 'text', text: 'I am a subagent.' }, 'task')
  toolUse('grep', 'Grep', { pattern: 'x' }, 'task')
  toolResult('grep', 'no such folder', { failed: true, parent: 'task' })
  toolResult('task', 'closer')
  process.stdout.write('this is no JSON\n')
  await ask('question', {
    subtype: 'can_use_tool',
    tool_name: 'Bash',
    input: { command: 'ls' },
    tool_use_id: 'bash',
  })
  say(textDelta('That is all.'))
  say(streamEvent({ type: 'message_delta', usage: { output_tokens: 20 } }))
  result('I will look. That is all.', {
    num_turns: 2,
    total_cost_usd: 0.25,
    usage: {
      input_tokens: 10,
      output_tokens: 20,
      cache_read_input_tokens: 4,
      cache_creation_input_tokens: 2,
    },
  })
}

listen()
engine.on('prompt', (_, turn) => {
  if (turn === 1) {
    return everything()
  }
  init()
  result('overloaded', { is_error: true, api_error_status: 529 })
})
