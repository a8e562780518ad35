import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = new URL('./fakes/', import.meta.url)
const names = new Set(readdirSync(folder))

/** The path of the fake agent of this name: a real executable that does what it is named for. */
export function fakeAgent(name: string): string {
  if (!names.has(`${name}.mjs`)) {
    throw new Error(`there is no fake agent '${name}' in ${folder.pathname}`)
  }
  return fileURLToPath(new URL(`${name}.mjs`, folder))
}
