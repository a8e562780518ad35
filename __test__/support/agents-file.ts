import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { fakeAgent } from './fakes.js'
import { temporaryFolder } from './folder.js'

/** A project with this file of agents. */
export function projectWithAgents(toml: string): string {
  const project = temporaryFolder()
  writeAgents(project, toml)
  return project
}

/** Replaces a project's file of agents. */
export function writeAgents(project: string, toml: string): void {
  mkdirSync(join(project, '.locus'), { recursive: true })
  writeFileSync(join(project, '.locus', 'agents.toml'), toml)
}

/** An entry: an agent that speaks like claude and is a fake one. */
export const entryOf = (name: string, fake: string, more = '') =>
  `[agents.${name}]\ndialect = "claude"\nprograms = ["${fakeAgent(fake)}"]\n${more}\n`
