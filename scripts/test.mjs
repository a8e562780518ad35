// `npm test`: sets all up, runs the tests of Rust and then those of TypeScript, and sums them up in its last line.
//   npm test -- [word …] [--flag …]
// A word keeps the Rust tests that have it in their name and the TypeScript tests that have it in their file's; flags go
// to vitest alone, for example `--testNamePattern=cancel` or `--update`.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const args = process.argv.slice(2)
const flags = args.filter((arg) => arg.startsWith('-'))
const words = args.filter((arg) => !arg.startsWith('-'))

/** What a runner came to. Where it failed without a failed test, for example to compile, it counts as one. */
const outcome = (passed, failed, succeeded) => ({ passed, failed: succeeded ? failed : Math.max(failed, 1) })

async function rust() {
  // Every binary is run, whatever failed before: the sum is of all tests.
  const child = spawn('cargo', ['test', '--locked', '--workspace', '--no-fail-fast', '--', ...words], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
    process.stdout.write(text)
  })
  const [code] = await once(child, 'close').catch((error) => {
    console.error(`test: cannot start cargo: ${error.message}`)
    return [1]
  })
  let [passed, failed] = [0, 0]
  for (const [, ok, bad] of output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed;/gm)) {
    passed += Number(ok)
    failed += Number(bad)
  }
  return outcome(passed, failed, code === 0)
}

function typescript() {
  const folder = mkdtempSync(join(tmpdir(), 'locus-exec-report-'))
  const report = join(folder, 'report.json')
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  try {
    const { status } = spawnSync(
      process.execPath,
      [
        ...[vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
        ...(words.length > 0 ? ['--passWithNoTests', ...words] : []),
        ...flags,
      ],
      { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
    )
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'))
    return outcome(numPassedTests, numFailedTests, status === 0)
  } catch (error) {
    console.error(`test: vitest left no report: ${error.message}`)
    return outcome(0, 0, false)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function run() {
  const setup = spawnSync(process.execPath, [join(root, 'scripts', 'setup.mjs')], { stdio: 'inherit' })
  if (setup.status !== 0) {
    return [outcome(0, 0, false)]
  }
  return [await rust(), typescript()]
}

const outcomes = await run()
const sum = (key) => outcomes.reduce((total, result) => total + result[key], 0)
const [passed, failed] = [sum('passed'), sum('failed')]
if (passed + failed === 0) {
  console.error(`test: no test has ${words.join(' or ')} in its name`)
}
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1
