import type { ModelUsage } from '../chunks.js'
import { symbols } from './display/symbols.js'

/** A duration for people: `85ms`, `3.2s`, `2m 05s`. */
export function formatDuration(milliseconds: number): string {
  // Rounded before the unit is chosen: 59.96 seconds are a minute and not 60.0 seconds.
  if (Math.round(milliseconds) < 1000) {
    return `${Math.round(milliseconds)}ms`
  }
  if (Math.round(milliseconds / 100) < 600) {
    return `${(milliseconds / 1000).toFixed(1)}s`
  }
  const whole = Math.round(milliseconds / 1000)
  return `${Math.floor(whole / 60)}m ${String(whole % 60).padStart(2, '0')}s`
}

/** How long something has gone on, for people who watch it grow: `0s`, `14s`, `2m 05s`. */
export function formatElapsed(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  return seconds < 60 ? `${seconds}s` : formatDuration(seconds * 1000)
}

/** A count of tokens for people: `850`, `12.3k`, `1.2M`. */
export function formatTokens(tokens: number): string {
  if (tokens < 1000) {
    return String(tokens)
  }
  return tokens < 999_950 ? `${(tokens / 1000).toFixed(1)}k` : `${(tokens / 1_000_000).toFixed(1)}M`
}

/** A sum of US dollars for people, with the digits that small sums need. */
export function formatCost(usd: number): string {
  return usd === 0 ? '$0.00' : `$${usd.toFixed(usd < 0.1 ? 4 : 2)}`
}

/** What something cost, as far as it is known. */
type Cost = Pick<ModelUsage, 'costUsd' | 'costSource' | 'costPartial'>

/**
 * What something cost, for a table: `unknown` where it is not known, `~` in front of what is computed from the price table,
 * `≥` where the price of a part is not known.
 */
export function costMark({ costUsd, costSource, costPartial }: Cost): string {
  if (costUsd === undefined) {
    return 'unknown'
  }
  return `${costPartial ? symbols().atLeast : ''}${costSource === 'prices' ? '~' : ''}${formatCost(costUsd)}`
}

/** The same in words. */
export function costText(usage: Cost): string {
  if (usage.costUsd === undefined) {
    return 'unknown'
  }
  return [
    `${usage.costPartial ? 'at least ' : ''}${formatCost(usage.costUsd)}`,
    ...(usage.costSource === 'prices' ? ['by the price table'] : []),
    ...(usage.costPartial ? ['a part is unknown'] : []),
  ].join(', ')
}

const UNITS: ReadonlyArray<[unit: Intl.RelativeTimeFormatUnit, milliseconds: number]> = [
  ['year', 365 * 86_400_000],
  ['month', 30 * 86_400_000],
  ['week', 7 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
]

/** How long ago something was, for people: `just now`, `5 minutes ago`, `2 weeks ago`. */
export function formatAge(timestamp: number, now: number): string {
  const age = now - timestamp
  const [unit, milliseconds] = UNITS.find(([, length]) => age >= length) ?? []
  if (unit === undefined || milliseconds === undefined) {
    return 'just now'
  }
  return new Intl.RelativeTimeFormat('en').format(-Math.floor(age / milliseconds), unit)
}

/** A time for people, in their time zone: `2026-02-01 09:30`. */
export function formatTime(timestamp: number): string {
  const date = new Date(timestamp)
  if (Number.isNaN(date.getTime())) {
    return 'unknown'
  }
  const two = (number: number) => String(number).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

/** A size for people: `512 B`, `12.3 KB`, `4.0 MB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) {
    return `${bytes} B`
  }
  return bytes < 999_950 ? `${(bytes / 1000).toFixed(1)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}

/** A count with its noun: `1 turn`, `3 turns`. */
export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
