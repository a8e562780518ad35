#!/usr/bin/env node
// Asks whether it may run a command, or use the tool of $FAKE_TOOL, and answers with what it was told.
import { ask, engine, init, listen, result, say, textDelta } from './protocol.mjs'

const { tool: name, input } = JSON.parse(
  process.env.FAKE_TOOL ?? '{ "tool": "Bash", "input": { "command": "rm -rf build" } }',
)

listen()
engine.on('prompt', async (_, turn) => {
  init()
  const id = `toolu_${turn}`
  say({ type: 'assistant', message: { content: [{ type: 'tool_use', id, name, input }] } })
  const { response } = await ask(`question-${turn}`, {
    ...{ subtype: 'can_use_tool', tool_name: name, input, tool_use_id: id },
    permission_suggestions: [{ type: 'addRules', rules: [{ toolName: name }] }],
  })
  const denied = response.behavior === 'deny'
  const content = denied ? response.message : `ran ${response.updatedInput.command ?? name}`
  say({
    type: 'user',
    message: { content: [{ type: 'tool_result', tool_use_id: id, content, is_error: denied }] },
  })
  const answer = JSON.stringify(response)
  say(textDelta(answer))
  result(answer)
})
