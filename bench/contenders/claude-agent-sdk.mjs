import { agentPath } from './agent.mjs'
import { measure } from './measure.mjs'

const { query } = await import(process.env.BENCH_CLAUDE_AGENT_SDK)

await measure(async (consumer) => {
  const options = {
    pathToClaudeCodeExecutable: agentPath('replay-after-prompt'),
    includePartialMessages: true,
    settingSources: [],
  }
  for await (const message of query({ prompt: 'go', options })) {
    consumer.takeMessage(message)
    const due = consumer.due()
    if (due) await due
  }
})
