// `npm run coverage`: how much of the code the tests run, for Rust and for TypeScript.
// Rust needs cargo-llvm-cov (cargo install cargo-llvm-cov --locked) and the toolchain's llvm-tools (rustup component add
// llvm-tools). The TypeScript figure is of the lines that the tests run, be it in the source that they import or in the
// built CLI that they start.
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (error) {
    console.error(`coverage: cannot start ${command}: ${error.message}`)
  }
  return status === 0
}

function rust() {
  if (spawnSync('cargo', ['llvm-cov', '--version'], { stdio: 'ignore' }).status !== 0) {
    return 'not measured: cargo-llvm-cov is not installed (cargo install cargo-llvm-cov --locked)'
  }
  const folder = mkdtempSync(join(tmpdir(), 'locus-exec-coverage-'))
  const report = join(folder, 'rust.json')
  try {
    // The border can only be linked into Node, so no Rust test runs it.
    const measured = run('cargo', [
      ...['llvm-cov', '--locked', '--package', 'locus-exec', '--ignore-run-fail'],
      ...['--json', '--summary-only', '--output-path', report],
    ])
    if (!measured) {
      return 'not measured: see above (llvm-tools come with: rustup component add llvm-tools)'
    }
    const [{ files, totals }] = JSON.parse(readFileSync(report, 'utf8')).data
    for (const { filename, summary } of files) {
      console.log(`${percent(summary.lines.percent).padStart(7)}  ${filename.replace(root, '')}`)
    }
    return `${percent(totals.lines.percent)} of lines, ${percent(totals.functions.percent)} of functions`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function typescript() {
  const folder = mkdtempSync(join(tmpdir(), 'locus-exec-coverage-'))
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  try {
    // Every CLI that a test starts leaves its counts there; see `__test__/support/cli.ts`.
    process.env.LOCUS_CLI_COVERAGE = folder
    // One of them runs as nobody.
    chmodSync(folder, 0o777)
    if (!run(process.execPath, [vitest, 'run', '--coverage'])) {
      return 'not measured: the tests failed'
    }
    const imported = JSON.parse(readFileSync(join(root, 'coverage', 'coverage-final.json'), 'utf8'))
    const own = lines(imported)
    const all = lines(imported, ...(await ofCli(folder)))
    return `${percent(all)} of lines; ${percent(own)} without what only the built CLI runs`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What the built CLI has run of each of its files, in terms of their source. */
async function ofCli(folder) {
  const [{ default: convert }, { mergeProcessCovs }, { parseAstAsync }] = await Promise.all([
    import('ast-v8-to-istanbul'),
    import('@bcoe/v8-coverage'),
    import('vitest/node'),
  ])
  const dist = pathToFileURL(join(root, 'dist')).href
  const runs = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')).result)
  const { result } = mergeProcessCovs(
    runs.map((scripts) => ({ result: scripts.filter(({ url }) => url.startsWith(`${dist}/`)) })),
  )
  return await Promise.all(
    result.map(async (coverage) => {
      const chunk = fileURLToPath(coverage.url)
      const code = readFileSync(chunk, 'utf8')
      const sourceMap = JSON.parse(readFileSync(`${chunk}.map`, 'utf8'))
      return await convert({ code, coverage, ast: await parseAstAsync(code), sourceMap })
    }),
  )
}

/** The share of the lines of the source that one of the maps has as run, in percent. */
function lines(...maps) {
  const run = new Map()
  for (const [path, { statementMap, s }] of maps.flatMap(Object.entries)) {
    if (path.startsWith(join(root, 'ts'))) {
      for (const [id, { start }] of Object.entries(statementMap)) {
        const line = `${path}:${start.line}`
        run.set(line, run.get(line) || s[id] > 0)
      }
    }
  }
  const hits = [...run.values()].filter(Boolean)
  return (100 * hits.length) / run.size
}

function percent(number) {
  return `${number.toFixed(1)}%`
}

if (!run(process.execPath, [join(root, 'scripts', 'setup.mjs')])) {
  process.exit(1)
}
const figures = [
  ['Rust', rust()],
  ['TypeScript', await typescript()],
]
console.log(`\n${figures.map(([name, figure]) => `${name}: ${figure}`).join('\n')}`)
process.exitCode = figures.some(([, figure]) => figure.startsWith('not measured')) ? 1 : 0
