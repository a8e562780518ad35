// Runs one prompt and shows what happens while it happens: the answer on stdout, the rest on stderr.
//   node examples/events.mjs "explain this project"
import { ExecEventType, ExecSession } from '@locus/exec-native'

const prompt = process.argv[2] ?? 'explain this project'
const session = await ExecSession.create({ provider: process.env.LOCUS_PROVIDER ?? 'claude', save: false })

session.on(ExecEventType.TOOL_STARTED, ({ data }) => console.error(`→ ${data.toolName}`, data.parameters))
session.on(ExecEventType.TOOL_COMPLETED, ({ data }) =>
  console.error(`✓ ${data.toolName} (${data.duration} ms)`),
)
session.on(ExecEventType.TOOL_FAILED, ({ data }) => console.error(`✗ ${data.toolName}: ${data.error}`))
session.on(ExecEventType.RETRY_SCHEDULED, ({ data }) =>
  console.error(`… again in ${data.delayMs} ms: ${data.code}`),
)
session.on(ExecEventType.TEXT_DELTA, ({ data }) => process.stdout.write(data.content))

// Ctrl+C stops the turn; the agent and all that it started end with it.
const controller = new AbortController()
process.once('SIGINT', () => controller.abort())

try {
  const { usage, durationMs, toolsUsed } = await session.execute(prompt, { signal: controller.signal })
  const tokens = usage.input + usage.output
  console.error(`\n${toolsUsed.length} tools, ${tokens} tokens, $${usage.costUsd ?? '?'}, ${durationMs} ms`)
} catch (error) {
  console.error(`\n${error.code}: ${error.message}\n${error.remedy}`)
  process.exitCode = 1
} finally {
  await session.end()
}
