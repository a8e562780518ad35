// A step of a pipeline: reads the JSON stream of a run, writes a readable log and a summary, and fails where the run failed.
//   locus exec --json-stream --max-cost-usd 1 "review the last commit" | node examples/ci-step.mjs
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

let answer = ''
let done
for await (const line of createInterface({ input: process.stdin })) {
  const { type, payload } = JSON.parse(line)
  switch (type) {
    case 'text_delta':
      answer += payload.content
      break
    case 'tool_started':
      console.log(`${payload.tool} ${JSON.stringify(payload.parameters)}`)
      break
    case 'tool_completed':
      console.log(
        `${payload.tool} ${payload.success ? 'done' : `failed: ${payload.error}`} (${payload.duration} ms)`,
      )
      break
    case 'error':
      // GitHub shows it beside the step.
      console.log(`::error title=${payload.error.code}::${payload.error.message.replaceAll('\n', ' ')}`)
      break
    case 'done':
      done = payload
      break
    default:
  }
}

console.log(`\n${answer}\n`)
if (process.env.GITHUB_STEP_SUMMARY) {
  appendFileSync(process.env.GITHUB_STEP_SUMMARY, `${answer}\n`)
}
// `done` is always the last line: where it is missing, not even the command line survived.
const { exitCode, tokensUsed = 0, costUsd = 0 } = done ?? { exitCode: 1 }
console.log(`exit code ${exitCode}, ${tokensUsed} tokens, $${costUsd}`)
process.exitCode = exitCode
