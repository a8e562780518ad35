import { agentPath } from './agent.mjs'
import { takeItem } from './codex-item.mjs'
import { measure } from './measure.mjs'

const { Codex } = await import(process.env.BENCH_CODEX_SDK)

await measure(async (consumer) => {
  const codex = new Codex({ codexPathOverride: agentPath('replay-after-stdin') })
  const { events } = await codex.startThread().runStreamed('go')
  for await (const event of events) takeItem(event, consumer)
})
