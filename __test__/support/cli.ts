import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { fakeAgent } from './fakes.js'
import { temporaryFolder } from './folder.js'

/** The built command line. */
export const CLI = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url))

/** For `npm run coverage`: where a CLI leaves what it has run. */
export const MEASURED: Record<string, string> = process.env.LOCUS_CLI_COVERAGE
  ? { NODE_V8_COVERAGE: process.env.LOCUS_CLI_COVERAGE }
  : {}

export interface CliOptions {
  /** The fake that is found as `claude`; without one, none is found. */
  agent?: string
  env?: Record<string, string>
  cwd?: string
  /** What is written to stdin (default: nothing; it is closed). */
  input?: string
  /** The command in front of node, for example `setpriv`. */
  wrapper?: string[]
}

/** How a run of the command line ended. */
export interface CliRun {
  exitCode: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** A run of the command line under way. */
export interface StartedCli {
  child: ChildProcessWithoutNullStreams
  finished: Promise<CliRun>
}

/** A line of `--json-stream`. */
export interface ProtocolLine {
  protocol: number
  type: string
  sessionId: string
  timestamp: number
  // biome-ignore lint/suspicious/noExplicitAny: its shape is what the tests are about
  payload: Record<string, any>
}

/** Starts the built command line in an environment of its own: nothing of the user's is seen by it. */
export function startCli(args: string[], options: CliOptions = {}): StartedCli {
  const { agent, env = {}, input = '', wrapper = [] } = options
  const home = temporaryFolder()
  const path = [pathWith(agent), ...(agent ? [dirname(process.execPath), '/usr/bin', '/bin'] : [])]
  const [command = '', ...rest] = [...wrapper, process.execPath, CLI, ...args]
  const child = spawn(command, rest, {
    cwd: options.cwd ?? home,
    env: { HOME: home, PATH: path.join(':'), ...MEASURED, ...env },
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return { child, finished: finish(child) }
}

/** Runs the built command line to its end. */
export async function runCli(args: string[], options: CliOptions = {}): Promise<CliRun> {
  return await startCli(args, options).finished
}

/** The folder to put in front of PATH so that the fake is what is found as `claude`. */
export function pathWith(agent: string | undefined): string {
  const folder = temporaryFolder()
  if (agent) {
    symlinkSync(fakeAgent(agent), join(folder, 'claude'))
  }
  return folder
}

async function finish(child: ChildProcessWithoutNullStreams): Promise<CliRun> {
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (data: Buffer) => stdout.push(data))
  child.stderr.on('data', (data: Buffer) => stderr.push(data))
  const [exitCode, signal] = await once(child, 'close')
  return { exitCode, signal, stdout: String(Buffer.concat(stdout)), stderr: String(Buffer.concat(stderr)) }
}

/** The lines of `--json-stream`. */
export function protocolLines(stdout: string): ProtocolLine[] {
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as ProtocolLine)
}

/** A real `claude` in a folder that is always searched; it cannot be hidden from the command line. */
export const unhideableClaude = ['/usr/local/bin', '/opt/homebrew/bin']
  .map((folder) => join(folder, 'claude'))
  .find((path) => existsSync(path))
