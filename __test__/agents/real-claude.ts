import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, onTestFinished } from 'vitest'

import { installAgents } from '../../scripts/install-agents.mjs'
import { ExecSession, type SessionOptions } from '../../ts/index.js'
import { claudeEnv } from './claude-env.mjs'
import { type ModelServer, startModelServer } from './model-server.mjs'

const CLI = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url))

/** The real claude, its model server, and for each test a home and a project of their own. */
export class RealClaude {
  executable = ''
  home = ''
  project = ''
  readonly #variables: Record<string, string>
  readonly #sessions: ExecSession[] = []
  #server: ModelServer | undefined

  /** `variables` are added to the environment of every claude. */
  constructor(variables: Record<string, string> = {}) {
    this.#variables = variables
    beforeAll(async () => {
      this.executable = (await installAgents()).claude
      this.#server = await startModelServer()
    })
    afterAll(() => this.#server?.close())
    beforeEach(() => {
      this.home = mkdtempSync(join(tmpdir(), 'locus-home-'))
      this.project = mkdtempSync(join(tmpdir(), 'locus-project-'))
      return async () => {
        // An agent writes to its home until it has ended.
        await Promise.all(this.#sessions.splice(0).map((session) => session.end()))
        rmSync(this.home, { recursive: true, force: true })
        rmSync(this.project, { recursive: true, force: true })
      }
    })
  }

  get server(): ModelServer {
    if (!this.#server) {
      throw new Error('the model server runs only while tests do')
    }
    return this.#server
  }

  environment(): Record<string, string> {
    return { ...claudeEnv(this.server.url, { home: this.home }), ...this.#variables }
  }

  /** A session in the project; it is ended when the test is over. */
  async createSession(options: SessionOptions = {}): Promise<ExecSession> {
    const session = await ExecSession.create({
      executable: this.executable,
      projectPath: this.project,
      env: this.environment(),
      ...options,
    })
    this.#sessions.push(session)
    return session
  }

  /** Starts `locus exec` in the project, with variables of its own. */
  start(args: string[], variables: Record<string, string> = {}): RunningCli {
    const child = spawn(process.execPath, [CLI, 'exec', '--dir', this.project, ...args], {
      env: { ...process.env, ...this.environment(), ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    const exit = new Promise<number | null>((resolve) => child.on('close', resolve))
    return { child, exit }
  }

  /** Runs it to its end. */
  async run(args: string[], variables?: Record<string, string>): Promise<FinishedCli> {
    const { child, exit } = this.start(args, variables)
    const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), exit])
    return { stdout, stderr, exitCode }
  }
}

export interface RunningCli {
  child: ChildProcess & { stdout: Readable; stderr: Readable }
  exit: Promise<number | null>
}

export interface FinishedCli {
  stdout: string
  stderr: string
  exitCode: number | null
}
