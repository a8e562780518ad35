import { ExecSession } from '../../dist/index.mjs'
import { agentPath } from './agent.mjs'
import { measure } from './measure.mjs'

await measure(async (consumer) => {
  const session = await ExecSession.create({
    executable: agentPath('replay-after-prompt'),
    save: false,
    maxLineBytes: 128 * 1024 * 1024,
  })
  for await (const chunk of session.executeStreaming('go')) {
    if (chunk.type === 'text_delta') consumer.take('text_delta', chunk.content, chunk.parentToolUseId)
    else if (chunk.type === 'thinking') {
      if (chunk.content !== undefined) consumer.take('thinking', chunk.content, chunk.parentToolUseId)
    } else if (chunk.type === 'tool_result') consumer.take('tool_result', chunk.data, chunk.parentToolUseId)
    const due = consumer.due()
    if (due) await due
  }
  await session.end()
})
