// Runs a CLI that writes protocol 1 (`json-stream.mjs cli` or `locus-like`), reads what it writes, and prints its figures.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { agentPath } from './agent.mjs'
import { Consumer } from './consumer.mjs'
import { Lines } from './lines.mjs'

const path = (name) => fileURLToPath(new URL(name, import.meta.url))

const PROGRAMS = {
  cli: [
    path('../../dist/cli.cjs'),
    ...[
      'exec',
      '--provider',
      'claude',
      '--executable',
      agentPath('replay-after-prompt'),
      '--json-stream',
      '--no-save',
      'go',
    ],
  ],
  'locus-like': [path('locus-like.mjs')],
}

const folder = mkdtempSync(join(tmpdir(), 'locus-exec-bench-'))
const BENCH_FIGURES = join(folder, 'figures.json')
try {
  const child = spawn(
    process.execPath,
    ['--import', path('figures-at-exit.mjs'), ...PROGRAMS[process.argv[2]]],
    {
      env: { ...process.env, BENCH_FIGURES },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const left = once(child, 'close')
  const consumer = new Consumer()
  const lines = new Lines()
  for await (const buffer of child.stdout) {
    // In timed runs the reader is to be no slower than a pipe.
    if (!process.env.BENCH_HASH) continue
    lines.push(buffer)
    for (let line = lines.next(); line !== undefined; line = lines.next()) {
      const { type, payload } = JSON.parse(line)
      if (type === 'text_delta' || type === 'thinking') consumer.take(type, payload.content)
    }
  }
  const [code] = await left
  if (code !== 0) throw new Error(`the CLI left with ${code}`)
  const figures = JSON.parse(readFileSync(BENCH_FIGURES, 'utf8'))
  console.log(JSON.stringify({ ...figures, ...(process.env.BENCH_HASH && consumer.summary) }))
} finally {
  rmSync(folder, { recursive: true })
}
