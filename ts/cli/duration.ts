import { execError } from '../errors.js'

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const MAX_MS = 0xffff_ffff

/** `500ms`, `90s`, `10m`, `1.5h`, `1h30m` in milliseconds, 1 at least; throws `INVALID_INPUT` that names where it stands. */
export function parseDuration(text: string, name: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)]
  const sum = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS[unit as string] ?? 0), 0)
  const milliseconds = Math.round(sum)
  if (parts.map(([part]) => part).join('') === text && milliseconds >= 1 && milliseconds <= MAX_MS) {
    return milliseconds
  }
  throw execError('INVALID_INPUT', `${name} must be a duration such as 90s, 10m or 1h30m, not '${text}'`)
}
