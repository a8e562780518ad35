import { spawn } from 'node:child_process'

import { agentPath } from './agent.mjs'
import { takeItem } from './codex-item.mjs'
import { Lines } from './lines.mjs'
import { measure } from './measure.mjs'

await measure(async (consumer) => {
  const child = spawn(agentPath('replay-after-stdin'), [], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end('go')
  const lines = new Lines()
  for await (const buffer of child.stdout) {
    lines.push(buffer)
    for (let line = lines.next(); line !== undefined; line = lines.next())
      takeItem(JSON.parse(line), consumer)
  }
})
