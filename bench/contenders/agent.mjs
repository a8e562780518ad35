import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The path of an agent of the benchmark. */
export const agentPath = (name) => fileURLToPath(new URL(`../agents/${name}`, import.meta.url))

const PROMPT = [
  { type: 'control_request', request_id: '1', request: { subtype: 'initialize' } },
  { type: 'user', message: { role: 'user', content: 'go' }, parent_tool_use_id: null },
]
  .map((line) => `${JSON.stringify(line)}\n`)
  .join('')

/** An agent that speaks claude's protocol, prompted, as a child process. */
export function startAgent(name) {
  const child = spawn(agentPath(name), [], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.write(PROMPT)
  return child
}
