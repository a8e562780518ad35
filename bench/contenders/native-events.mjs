import { ExecEventType } from '../../dist/index.mjs'
import { measure } from './measure.mjs'
import { createSession } from './native-session.mjs'

await measure(async (consumer) => {
  const session = await createSession()
  session.on(ExecEventType.TEXT_DELTA, ({ data }) =>
    consumer.take('text_delta', data.content, data.parentToolUseId),
  )
  session.on(ExecEventType.THINKING_DELTA, ({ data }) => {
    if (data.content !== undefined) consumer.take('thinking', data.content, data.parentToolUseId)
  })
  await session.execute('go')
  await session.end()
})
