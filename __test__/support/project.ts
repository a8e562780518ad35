import { expect } from 'vitest'

import { type CliOptions, runCli } from './cli.js'
import { temporaryFolder } from './folder.js'
import { BEGUN, recordedSession, store } from './stored.js'

export const FIRST = 'a8f3d9e2-1111-4000-8000-000000000001'
export const SECOND = 'a8f3ffff-2222-4000-8000-000000000002'
export const THIRD = 'b0000000-3333-4000-8000-000000000003'

/** A project with three stored conversations. */
export function project(): string {
  const folder = temporaryFolder()
  store(folder, FIRST, recordedSession({ id: FIRST }))
  store(folder, SECOND, recordedSession({ id: SECOND, title: 'the second one', begun: BEGUN + 1_000_000 }))
  store(folder, THIRD, recordedSession({ id: THIRD, begun: Date.now() - 7_300_000 }).slice(0, 7))
  return folder
}

/** Runs `locus exec sessions …` in a project. */
export async function sessions(args: string[], cwd: string, options: CliOptions = {}) {
  return await runCli(['exec', 'sessions', ...args], { cwd, ...options })
}

/** What `--json` prints. */
export async function json(args: string[], cwd: string) {
  const { stdout, stderr } = await sessions([...args, '--json'], cwd)
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

export const idsOf = (list: { sessions: { id: string }[] }) => list.sessions.map(({ id }) => id)
