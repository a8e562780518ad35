// `npm run lint`: everything that is checked without running the code. All steps run, whatever failed before.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const node = (path, ...args) => [process.execPath, join(root, ...path.split('/')), ...args]

/** Each is a name and the commands that must succeed, one after the other. */
const STEPS = [
  ['the dependencies are installed', [node('scripts/setup.mjs')]],
  ['Rust is formatted', [['cargo', 'fmt', '--all', '--check']]],
  [
    'clippy has nothing to say',
    [['cargo', 'clippy', '--workspace', '--all-targets', '--locked', '--', '-D', 'warnings']],
  ],
  ['the types fit', [node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.json')]],
  [
    'biome has nothing to say',
    [node('node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.')],
  ],
  [
    'index.d.ts is what its generator makes',
    [node('scripts/build.mjs'), ['git', 'diff', '--exit-code', '--', 'index.d.ts']],
  ],
  [
    'the crates may be used',
    [['cargo', 'deny', '--all-features', 'check', 'bans', 'licenses', 'sources']],
    hasCargoDeny,
  ],
  ['no crate is known to be vulnerable', [['cargo', 'deny', 'check', 'advisories']], hasAdvisories],
]

function hasCargoDeny() {
  return (
    succeeds('cargo', 'deny', '--version') ||
    'cargo-deny is not installed (cargo install cargo-deny --locked)'
  )
}

/** They come from GitHub: a network without it is no finding. */
function hasAdvisories() {
  const installed = hasCargoDeny()
  const fetched = installed === true && succeeds('cargo', 'deny', 'fetch', 'db')
  return fetched || (installed === true ? 'the database of advisories cannot be fetched' : installed)
}

function succeeds(command, ...args) {
  return spawnSync(command, args, { cwd: root, stdio: 'ignore' }).status === 0
}

function run([command, ...args]) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (error) {
    console.error(`lint: cannot start ${command}: ${error.message}`)
  }
  return status === 0
}

const summary = STEPS.map(([name, commands, isPossible = () => true]) => {
  const possible = isPossible()
  if (possible !== true) {
    return { line: `- ${name}: skipped, ${possible}`, failed: false }
  }
  console.log(`\n── ${name} ──`)
  const failed = !commands.every(run)
  return { line: `${failed ? '✗' : '✓'} ${name}`, failed }
})

console.log(`\n${summary.map(({ line }) => line).join('\n')}`)
process.exitCode = summary.some(({ failed }) => failed) ? 1 : 0
