import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

const TIMEOUT_MS = 10_000
const MAX_OUTPUT = 64 * 1024 * 1024
/** Nothing of a repository that somebody else may have made is run: no hooks, no monitors, no pagers. */
const SAFE = ['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', '--no-pager']

export interface GitOptions {
  cwd: string
  env?: NodeJS.ProcessEnv
  /** What is written to its stdin. */
  input?: string
}

/** Runs Git and gives what it prints; rejects with what it says on stderr. It asks for nothing and waits for no lock. */
export async function git(args: string[], { cwd, env, input }: GitOptions): Promise<string> {
  const running = run('git', [...SAFE, ...args], {
    ...{ cwd, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT, encoding: 'utf8' },
    env: { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C', ...env },
  })
  running.child.stdin?.on('error', () => {}).end(input ?? '')
  try {
    const { stdout } = await running
    return stdout
  } catch (error) {
    const { stderr = '', message, killed } = error as Error & { stderr?: string; killed?: boolean }
    const [line = ''] = stderr.trim().split('\n')
    throw new Error(killed ? `git ${args[0]} took more than 10 s` : line || message, { cause: error })
  }
}
