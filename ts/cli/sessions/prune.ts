import type { PruneReport, RetentionPolicy } from '../../history.js'
import { symbols } from '../display/symbols.js'
import { formatBytes, formatCount } from '../format.js'
import { SHORT_ID } from '../short-id.js'
import type { CommonFlags, SessionsCommand } from './command.js'
import { limitOf, sizeLimitOf } from './flags.js'

export interface PruneFlags extends CommonFlags {
  keep?: string
  maxAge?: string
  compressAfter?: string
  maxSize?: string
  dryRun?: boolean
}

/** `sessions prune` */
export async function pruneSessions(
  { store, screen, json }: SessionsCommand,
  flags: PruneFlags,
): Promise<void> {
  const report = await store.prune(policyOf(flags))
  if (json) {
    screen.json(report)
    return
  }
  for (const line of linesOf(report, flags.dryRun)) {
    screen.print(line)
  }
}

/** What is not named is left to the store's defaults. */
function policyOf({ keep, maxAge, compressAfter, maxSize, dryRun }: PruneFlags): RetentionPolicy {
  return {
    keep: limitOf('--keep', keep),
    maxAgeDays: limitOf('--max-age', maxAge),
    compressAfterDays: limitOf('--compress-after', compressAfter),
    maxBytes: sizeLimitOf('--max-size', maxSize),
    dryRun,
  }
}

/** What was done, or would be done, in words. */
export function linesOf({ removed, compressed, bytesFreed }: PruneReport, dryRun = false): string[] {
  const [deleted, packed, freed] = dryRun
    ? ['would delete', 'would compress', 'would free']
    : ['deleted', 'compressed', 'freed']
  if (removed.length === 0 && compressed.length === 0) {
    return ['no session is too old or too many']
  }
  return [
    ...(removed.length > 0 ? [`${deleted} ${named(removed)}`] : []),
    ...(compressed.length > 0 ? [`${packed} ${named(compressed)}`] : []),
    `${freed} ${formatBytes(bytesFreed)}`,
  ]
}

const MAX_NAMED = 5

function named(ids: string[]): string {
  const some = ids.slice(0, MAX_NAMED).map((id) => id.slice(0, SHORT_ID))
  const more = ids.length > MAX_NAMED ? `, ${symbols().ellipsis}` : ''
  return `${formatCount(ids.length, 'session')}: ${some.join(', ')}${more}`
}
