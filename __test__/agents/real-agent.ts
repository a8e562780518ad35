import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { beforeAll, beforeEach, onTestFinished } from 'vitest'

import { installAgents } from '../../scripts/install-agents.mjs'
import { ExecSession, type SessionOptions } from '../../ts/index.js'
import { claudeEnv } from './claude-env.mjs'
import { codexEnv } from './codex-env.mjs'
import { geminiEnv } from './gemini-env.mjs'
import { type ModelServer, startModelServer } from './model-server.mjs'
import { opencodeEnv } from './opencode-env.mjs'
import { qwenEnv } from './qwen-env.mjs'

const CLI = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url))

type Provider = 'claude' | 'codex' | 'gemini' | 'opencode' | 'qwen'

/** A real agent, and for each test a model server, a home and a project of its own. */
export class RealAgent {
  executable = ''
  home = ''
  project = ''
  readonly #provider: Provider
  readonly #sessions: ExecSession[] = []
  #server: ModelServer | undefined

  constructor(provider: Provider) {
    this.#provider = provider
    beforeAll(async () => {
      this.executable = (await installAgents())[provider]
    })
    beforeEach(async () => {
      // What one test is charged is nothing to the next.
      this.#server = await startModelServer()
      this.home = mkdtempSync(join(tmpdir(), 'locus-home-'))
      this.project = mkdtempSync(join(tmpdir(), 'locus-project-'))
      return async () => {
        // An agent writes to its home until it has ended.
        await Promise.all(this.#sessions.splice(0).map((session) => session.end()))
        await this.#server?.close()
        rmSync(this.home, { recursive: true, force: true })
        rmSync(this.project, { recursive: true, force: true })
      }
    })
  }

  get server(): ModelServer {
    if (!this.#server) {
      throw new Error('the model server runs only while a test does')
    }
    return this.#server
  }

  /** What its processes, and those of the command line, find in their environment. */
  environment(): Record<string, string> {
    return {}
  }

  /** A session in the project; it is ended when the test is over. */
  async createSession(options: SessionOptions = {}): Promise<ExecSession> {
    return this.#ended(await ExecSession.create(this.#with(options)))
  }

  /** The same for one that is stored. */
  async loadSession(id: string, options: SessionOptions = {}): Promise<ExecSession> {
    return this.#ended(await ExecSession.load(id, this.#with(options)))
  }

  #with(options: SessionOptions): SessionOptions {
    const { executable, project: projectPath } = this
    // An environment may be on disk: only one is made.
    const env = options.env ?? this.environment()
    return { provider: this.#provider, executable, projectPath, ...options, env }
  }

  #ended(session: ExecSession): ExecSession {
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

/** The real claude. */
export class RealClaude extends RealAgent {
  readonly #variables: Record<string, string>

  /** `variables` are added to the environment of every claude. */
  constructor(variables: Record<string, string> = {}) {
    super('claude')
    this.#variables = variables
  }

  override environment(): Record<string, string> {
    return { ...claudeEnv(this.server.url, { home: this.home }), ...this.#variables }
  }
}

/** The real codex. */
export class RealCodex extends RealAgent {
  constructor() {
    super('codex')
  }

  /** A codex that has no `app-server`, as old ones are: it takes the word for a prompt. */
  withoutAppServer(): string {
    const path = join(this.project, 'old-codex')
    writeFileSync(
      path,
      `#!/bin/sh\nif [ "$1" = app-server ]; then echo 'Error: stdin is not a terminal' >&2; exit 1; fi\nexec '${process.execPath}' '${this.executable}' "$@"\n`,
    )
    chmodSync(path, 0o755)
    return path
  }

  /** `config` is more of its config.toml. */
  override environment(config = ''): Record<string, string> {
    return codexEnv(this.server.url, { home: this.home, config })
  }
}

/** The real gemini, which speaks ACP; as `gemini-json` it speaks otherwise. */
export class RealGemini extends RealAgent {
  constructor() {
    super('gemini')
  }

  override environment(): Record<string, string> {
    return geminiEnv(this.server.url, { home: this.home })
  }
}

/** The real qwen, which speaks ACP. */
export class RealQwen extends RealAgent {
  constructor() {
    super('qwen')
  }

  override environment(): Record<string, string> {
    return qwenEnv(this.server.url, { home: this.home })
  }
}

/** The real opencode, which speaks ACP. */
export class RealOpencode extends RealAgent {
  constructor() {
    super('opencode')
  }

  override environment(): Record<string, string> {
    return opencodeEnv(this.server.url, { home: this.home })
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
