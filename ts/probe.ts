import { resolve } from 'node:path'

import { errorOfNative } from './errors.js'
import { native, runnerPath } from './native.js'

/** Whom a question is about. */
export interface ProbeTarget {
  provider: string
  projectPath: string
  executable?: string
  trustProject?: boolean
}

/** What an agent's program said, and how it ended. */
export interface Probed {
  /** The executable that was found. */
  program: string
  exitCode: number | null
  signal: string | null
  /** Whether it had to be ended. */
  timedOut: boolean
  stdout: string
  /** The last of it. */
  stderr: string
}

/** A model that an agent itself offers. */
export interface OfferedModel {
  id: string
  isDefault: boolean
}

/** US dollars per million tokens. */
export interface ModelPrice {
  input: number
  output: number
  cacheRead?: number | null
  cacheWrite?: number | null
}

/**
 * Runs an agent's program with these arguments, supervised and for at most `limitMs`. Rejects with `CliNotFoundError`,
 * `SpawnFailedError`, `AgentNotAllowedError`.
 */
export async function probeAgent(target: ProbeTarget, args: string[], limitMs: number): Promise<Probed> {
  try {
    return JSON.parse(await native().probeAgent(nativeOf(target, limitMs), args)) as Probed
  } catch (thrown) {
    throw errorOfNative(thrown)
  }
}

/** The models that an agent says it has, without using any of them; undefined where it does not tell. */
export async function offeredModels(
  target: ProbeTarget,
  limitMs: number,
): Promise<OfferedModel[] | undefined> {
  try {
    const models = await native().offeredModels(nativeOf(target, limitMs))
    return models === null ? undefined : (JSON.parse(models) as OfferedModel[])
  } catch (thrown) {
    throw errorOfNative(thrown)
  }
}

/** The prices of a project's models, by their ids and aliases. */
export function modelPrices(projectPath: string): Record<string, ModelPrice> {
  try {
    return JSON.parse(native().prices(resolve(projectPath))) as Record<string, ModelPrice>
  } catch (thrown) {
    throw errorOfNative(thrown)
  }
}

function nativeOf({ provider, projectPath, executable, trustProject = false }: ProbeTarget, limitMs: number) {
  return {
    ...{ provider, executable, trustProject, limitMs },
    projectPath: resolve(projectPath),
    runner: runnerPath(),
  }
}
