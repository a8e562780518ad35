import { readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { listAgents } from '../../agents.js'

import { CleanText } from '../renderers/clean-text.js'
import { COMMANDS, EXPORT_FORMATS, findCommand } from './command-table.js'

/** What goes in the place of the text from `from` on, and what else it might have been. */
export interface Completion {
  from: number
  text: string
  options: readonly string[]
}

/** Completes the end of what is before the caret; undefined where there is nothing to complete. */
export type Completer = (before: string) => Completion | undefined

const MAX_OPTIONS = 30

/** Completes commands, their arguments, and `@` with paths below `folder`. */
export function createCompleter(folder: string): Completer {
  return (before) => {
    const path = /(?:^|\s)@(\S*)$/.exec(before)
    if (path) {
      return completed(before, path[1] ?? '', pathsFor(path[1] ?? '', folder))
    }
    const command = /^\/(\S*)$/.exec(before)
    if (command) {
      return completed(
        before,
        command[1] ?? '',
        COMMANDS.map(({ name }) => `${name} `),
      )
    }
    const argument = /^\/?(\S+)\s+(\S*)$/.exec(before)
    return argument ? completed(before, argument[2] ?? '', argumentsOf(argument[1] ?? '', folder)) : undefined
  }
}

/** The agents of a project; none where its files cannot be used, which is told when one of them is asked for. */
function agentsOf(folder: string): string[] {
  try {
    return listAgents({ projectPath: folder }).agents.map(({ name }) => name)
  } catch {
    return []
  }
}

function argumentsOf(word: string, folder: string): string[] {
  switch (findCommand(word)?.name) {
    case 'provider':
      return agentsOf(folder)
    case 'export':
      return EXPORT_FORMATS.map((format) => `${format} `)
    case 'verbose':
      return ['on', 'off']
    default:
      return []
  }
}

/** The longest beginning that all possible words share. */
function completed(before: string, typed: string, words: string[]): Completion | undefined {
  const possible = words.filter((word) => word.startsWith(typed))
  const [first] = possible
  if (first === undefined) {
    return undefined
  }
  const shared = possible.reduce((prefix, word) => sharedPrefix(prefix, word), first)
  const options = possible.length > 1 ? possible.map((word) => word.trim()).slice(0, MAX_OPTIONS) : []
  return { from: before.length - typed.length, text: shared, options }
}

function sharedPrefix(a: string, b: string): string {
  let length = 0
  while (length < a.length && a[length] === b[length]) {
    length++
  }
  // Half a character is none.
  return a.slice(0, length).replace(/[\ud800-\udbff]$/, '')
}

/** The paths that begin with what was typed; folders end with `/`. */
function pathsFor(typed: string, folder: string): string[] {
  const prefix = typed.endsWith('/') || typed === '' ? '' : basename(typed)
  const parent = typed.slice(0, typed.length - prefix.length)
  const place = parent.startsWith('~/')
    ? join(homedir(), parent.slice(2))
    : resolve(folder, dirname(`${parent}x`))
  let entries: { name: string; isDirectory(): boolean }[]
  try {
    entries = readdirSync(place, { withFileTypes: true })
  } catch {
    // What is typed so far leads nowhere: there is nothing to offer.
    return []
  }
  return entries
    .filter(({ name }) => prefix.startsWith('.') || !name.startsWith('.'))
    .filter(({ name }) => !/\s/.test(name) && new CleanText().push(name) === name)
    .map((entry) => `${parent}${entry.name}${entry.isDirectory() ? '/' : ' '}`)
    .sort()
}
