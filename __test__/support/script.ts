import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { temporaryFolder } from './folder.js'

/** What `follows-a-script` does for a prompt. */
export interface Step {
  text?: string
  tool?: string
  exit?: number
  kill?: boolean
  silent?: boolean
  /** The fields of a failed turn's result line. */
  result?: object
}

/** What it noted of a prompt. */
interface Note {
  prompt: string
  args: string[]
  model?: string
}

/** The environment that makes `follows-a-script` do these steps, and what it has been told since. */
export function script(...steps: Step[]): { env: Record<string, string>; told: () => Note[] } {
  const notes = join(temporaryFolder(), 'notes')
  return {
    env: { FAKE_SCRIPT: JSON.stringify(steps), FAKE_NOTES: notes },
    told: () =>
      existsSync(notes)
        ? readFileSync(notes, 'utf8')
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as Note)
        : [],
  }
}
