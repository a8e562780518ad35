// `npm run test:compat`: the package as it is installed, in other runtimes.
//   npm run test:compat                                     those below
//   npm run test:compat -- node@26 bun                      only these, the newest of them; `node`: the one that runs this
//   npm run test:compat -- node@26 --suite [--only <word>]  … and then the TypeScript tests (whose file has the word) there
// Everything is installed in a temporary folder; every step has a limit. Prints a line for each runtime, fails if one does.
import { execFile, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'

import './setup.mjs'
import { pack } from './pack.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const WINDOWS = process.platform === 'win32'
// Pinned, so that only a change here changes what is found.
const RUNTIMES = ['node@22.23.3', 'node@24.21.0', 'node@26.10.0', 'bun@1.4.5', 'deno@2.9.6']
const [INSTALL_MS, CHECK_MS, SUITE_MS] = [180_000, 120_000, 1_200_000]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    suite: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
  },
})

/** Runs a program that must succeed within its time; resolves with what it printed. */
async function run(command, args, { cwd, timeout, shell = false }) {
  const options = { cwd, timeout, shell, killSignal: 'SIGKILL', maxBuffer: 16 * 1024 * 1024 }
  const { stdout } = await promisify(execFile)(command, args, options).catch((error) => {
    const reason = error.killed ? `took more than ${timeout / 1000} s` : `ended with ${error.code}`
    throw new Error(`${command} ${args.join(' ')} ${reason}\n${error.stdout ?? ''}${error.stderr ?? ''}`)
  })
  return stdout.trim()
}

async function npmInstall(folder, ...args) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n')
  const options = ['--no-audit', '--no-fund', '--loglevel=error']
  const npm = WINDOWS ? 'npm.cmd' : 'npm'
  await run(npm, ['install', ...options, ...args], { cwd: folder, timeout: INSTALL_MS, shell: WINDOWS })
}

/** Installs a runtime; resolves with the command that runs a script in it and its version. */
async function install(runtime, folder) {
  const [name, version = 'latest'] = runtime.split('@')
  if (runtime === 'node') {
    return { name, executable: process.execPath, flags: [], version: process.versions.node }
  }
  // The binary alone: the package `node` would fetch it by a script.
  const wanted = name === 'node' ? `node-${WINDOWS ? 'win' : process.platform}-${process.arch}` : name
  await npmInstall(folder, `${wanted}@${version}`)
  const modules = join(folder, 'node_modules')
  const binary = name === 'node' ? [wanted, 'bin', WINDOWS ? 'node.exe' : 'node'] : ['.bin', name]
  const executable = join(modules, ...binary)
  const flags = { bun: ['--bun'], deno: ['run', '--allow-all'] }[name] ?? []
  const told = await run(executable, ['--version'], { cwd: folder, timeout: CHECK_MS })
  return { name, executable, flags, version: /\d+\.\d+\.\d+/.exec(told)?.[0] }
}

/** What the package must do in a runtime; throws where it does not. */
async function check({ executable, flags }, project) {
  const cli = join('node_modules', '@locus', 'exec-native', 'dist', 'cli.cjs')
  const demo = ['exec', '--no-save', '--json-stream', '--provider', 'demo', 'hi']
  const options = { cwd: project, timeout: CHECK_MS }
  const [checks, lines] = await Promise.all([
    run(executable, [...flags, 'program.mjs'], options),
    run(executable, [...flags, cli, ...demo], options),
  ])
  const last = JSON.parse(lines.split('\n').at(-1))
  if (last.type !== 'done' || last.payload.exitCode !== 0) {
    throw new Error(`the command line ended with ${JSON.stringify(last)}`)
  }
  return `${checks}; the command line answers`
}

/** The TypeScript tests in a Node, with what they start. */
function runSuite({ executable }) {
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const { status } = spawnSync(executable, [vitest, 'run', ...values.only], {
    ...{ cwd: root, stdio: 'inherit', timeout: SUITE_MS },
    env: { ...process.env, PATH: `${dirname(executable)}${delimiter}${process.env.PATH}` },
  })
  if (status !== 0)
    throw new Error(`the tests failed (${status === null ? 'out of time' : `exit code ${status}`})`)
  return 'the tests pass'
}

const folder = mkdtempSync(join(tmpdir(), 'locus-exec-compat-'))
try {
  const project = join(folder, 'project')
  const tarballs = pack({ out: join(folder, 'tarballs') })
  await npmInstall(project, '--offline', ...tarballs.map(({ path }) => path))
  copyFileSync(join(root, '__test__', 'compat', 'program.mjs'), join(project, 'program.mjs'))
  const wanted = positionals.length > 0 ? positionals : RUNTIMES
  const outcomes = await Promise.all(
    wanted.map(async (runtime) => {
      try {
        const installed = await install(runtime, join(folder, runtime))
        const line = `${installed.name} ${installed.version}: ${await check(installed, project)}`
        return { line, installed }
      } catch (error) {
        return { line: `${runtime}: ${error.message}`, failed: true }
      }
    }),
  )
  for (const outcome of outcomes.filter(({ installed }) => values.suite && installed?.name === 'node')) {
    try {
      outcome.line += `; ${runSuite(outcome.installed)}`
    } catch (error) {
      outcome.line += `; ${error.message}`
      outcome.failed = true
    }
  }
  console.log(outcomes.map(({ line, failed }) => `${failed ? '✗' : '✓'} ${line}`).join('\n'))
  process.exitCode = outcomes.some(({ failed }) => failed) ? 1 : 0
} finally {
  rmSync(folder, { recursive: true, force: true })
}
