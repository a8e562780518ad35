#!/usr/bin/env node
// @ts-check
// Installs the real agent CLIs that the tests run, each at a pinned version, outside this project's dependencies.
//   node scripts/install-agents.mjs      prints {"claude":"/…/bin"} on stdout; progress and errors go to stderr
//
// Every agent and version has its own folder in the cache ($LOCUS_AGENTS_DIR, else $XDG_CACHE_HOME/locus-exec-agents, else
// ~/.cache/locus-exec-agents). It is filled under another name and renamed once the agent has answered `--version`, so a folder that
// has its final name is complete, whatever happened to earlier attempts.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * @typedef {object} Agent
 * @property {string} package its name on npm
 * @property {string} version exactly this one
 * @property {string} bin the name of its command in the package's `bin`
 * @property {string} [setup] a script of the package that finishes the install (its postinstall, which npm is told not to run)
 */

/** The agents to install: one line each. */
const AGENTS = /** @satisfies {Record<string, Agent>} */ ({
  claude: { package: '@anthropic-ai/claude-code', version: '2.1.330', bin: 'claude', setup: 'install.cjs' },
  codex: { package: '@openai/codex', version: '0.169.0', bin: 'codex' },
  gemini: { package: '@google/gemini-cli', version: '0.61.0', bin: 'gemini' },
  // The last version for Node 20, and of those that speak ACP the smallest.
  qwen: { package: '@qwen-code/qwen-code', version: '0.15.10', bin: 'qwen' },
  opencode: { package: 'opencode-ai', version: '1.18.33', bin: 'opencode', setup: 'postinstall.mjs' },
})

/** Where npm's own words say that the registry could not be reached, rather than that it refused. */
const UNREACHABLE =
  /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED)\b/

/**
 * Installs whatever is not in the cache yet.
 * @returns {Promise<Record<keyof typeof AGENTS, string>>} the absolute path of each agent's executable, by agent
 */
export async function installAgents() {
  const cache = cacheFolder()
  /** @type {Record<string, string>} */
  const executables = {}
  for (const [name, agent] of Object.entries(AGENTS)) executables[name] = await install(cache, name, agent)
  return /** @type {Record<keyof typeof AGENTS, string>} */ (executables)
}

function cacheFolder() {
  const { LOCUS_AGENTS_DIR, XDG_CACHE_HOME } = process.env
  return resolve(LOCUS_AGENTS_DIR || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'locus-exec-agents'))
}

/**
 * @param {string} cache
 * @param {string} name
 * @param {Agent} agent
 * @returns {Promise<string>} the path of its executable
 */
async function install(cache, name, agent) {
  const folder = join(cache, `${name}-${agent.version}`)
  const installed = await executableIn(folder, agent).catch(() => null)
  if (installed) return installed

  await mkdir(cache, { recursive: true })
  await removeAborted(cache)
  // The process id in the name tells later runs whether somebody is still at work in there.
  const temporary = await mkdtemp(join(cache, `.partial-${process.pid}-`))
  try {
    process.stderr.write(`installing ${agent.package}@${agent.version} into ${folder}\n`)
    await fill(temporary, agent)
    // Either a folder that lost its executable is in the way, or another process was faster: the next line tells.
    if (!(await executableIn(folder, agent).catch(() => null)))
      await rm(folder, { recursive: true, force: true })
    await rename(temporary, folder).catch((error) => {
      if (!['EEXIST', 'ENOTEMPTY', 'EPERM'].includes(error.code)) throw error
    })
    return await executableIn(folder, agent)
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

/**
 * Installs an agent in an empty folder and makes sure that it runs.
 * @param {string} folder
 * @param {Agent} agent
 */
async function fill(folder, agent) {
  const wanted = `${agent.package}@${agent.version}`
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n')
  // The program itself is an optional dependency, by platform: a user's `omit=optional` must not drop it.
  const options =
    '--ignore-scripts --no-audit --no-fund --include=optional --fetch-retry-mintimeout=1000 --loglevel=error'
  const npm = await run('npm', ['install', ...options.split(' '), '--prefix', '.', wanted], folder)
  if (npm.code !== 0) {
    throw new Error(
      UNREACHABLE.test(npm.output)
        ? `cannot install ${wanted}: the npm registry is unreachable. Check the network and \`npm config get registry\`, or point ` +
            `LOCUS_AGENTS_DIR at a folder where an earlier run installed it. npm said:\n${npm.output}`
        : `cannot install ${wanted}: npm exited with ${npm.code}. It said:\n${npm.output}`,
    )
  }
  if (agent.setup) {
    const setup = await run(process.execPath, [join(packageIn(folder, agent), agent.setup)], folder)
    if (setup.code !== 0)
      throw new Error(
        `cannot install ${wanted}: its ${agent.setup} exited with ${setup.code}:\n${setup.output}`,
      )
  }
  const check = await run(await executableIn(folder, agent), ['--version'], folder)
  if (check.code !== 0 || !check.output.includes(agent.version)) {
    throw new Error(
      `${wanted} was installed but \`${agent.bin} --version\` exited with ${check.code} and said:\n${check.output}`,
    )
  }
}

/**
 * @param {string} folder
 * @param {Agent} agent
 */
const packageIn = (folder, agent) => join(folder, 'node_modules', agent.package)

/**
 * The file behind the package's `bin`: the links npm makes for it differ by platform, this does not.
 * @param {string} folder
 * @param {Agent} agent
 */
async function executableIn(folder, agent) {
  const root = packageIn(folder, agent)
  const { bin } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  const file = join(root, typeof bin === 'string' ? bin : bin[agent.bin])
  await access(file)
  return file
}

/**
 * Removes what aborted installs left behind, several hundred megabytes each.
 * @param {string} cache
 */
async function removeAborted(cache) {
  for (const entry of await readdir(cache)) {
    const owner = Number(/^\.partial-(\d+)-/.exec(entry)?.[1] ?? NaN)
    if (!Number.isNaN(owner) && !isRunning(owner))
      await rm(join(cache, entry), { recursive: true, force: true })
  }
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 * @returns {Promise<{ code: number | null, output: string }>} its exit code (null: killed) and what it said on both streams
 */
async function run(command, args, cwd) {
  // On Windows npm is a .cmd file, which only a shell starts.
  const shell = process.platform === 'win32' && command === 'npm'
  const child = spawn(command, args, { cwd, shell, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += text))
  const [code] = await once(child, 'close').catch((error) => {
    throw new Error(`cannot start ${command}: ${error.message}`, { cause: error })
  })
  return { code, output: output.trim() }
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    process.stdout.write(`${JSON.stringify(await installAgents())}\n`)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
    process.exitCode = 1
  }
}
