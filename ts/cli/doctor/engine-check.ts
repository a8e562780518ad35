import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

import pkg from '../../../package.json'
import { native, runnerPath } from '../../native.js'
import { isAtLeast, type Problem } from './agent-check.js'

/** One thing that the engine needs or can use. */
export interface EngineCheck {
  name: 'addon' | 'runner' | 'node' | 'project' | 'git' | 'terminal'
  /** `warning`: it works, with something missing. */
  state: 'ok' | 'warning' | 'failed'
  detail: string
  remedy?: string
}

/** Looks at the engine itself and what is around it, for at most `limitMs`. */
export async function checkEngine(projectPath: string, limitMs: number): Promise<EngineCheck[]> {
  return [
    attempt('addon', () => {
      const events = native().eventNames().length
      return `${process.platform}-${process.arch}, version ${pkg.version}, ${events} events`
    }),
    attempt('runner', () => {
      const path = runnerPath()
      accessSync(path, constants.X_OK)
      return path
    }),
    node(),
    project(projectPath),
    await git(limitMs),
    terminal(process.env),
  ]
}

function attempt(name: EngineCheck['name'], look: () => string): EngineCheck {
  try {
    return { name, state: 'ok', detail: look() }
  } catch (error) {
    return {
      ...{ name, state: 'failed', detail: (error as Error).message },
      remedy: 'install @locus/exec-native again, or build it with `npm run build`',
    }
  }
}

function node(): EngineCheck {
  const needed = pkg.engines.node.replace(/^>=/, '')
  const detail = process.version
  return isAtLeast(detail, needed)
    ? { name: 'node', state: 'ok', detail }
    : { name: 'node', state: 'failed', detail, remedy: `install Node ${needed} or later` }
}

/** Whether conversations can be kept. */
function project(projectPath: string): EngineCheck {
  const locus = join(projectPath, '.locus')
  const folder = existsSync(locus) ? locus : projectPath
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
    return { name: 'project', state: 'ok', detail: `${folder} can be written to` }
  } catch (error) {
    return {
      ...{ name: 'project', state: 'warning', detail: (error as Error).message },
      remedy: 'conversations cannot be kept here; use --no-save or another --dir',
    }
  }
}

async function git(limitMs: number): Promise<EngineCheck> {
  try {
    const { stdout } = await promisify(execFile)('git', ['--version'], {
      timeout: limitMs,
      killSignal: 'SIGKILL',
    })
    return { name: 'git', state: 'ok', detail: stdout.trim().replace(/^git version /, '') }
  } catch {
    return {
      ...{ name: 'git', state: 'warning', detail: 'not found' },
      remedy: 'install git; without it /undo and /diff of the interactive mode do nothing',
    }
  }
}

function terminal(env: NodeJS.ProcessEnv): EngineCheck {
  if (!process.stdout.isTTY) {
    return { name: 'terminal', state: 'ok', detail: 'none: output goes to a file or a program' }
  }
  const colors =
    env.NO_COLOR || env.TERM === 'dumb' ? 'no colour' : `${2 ** process.stdout.getColorDepth()} colours`
  const size = `${process.stdout.columns}x${process.stdout.rows}`
  return { name: 'terminal', state: 'ok', detail: `${env.TERM ?? 'unknown'}, ${size}, ${colors}` }
}

/** What is wrong with the engine, as problems. */
export function problemsOf(checks: EngineCheck[]): Problem[] {
  return checks
    .filter(({ state }) => state !== 'ok')
    .map(({ name, detail, remedy }) => ({ message: `${name}: ${detail}`, ...(remedy && { remedy }) }))
}
