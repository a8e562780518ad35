import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { png } from './png.mjs'

export { png }

/** Puts one into a folder; its path. */
export function pngFile(folder: string, name: string): string {
  const path = join(folder, name)
  writeFileSync(path, png())
  return path
}
