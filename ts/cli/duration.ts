import { execError } from '../errors.js'

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `500ms`, `90s`, `5m`, `2h`, `7d`, `1h30m` in milliseconds; throws `InvalidInputError` that names the flag. */
export function parseDuration(text: string, flag: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw execError('INVALID_INPUT', `${flag} needs a duration such as 90s, 5m or 1h30m, not '${text}'`)
  }
  return Math.round(
    parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit as string] ?? 0), 0),
  )
}
