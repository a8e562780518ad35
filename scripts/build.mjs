// Builds everything: the addon and the runner (cargo), the package and the CLI (esbuild), the types (tsc).
//   node scripts/build.mjs [--if-stale] [--js-only]
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
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
  sources: ['Cargo.toml', 'Cargo.lock', 'src', 'binding', 'package.json'],
  products: () => [`locus-runner${exe}`, ...readdirSync(root).filter((name) => name.endsWith('.node'))],
  least: 2,
}
const JS = {
  sources: ['ts', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/build.mjs', 'index.d.ts'],
  products: () => [
    ...['dist/index.cjs', 'dist/sdk.cjs', 'dist/cli.cjs', 'dist/interactive.cjs', 'dist/live.cjs'],
    ...['types/index.d.ts', 'types/sdk/index.d.ts'],
  ],
  least: 7,
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
  run('cargo', [
    ...['rustc', '--release', '--locked', '--package', 'locus-exec', '--bin', 'locus-runner'],
    ...(canLinkStatically() ? ['--', '-C', 'target-feature=+crt-static'] : []),
  ])
  const napi = join(root, 'node_modules', '@napi-rs', 'cli', 'dist', 'cli.js')
  run(process.execPath, [
    ...[napi, 'build', '--release', '--platform'],
    ...['--manifest-path', 'binding/Cargo.toml', '--package-json-path', 'package.json', '--output-dir', '.'],
    ...['--', '--locked'],
  ])
  // Replaced by rename: the old one may be running.
  const runner = join(root, `locus-runner${exe}`)
  rmSync(runner, { force: true })
  copyFileSync(join(root, 'target', 'release', `locus-runner${exe}`), runner)
  chmodSync(runner, 0o755)
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
  const { build: bundle } = await import('esbuild')
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  const shared = {
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20.17',
    // For coverage; not shipped, so nothing refers to them.
    sourcemap: 'external',
    sourcesContent: false,
    logLevel: 'warning',
    external: ['../index.js'],
    // Required when it is time: Node looks through a CommonJS file that is imported for what it may export.
    supported: { 'dynamic-import': false },
    // One implementation for both module systems: classes, and `instanceof` with them, exist once.
    format: 'cjs',
    define: { 'import.meta.url': 'importMetaUrl' },
    banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
  }
  const names = await buildLibrary(bundle, shared)
  await bundle({
    ...shared,
    entryPoints: { cli: 'ts/cli/bin.ts' },
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    banner: { js: `#!/usr/bin/env node\n${shared.banner.js}` },
    plugins: [apart(INTERACTIVE), apart(LIVE)],
  })
  await bundle({
    ...shared,
    entryPoints: { interactive: 'ts/cli/repl/run.ts' },
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    plugins: [apart(HIGHLIGHT)],
  })
  await bundle({
    ...shared,
    entryPoints: { live: 'ts/cli/display/live-run.ts' },
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    plugins: [apart(HIGHLIGHT)],
  })
  await bundle({
    ...shared,
    entryPoints: { highlight: 'ts/cli/display/highlight.ts' },
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
  })
  chmodSync(join(root, 'dist', 'cli.cjs'), 0o755)
  rmSync(join(root, 'types'), { recursive: true, force: true })
  run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json'])
  mkdirSync(join(root, 'types'), { recursive: true })
  // The face for `import`. By name: `export *` would also give what Node adds by itself to a CommonJS module.
  for (const [name, types] of [
    ['index', 'index'],
    ['sdk', 'sdk/index'],
  ]) {
    const face = `export { ${names[name].join(', ')} } from './${name}.cjs'\n`
    writeFileSync(join(root, 'dist', `${name}.mjs`), face)
    writeFileSync(join(root, 'types', `${types}.d.mts`), "export * from './index.js'\n")
  }
}

/**
 * The package and its `/sdk`, with what they share in a file of its own, so that it exists once. esbuild shares code only
 * between ES modules; the second step makes CommonJS of them. Resolves with the names that each exports.
 */
async function buildLibrary(bundle, { define, banner, ...shared }) {
  const modules = join(root, 'dist', 'modules')
  const outExtension = { '.js': '.cjs' }
  const { metafile } = await bundle({
    ...shared,
    format: 'esm',
    metafile: true,
    // The second step follows the comment.
    sourcemap: 'linked',
    splitting: true,
    entryPoints: { index: 'ts/index.ts', sdk: 'ts/sdk/index.ts' },
    chunkNames: 'shared-[hash]',
    outdir: modules,
    outExtension,
  })
  const entryPoints = readdirSync(modules)
    .filter((name) => name.endsWith('.cjs'))
    .map((name) => join(modules, name))
  const { external: _, ...options } = shared
  const loader = { '.cjs': 'js' }
  await bundle({
    ...options,
    ...{ define, banner, entryPoints, loader, bundle: false, outdir: 'dist', outExtension },
  })
  rmSync(modules, { recursive: true, force: true })
  const exportsOf = (name) => metafile.outputs[`dist/modules/${name}.cjs`].exports.toSorted()
  return { index: exportsOf('index'), sdk: exportsOf('sdk') }
}

/** Modules that are files of their own, so that nobody reads what is not needed. */
const INTERACTIVE = { filter: /\/repl\/run\.js$/, path: './interactive.cjs' }
const LIVE = { filter: /\/display\/live-run\.js$/, path: './live.cjs' }
const HIGHLIGHT = { filter: /\/highlight\.js$/, path: './highlight.cjs' }

function apart({ filter, path }) {
  return {
    name: `apart ${path}`,
    setup({ onResolve }) {
      onResolve({ filter }, () => ({ path, external: true }))
    },
  }
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (error?.code === 'ENOENT') {
    throw new Error(`'${command}' was not found; Rust's stable toolchain is needed (https://rustup.rs)`)
  }
  if (error) throw error
  if (status !== 0) throw new Error(`'${command} ${args[0]}' failed with exit code ${status}`)
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
