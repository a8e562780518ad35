import { Chalk } from 'chalk'

import { allowAgents, listAgents, type ProjectAgentsFile } from '../../agents.js'
import { ExecError } from '../../errors.js'
import { cleanValue } from '../renderers/clean-text.js'
import { confirm } from '../sessions/confirm.js'

/**
 * What `open` gives. Where that needs an agent of the project's file that is not allowed yet, and somebody is there to be
 * asked, it is tried again after their yes.
 */
export async function withConsent<T>(projectPath: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open()
  } catch (error) {
    if (!(error instanceof ExecError && error.code === 'AGENT_NOT_ALLOWED')) {
      throw error
    }
    const { projectFile } = listAgents({ projectPath })
    if (projectFile === undefined || !(await askForConsent(projectFile))) {
      throw error
    }
    allowAgents(projectFile)
    return await open()
  }
}

/** Shows a project's file of agents, all of it, and asks whether it is allowed. */
export async function askForConsent(file: ProjectAgentsFile): Promise<boolean> {
  const { env, stderr } = process
  const chalk = new Chalk({ level: env.NO_COLOR || env.TERM === 'dumb' ? 0 : 1 })
  stderr.write(`${linesOf(file, chalk.green).join('\n')}\n`)
  return await confirm('Allow this file, as it is?', false)
}

/** A file as it is shown before it is allowed; lines that were not allowed before are marked. */
export function linesOf(file: ProjectAgentsFile, mark: (text: string) => string): string[] {
  const { path, text, allowedBefore } = cleanValue(file)
  const before = new Set(allowedBefore?.split('\n'))
  const shown = text.trimEnd().split('\n')
  const lines =
    allowedBefore === undefined
      ? shown.map((line) => `  ${line}`)
      : shown.map((line) => (before.has(line) ? `  ${line}` : mark(`+ ${line}`)))
  return [
    `${path} says which programs are run as agents. It came with the project, and ${
      allowedBefore === undefined ? 'you have not allowed it' : 'it has changed since you allowed it'
    }:`,
    '',
    ...lines,
    '',
  ]
}
