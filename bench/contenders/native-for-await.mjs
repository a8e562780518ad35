import { measure } from './measure.mjs'
import { createSession } from './native-session.mjs'

await measure(async (consumer) => {
  const session = await createSession()
  for await (const chunk of session.executeStreaming('go')) {
    if ((chunk.type === 'text_delta' || chunk.type === 'thinking') && chunk.content !== undefined) {
      consumer.take(chunk.type, chunk.content, chunk.parentToolUseId)
    }
  }
  await session.end()
})
