import { resolve } from 'node:path'

import { errorOfNative } from './errors.js'
import { native } from './native.js'

/** A model of an agent. */
export interface AgentModel {
  /** What it is called in `model`. */
  id: string
  /** How many tokens fit into a conversation, where that is known. */
  contextTokens?: number
}

/** What is known of an agent; docs/agents.md tells what the fields mean. */
export interface AgentInfo {
  /** Its name, as in `provider`. */
  name: string
  /** What it speaks. */
  dialect: string
  /** The names and paths of its executable; none where it comes with this package. */
  programs: string[]
  args: string[]
  wrapper: string[]
  /** The names of the variables that are set or removed for it. */
  env: string[]
  /** The model where none is asked for; the agent's own choice where absent. */
  model?: string
  /** Models that it is known to have. */
  models: AgentModel[]
  /** `deltas`, `resume`, `interrupt`, `permissions`, `cost`, `images`, and other words; absent where nothing is known. */
  capabilities?: string[]
  /** What to do where it is not installed. */
  install?: string
  /** What to do where it is not logged in. */
  login?: string
  /** The arguments that make it print its version. */
  version: string[]
  /** The arguments that make it tell by its exit code whether it is logged in; none where it cannot. */
  status: string[]
  /** The first version that knows these arguments. */
  statusSince?: string
  /** Variables of the environment any of which is enough to be logged in. */
  keys: string[]
  /** The agent whose way to be spoken to is tried where the installed version does not know this one. */
  otherwise?: string
  /** Where what is said of it comes from. */
  origin: 'built-in' | 'user' | 'project'
  /** Whether it may be run: what the project's file says of it, if anything, is allowed. */
  allowed: boolean
}

/** The file of agents of a project. */
export interface ProjectAgentsFile {
  path: string
  text: string
  /** Whether the user has allowed it as it is. */
  allowed: boolean
  /** What was allowed before, where that was another text. */
  allowedBefore?: string
}

/** The agents of a project. */
export interface ProjectAgents {
  agents: AgentInfo[]
  projectFile?: ProjectAgentsFile
}

/**
 * The agents that can be named as `provider` in a project, by their names: those of this package, of the user's
 * `agents.toml` and of the project's. Throws `InvalidInputError` where a file cannot be used.
 */
export function listAgents(options: { projectPath?: string; trustProject?: boolean } = {}): ProjectAgents {
  const { projectPath = '.', trustProject = false } = options
  try {
    return JSON.parse(native().agents(resolve(projectPath), trustProject)) as ProjectAgents
  } catch (thrown) {
    throw errorOfNative(thrown)
  }
}

/** Allows the agents of a project's file with this text; with any other it is asked for again. */
export function allowAgents({ path, text }: Pick<ProjectAgentsFile, 'path' | 'text'>): void {
  try {
    native().allowAgents(path, text)
  } catch (thrown) {
    throw errorOfNative(thrown)
  }
}

/** Takes back that the agents of a project's file are allowed; whether they were. */
export function revokeAgents(path: string): boolean {
  try {
    return native().revokeAgents(path)
  } catch (thrown) {
    throw errorOfNative(thrown)
  }
}
