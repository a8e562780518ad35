import { execError } from '../../errors.js'

const UNITS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 }

/** A time that was given as a flag: a date (`2026-02-01`, `2026-02-01T09:30`) or an age (`30m`, `12h`, `7d`, `2w`). */
export function timeOf(flag: string, value: string, now: number): number {
  const [, count, unit] = /^(\d+)([mhdw])$/.exec(value) ?? []
  if (count !== undefined && unit !== undefined) {
    return now - Number(count) * (UNITS[unit] ?? 0)
  }
  const isDate = /^\d{4}-\d{2}-\d{2}([T ].*)?$/.test(value)
  // A date without a time is a day of the user's and not one of Greenwich.
  const time = isDate ? new Date(value.length === 10 ? `${value}T00:00` : value).getTime() : Number.NaN
  if (Number.isNaN(time)) {
    throw execError('INVALID_INPUT', `${flag} must be a date such as 2026-02-01 or an age such as 12h or 7d`)
  }
  return time
}

const MAX_U32 = 0xffff_ffff

/** A whole number that was given as a flag. */
export function countOf(flag: string, value: string, least = 0): number {
  const count = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN
  if (count >= least && count <= MAX_U32) {
    return count
  }
  throw execError('INVALID_INPUT', `${flag} must be a whole number from ${least} on`)
}

/** A limit that was given as a flag; null for `never`. */
export function limitOf(flag: string, value: string | undefined): number | null | undefined {
  if (value === undefined || value === 'never') {
    return value === undefined ? undefined : null
  }
  if (!/^\d+$/.test(value)) {
    throw execError('INVALID_INPUT', `${flag} must be a whole number, or never`)
  }
  return countOf(flag, value)
}

const SIZES: Record<string, number> = { '': 1, k: 1e3, m: 1e6, g: 1e9 }

/** A size in bytes that was given as a flag (`800`, `500KB`, `1.5 GB`); null for `never`. */
export function sizeLimitOf(flag: string, value: string | undefined): number | null | undefined {
  if (value === undefined || value === 'never') {
    return value === undefined ? undefined : null
  }
  const [, count, unit = ''] = /^(\d{1,10}(?:\.\d{1,6})?) ?(?:([kmg])b?|b)?$/i.exec(value) ?? []
  if (count === undefined) {
    throw execError('INVALID_INPUT', `${flag} must be a size such as 500KB or 1.5GB, or never`)
  }
  return Math.floor(Number(count) * (SIZES[unit.toLowerCase()] ?? 1))
}
