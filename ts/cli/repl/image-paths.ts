import { statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const NAME = String.raw`\.(?:png|jpe?g|gif|webp)`
/** In quotes, or with what a shell would take apart behind backslashes: as people type it, and as terminals paste a dropped file. */
const PATH = String.raw`"[^"\n]+${NAME}"|'[^'\n]+${NAME}'|(?:\\.|[^\s\\"'])+?${NAME}(?=[\s,.;:!?)\]]|$)`
const IMAGES = new RegExp(String.raw`(?<=^|\s)(@?)(${PATH})`, 'gi')

/** A prompt and the images that it names. */
export interface Illustrated {
  /** Without the `@` of what is attached: claude would attach it a second time. */
  prompt: string
  /** Each once, in the order of their names. */
  paths: string[]
  /** Behind an `@`, and not there. */
  missing: string[]
}

/**
 * Finds the images in a prompt: paths behind `@`, and paths that tell their whole way (`/…`, `~/…`, `file:///…`), as a
 * terminal pastes them when a file is dropped on it. A whole way that leads nowhere is only words.
 */
export function withImages(typed: string, folder: string): Illustrated {
  const paths = new Set<string>()
  const missing: string[] = []
  const prompt = typed.replace(IMAGES, (words: string, at: string, written: string) => {
    const name = unquoted(written)
    if (at === '' && !/^(~?\/|[a-z]:[\\/]|file:\/\/)/i.test(name)) {
      return words
    }
    const path = pathOf(name, folder)
    if (path !== undefined && isFile(path)) {
      paths.add(path)
      return written
    }
    if (at !== '') {
      missing.push(name)
    }
    return words
  })
  return { prompt, paths: [...paths], missing }
}

function unquoted(written: string): string {
  if (/^["']/.test(written)) {
    return written.slice(1, -1)
  }
  return process.platform === 'win32' ? written : written.replace(/\\(.)/g, '$1')
}

function pathOf(name: string, folder: string): string | undefined {
  if (/^file:/i.test(name)) {
    try {
      return fileURLToPath(name)
    } catch {
      // A file of another machine.
      return undefined
    }
  }
  return name.startsWith('~/') ? join(homedir(), name.slice(2)) : resolve(folder, name)
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}
