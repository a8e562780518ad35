// Reviews many files, several at once, each with an agent of its own that may only read. One that fails does not stop the
// others; Ctrl+C stops all.
//   node examples/parallel-review.mjs src/*.ts
import { addUsage, StreamingExecutor } from '@locus/exec-native'

const AT_ONCE = 4

const files = process.argv.slice(2)
const executor = new StreamingExecutor({
  provider: process.env.LOCUS_PROVIDER ?? 'claude',
  allowedTools: ['Read', 'Grep', 'Glob'],
  budget: { costUsd: 0.5 },
})
const controller = new AbortController()
process.once('SIGINT', () => controller.abort())

const reviews = new Map()
let usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }
const waiting = files.values()

async function work() {
  // Every worker takes the next file from the same list.
  for (const file of waiting) {
    try {
      const prompt = `Review ${file}. Name real defects only, each with its line.`
      const result = await executor.execute(prompt, { signal: controller.signal })
      usage = addUsage(usage, result.usage)
      reviews.set(file, result.content)
      console.error(`✓ ${file} (${result.durationMs} ms)`)
    } catch (error) {
      reviews.set(file, `**Not reviewed**: ${error.message}`)
      process.exitCode = 1
      console.error(`✗ ${file}: ${error.code}`)
    }
  }
}
await Promise.all(Array.from({ length: AT_ONCE }, work))

for (const file of files) {
  console.log(`## ${file}\n\n${reviews.get(file)}\n`)
}
console.error(`${files.length} files, ${usage.input + usage.output} tokens, $${usage.costUsd ?? '?'}`)
