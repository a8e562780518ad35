import { ExecEventType, ExecSession } from '../../dist/index.mjs'
import { agentPath } from './agent.mjs'
import { measure } from './measure.mjs'

await measure(async (consumer) => {
  const session = await ExecSession.create({ executable: agentPath('replay-after-prompt'), save: false })
  session.on(ExecEventType.TEXT_DELTA, ({ data }) =>
    consumer.take('text_delta', data.content, data.parentToolUseId),
  )
  session.on(ExecEventType.THINKING_DELTA, ({ data }) => {
    if (data.content !== undefined) consumer.take('thinking', data.content, data.parentToolUseId)
  })
  session.on(ExecEventType.TOOL_COMPLETED, ({ data }) =>
    consumer.take('tool_result', data.data, data.parentToolUseId),
  )
  await session.execute('go')
  await session.end()
})
