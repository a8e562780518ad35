import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Makes a shell script a program of a folder; its path. */
export function program(folder: string, name: string, script: string): string {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}
