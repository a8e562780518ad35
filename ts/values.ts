import { execError } from './errors.js'

/** The largest number that the addon takes. */
const MAX_U32 = 0xffff_ffff

/** A boolean, if it is one; throws `InvalidInputError` for anything else. */
export function flag(name: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') {
    return value
  }
  throw invalid(name, 'a boolean', value)
}

/** A whole number, if it is one; throws `InvalidInputError` for anything else. */
export function number(name: string, value: unknown, max = MAX_U32): number | undefined {
  if (
    value === undefined ||
    (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max)
  ) {
    return value
  }
  throw invalid(name, `a whole number from 0 to ${max}`, value)
}

/** The error for an option that cannot be used. */
export function invalid(name: string, wanted: string, value: unknown): Error {
  return execError('INVALID_INPUT', `option '${name}' must be ${wanted}, not ${shown(value)}`)
}

function shown(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return String(value)
  }
}
