import type { CommandName } from './command-table.js'
import { COMMANDS, findCommand } from './command-table.js'

/** What a line that was typed means. */
export type ParsedLine =
  | { kind: 'empty' }
  | { kind: 'prompt'; text: string }
  | { kind: 'command'; name: CommandName; args: string }
  /** Begins with `/` and is no command. */
  | { kind: 'unknown'; word: string; nearest: string | undefined }
  /** A command with arguments that it does not take. */
  | { kind: 'misused'; name: CommandName; usage: string }

/**
 * Reads a line. With `/` a command word is always meant as one; without it only where the whole line is a valid use of
 * the command, so that "help me with x" is a prompt. A blank before `/` makes it a prompt.
 */
export function parseLine(line: string): ParsedLine {
  if (line.trim() === '') {
    return { kind: 'empty' }
  }
  const text = line.trim()
  const [, slash = '', word = '', rest = ''] = /^(\/?)(\S+)([\s\S]*)$/.exec(text) ?? []
  const args = rest.trim()
  const command = findCommand(word.toLowerCase())
  if (slash === '') {
    const meant = command && !/\n/.test(text) && command.bare(args)
    return meant ? { kind: 'command', name: command.name, args } : { kind: 'prompt', text }
  }
  // `/usr/bin/x` is a path; a blank before it says that it is not meant as a command.
  if (/^\s/.test(line) || word.includes('/')) {
    return { kind: 'prompt', text }
  }
  if (!command) {
    return { kind: 'unknown', word: `/${word}`, nearest: nearestTo(word.toLowerCase()) }
  }
  return command.accepts(args)
    ? { kind: 'command', name: command.name, args }
    : { kind: 'misused', name: command.name, usage: `/${command.name} ${command.parameters}`.trim() }
}

const MAX_DISTANCE = 2

function nearestTo(word: string): string | undefined {
  const [nearest] = COMMANDS.map(({ name }) => ({ name, distance: distance(word, name) }))
    .filter((it) => it.distance <= MAX_DISTANCE && it.distance < it.name.length)
    .sort((a, b) => a.distance - b.distance)
  return nearest && `/${nearest.name}`
}

/** How many letters differ (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
