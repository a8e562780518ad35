import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

const bench = fileURLToPath(new URL('../bench/bench.mjs', import.meta.url))
const { Lines } = (await import('../bench/contenders/lines.mjs')) as {
  Lines: new () => { push(buffer: Buffer): void; next(): string | undefined }
}

/** What a contender uses is read from /proc. */
describe.runIf(process.platform === 'linux')('npm run bench', () => {
  it('finds that every contender delivers the same, and reports what they used', () => {
    const args = ['--case=json-stream,loop', '--rounds=1', '--lines=2000']
    const report = execFileSync(process.execPath, [bench, ...args], { encoding: 'utf8', stdio: 'pipe' })
    expect(report).toMatch(/Delivered by cli, locus-like: the same 17\d\d chunks \([0-9a-f]{16}\)/)
    expect(report).toMatch(
      /Delivered by native-for-await, native-events, buffer-split: the same 18\d\d chunks/,
    )
    expect(report).toMatch(/\| deltas: event-loop delay p99 \| ≤ 5 ms \| [\d.]+ ms \|/)
    expect(report).toMatch(/\| addon: load \| ≤ 4 ms \| – \| not measured \|/)
  })
})

describe('the hand-written reader that the package is compared with', () => {
  it.each([1, 2, 7, 100])('cuts a stream in pieces of %i bytes into its lines', (size) => {
    const stream = Buffer.from('{"a":"é日🦀"}\n\n{}\nlast\n')
    const lines = new Lines()
    const seen: string[] = []
    for (let start = 0; start < stream.length; start += size) {
      lines.push(stream.subarray(start, start + size))
      for (let line = lines.next(); line !== undefined; line = lines.next()) seen.push(line)
    }
    expect(seen).toEqual(['{"a":"é日🦀"}', '', '{}', 'last'])
  })
})
