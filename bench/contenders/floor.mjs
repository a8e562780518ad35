// What the pipe alone costs: `cat file | wc -c`. Has no main thread to measure; the CPU is that of both processes.
import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'

const { BENCH_INPUT } = process.env
const begin = performance.now()
// `times` of a shell tells what its children used.
const output = execFileSync('bash', ['-c', 'cat "$BENCH_INPUT" | wc -c; times'], {
  encoding: 'utf8',
})
const wallMs = performance.now() - begin
const [count, , children] = output.trim().split('\n')
if (Number(count) !== statSync(BENCH_INPUT).size) throw new Error(`wc counted ${count} bytes`)
const processCpuMs = [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
  (sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000,
  0,
)
console.log(JSON.stringify({ wallMs, processCpuMs }))
