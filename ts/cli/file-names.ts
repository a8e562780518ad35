import { homedir } from 'node:os'
import { isAbsolute, relative, sep } from 'node:path'

/** What a file is called in a project: by its way from there, or by its whole way where it is outside. */
export function nameIn(project: string, path: string): string {
  const name = relative(project, path)
  return name === '..' || name.startsWith(`..${sep}`) || isAbsolute(name) ? path : name || '.'
}

/** A file's name for people: `~/…` for what is below their home. */
export function shownName(name: string, home = homedir()): string {
  return home.length > 1 && name.startsWith(`${home}${sep}`) ? `~${name.slice(home.length)}` : name
}
