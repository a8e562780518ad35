import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = new URL('./fakes/', import.meta.url)
/** Those of the tests in Rust. */
const shared = new URL('../../tests/agents/', import.meta.url)
const paths = new Map(
  [shared, folder].flatMap((folder) =>
    readdirSync(folder).map((name) => [name.replace(/\.mjs$/, ''), new URL(name, folder)]),
  ),
)

/** The path of the fake agent of this name: a real executable that does what it is named for. */
export function fakeAgent(name: string): string {
  const path = paths.get(name)
  if (!path) {
    throw new Error(`there is no fake agent '${name}' in ${folder.pathname} and ${shared.pathname}`)
  }
  return fileURLToPath(path)
}
