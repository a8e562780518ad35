import { resolve } from 'node:path'

import type { Usage } from './chunks.js'
import { errorOfNative, execError } from './errors.js'
import type { HistoryOptions, HistoryProblem } from './history.js'
import { native } from './native.js'

/** What one turn used, as it is kept in `.locus/usage`. */
export interface UsageEntry {
  /** When the turn ended, in milliseconds since the epoch. */
  time: number
  /** The id of the session. */
  session: string
  /** The id of the run. */
  run: string
  provider: string
  /** The model that was asked for; those that answered are in `usage.models`. */
  model?: string
  success: boolean
  /** The code of the error, where the turn failed. */
  code?: string
  durationMs: number
  /** How often the agent was given the prompt. */
  attempts: number
  usage: Usage
}

/** What the turns of a project used. */
export interface UsageReading {
  entries: UsageEntry[]
  /** Lines that could not be understood; all others were. */
  problems: HistoryProblem[]
}

/**
 * What the turns of a project used that ended at `since` (milliseconds since the epoch; default: all) or later. It is
 * kept when the conversations are removed. Rejects with `HistoryError` where it cannot be read.
 */
export async function readUsage(
  { projectPath = '.', historyDir }: HistoryOptions = {},
  since = 0,
): Promise<UsageReading> {
  if (!Number.isFinite(since)) {
    throw execError('INVALID_INPUT', '`since` must be a time in milliseconds since the epoch')
  }
  const { NativeLedger } = native()
  try {
    const ledger = new NativeLedger({ projectPath: resolve(projectPath), historyDir })
    return JSON.parse(await ledger.read(Math.max(0, since))) as UsageReading
  } catch (thrown) {
    throw errorOfNative(thrown)
  }
}
