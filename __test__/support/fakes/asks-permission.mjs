#!/usr/bin/env node
// Asks whether it may run a command, and answers with what it was told.
import { ask, engine, init, listen, result, say, textDelta } from './protocol.mjs'

const input = { command: 'rm -rf build' }

listen()
engine.on('prompt', async (_, turn) => {
  init()
  const id = `toolu_${turn}`
  say({ type: 'assistant', message: { content: [{ type: 'tool_use', id, name: 'Bash', input }] } })
  const { response } = await ask(`question-${turn}`, {
    ...{ subtype: 'can_use_tool', tool_name: 'Bash', input, tool_use_id: id },
    permission_suggestions: [{ type: 'addRules', rules: [{ toolName: 'Bash' }] }],
  })
  const denied = response.behavior === 'deny'
  const content = denied ? response.message : `ran ${response.updatedInput.command}`
  say({
    type: 'user',
    message: { content: [{ type: 'tool_result', tool_use_id: id, content, is_error: denied }] },
  })
  const answer = JSON.stringify(response)
  say(textDelta(answer))
  result(answer)
})
