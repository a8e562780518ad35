import type { PermissionRequestChunk } from '../../chunks.js'
import { oneLine } from '../../context/text.js'

/** What "always" allows: a tool, or this very command of a tool that runs commands. */
export interface Rule {
  tool: string
  command?: string
}

/** The rule that "always" would make of a question. */
export function ruleFor({ tool, parameters: { command } }: PermissionRequestChunk): Rule {
  return typeof command === 'string' ? { tool, command } : { tool }
}

export function isSameRule(one: Rule, other: Rule): boolean {
  return one.tool === other.tool && one.command === other.command
}

/** A rule in words, on one line. */
export function describeRule({ tool, command }: Rule): string {
  return command === undefined ? tool : `${tool}(${oneLine(command)})`
}

/** What "always" would mean for this question. */
export function alwaysMeans(request: PermissionRequestChunk): string {
  return ruleFor(request).command === undefined
    ? `always allow ${request.tool}`
    : 'always allow this very command'
}
