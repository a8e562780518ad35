import { ExecSession } from '../../dist/index.mjs'
import { agentPath } from './agent.mjs'
import { measureFed } from './fed.mjs'

const flushMs = Number(process.env.BENCH_FLUSH_MS)

await measureFed(async (stream, consumer) => {
  const session = await ExecSession.create({ executable: agentPath('fed'), flushMs, save: false })
  for await (const chunk of session.executeStreaming('go')) {
    if (chunk.type === 'text_delta') consumer.take(stream, chunk.content)
  }
  await session.end()
})
