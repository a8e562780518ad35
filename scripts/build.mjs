// Builds everything: the addon and the runner (cargo), the package and the CLI (bundle.mjs), the types (tsc).
//   node scripts/build.mjs [--if-stale] [--js-only]
import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const exe = process.platform === 'win32' ? '.exe' : ''

/** Builds what is older than its sources; all of it unless `ifStale`. */
export async function build({ ifStale = false, jsOnly = false } = {}) {
  if (!jsOnly && !(ifStale && isFresh(NATIVE))) buildNative()
  if (!(ifStale && isFresh(JS))) await buildJs()
}

const NATIVE = {
  sources: ['Cargo.toml', 'Cargo.lock', '.cargo', 'src', 'binding', 'package.json'],
  products: () => [`locus-runner${exe}`, ...readdirSync(root).filter((name) => name.endsWith('.node'))],
  least: 2,
}
const JS = {
  sources: [
    ...['ts', 'index.d.ts', 'package.json', 'tsconfig.json', 'tsconfig.build.json'],
    ...['scripts/build.mjs', 'scripts/bundle.mjs'],
  ],
  // A build begins with an empty folder: all others are as old as these.
  products: () => [
    'dist/index.cjs',
    'dist/sdk.cjs',
    'dist/cli.cjs',
    'types/index.d.ts',
    'types/sdk/index.d.ts',
  ],
  least: 5,
}

function isFresh({ sources, products, least }) {
  const made = products().map((path) => join(root, path))
  if (made.length < least || !made.every(existsSync)) return false
  const oldest = Math.min(...made.map((path) => statSync(path).mtimeMs))
  return newest(sources) <= oldest
}

function newest(paths, parent = root) {
  return Math.max(
    0,
    ...paths.map((path) => {
      const full = join(parent, path)
      const stat = statSync(full)
      return stat.isDirectory() ? newest(readdirSync(full), full) : stat.mtimeMs
    }),
  )
}

function buildNative() {
  // napi names the target, and what cargo builds for a target that is named is shared only with its like.
  const target = hostTarget()
  run('cargo', [
    ...['rustc', '--release', '--locked', '--target', target],
    ...['--package', 'locus-exec', '--bin', 'locus-runner'],
    ...(canLinkStatically() ? ['--', '-C', 'target-feature=+crt-static'] : []),
  ])
  const napi = join(root, 'node_modules', '@napi-rs', 'cli', 'dist', 'cli.js')
  run(process.execPath, [
    ...[napi, 'build', '--release', '--target', target, '--platform', '--no-js'],
    ...['--manifest-path', 'binding/Cargo.toml', '--package-json-path', 'package.json', '--output-dir', '.'],
    ...['--', '--locked'],
  ])
  // Replaced by rename: the old one may be running.
  const runner = join(root, `locus-runner${exe}`)
  rmSync(runner, { force: true })
  copyFileSync(join(root, 'target', target, 'release', `locus-runner${exe}`), runner)
  chmodSync(runner, 0o755)
}

/** The target that this machine's compiler builds for by itself, as `x86_64-unknown-linux-gnu`. */
function hostTarget() {
  const { stdout } = spawnSync('rustc', ['--version', '--verbose'], { cwd: root, encoding: 'utf8' })
  const host = /^host: (.+)$/m.exec(stdout ?? '')?.[1]
  if (host === undefined) throw isMissing('rustc')
  return host
}

/**
 * Whether glibc can be linked into the runner: it then starts in half the time and with two thirds of the memory, twice
 * for each agent, and does not care which libc the machine has. Not every distribution installs the archive.
 */
function canLinkStatically() {
  if (process.platform !== 'linux') return false
  const { stdout } = spawnSync('cc', ['-print-file-name=libc.a'], { encoding: 'utf8' })
  // A compiler that has no such file prints the bare name.
  return stdout?.includes('/') ?? false
}

async function buildJs() {
  const { bundle } = await import('./bundle.mjs')
  await bundle(root)
  rmSync(join(root, 'types'), { recursive: true, force: true })
  run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'])
  // The types of the faces for `import`, which `bundle` makes.
  for (const entry of ['index', 'sdk/index']) {
    writeFileSync(join(root, 'types', `${entry}.d.mts`), "export * from './index.js'\n")
  }
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (error?.code === 'ENOENT') {
    throw isMissing(command)
  }
  if (error) throw error
  if (status !== 0) throw new Error(`'${command} ${args[0]}' failed with exit code ${status}`)
}

function isMissing(command) {
  return new Error(`'${command}' was not found; Rust's stable toolchain is needed (https://rustup.rs)`)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const flags = process.argv.slice(2)
  try {
    await build({ ifStale: flags.includes('--if-stale'), jsOnly: flags.includes('--js-only') })
  } catch (error) {
    console.error(`build: ${error.message}`)
    process.exitCode = 1
  }
}
