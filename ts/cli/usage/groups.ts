import type { ModelUsage, Usage } from '../../chunks.js'
import type { UsageEntry } from '../../ledger.js'
import { addUsage, NO_USAGE, tokensOf } from '../../usage.js'
import { formatTime } from '../format.js'

/** What usage can be grouped by. */
export const GROUPINGS = ['day', 'model', 'session', 'provider'] as const
export type Grouping = (typeof GROUPINGS)[number]

/** What some turns used together. */
export interface UsageGroup {
  /** The day (`2026-11-21`, of the user's time zone), the model, the id of the session, or the provider. */
  key: string
  turns: number
  /** How many of them failed. */
  failed: number
  usage: Usage
}

/** The model of what no model is named for. */
const UNKNOWN_MODEL = 'unknown'

/** Turns by day in order, or by something else, the dearest first. A turn with several models counts for each. */
export function groupsOf(entries: UsageEntry[], by: Grouping): UsageGroup[] {
  const groups = new Map<string, UsageGroup>()
  for (const entry of entries) {
    for (const [key, usage] of sharesOf(entry, by)) {
      const group = groups.get(key) ?? { key, turns: 0, failed: 0, usage: NO_USAGE }
      groups.set(key, added(group, entry, usage))
    }
  }
  const sorted = [...groups.values()]
  return by === 'day'
    ? sorted.sort((a, b) => (a.key < b.key ? -1 : 1))
    : sorted.sort((a, b) => weight(b) - weight(a) || tokensOf(b.usage) - tokensOf(a.usage))
}

/** All turns together. */
export function totalOf(entries: UsageEntry[]): UsageGroup {
  const nothing: UsageGroup = { key: 'total', turns: 0, failed: 0, usage: NO_USAGE }
  return entries.reduce((sum, entry) => added(sum, entry, entry.usage), nothing)
}

function weight({ usage }: UsageGroup): number {
  return usage.costUsd ?? 0
}

function added(group: UsageGroup, { success }: UsageEntry, usage: Usage): UsageGroup {
  return {
    key: group.key,
    turns: group.turns + 1,
    failed: group.failed + (success ? 0 : 1),
    usage: addUsage(group.usage, usage),
  }
}

function sharesOf(entry: UsageEntry, by: Grouping): Array<[key: string, usage: Usage]> {
  switch (by) {
    case 'day':
      return [[formatTime(entry.time).slice(0, 'yyyy-mm-dd'.length), entry.usage]]
    case 'session':
      return [[entry.session, entry.usage]]
    case 'provider':
      return [[entry.provider, entry.usage]]
    case 'model': {
      const models: Array<[string, ModelUsage]> = Object.entries(entry.usage.models ?? {})
      return models.length > 0 ? models : [[entry.model ?? UNKNOWN_MODEL, entry.usage]]
    }
  }
}
