import type { CommanderError } from 'commander'

/** What was wrong with a command line, on one line, and where to look: `unknown option '--x'; see locus exec --help`. */
export function usageError({ message }: CommanderError, hint: string): string {
  const text = message.replace(/^error: /, '').replace(/\n\(Did you mean (.+)\?\)$/, '; do you mean $1?')
  return text.endsWith('?') ? `${text} See ${hint}` : `${text}; see ${hint}`
}
