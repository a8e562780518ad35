import { execError } from '../errors.js'
import type { Budget, TurnOptions } from '../options.js'
import { parseDuration } from './duration.js'
import type { Settings } from './settings.js'

/** The flags of `locus exec` that limit a turn. */
export interface LimitFlags {
  maxCostUsd?: string
  maxTokens?: string
  maxTurns?: string
  timeout?: string
}

/** The limits of a turn: those of the flags, else those of the settings. Throws `INVALID_INPUT`. */
export function limitsOf(flags: LimitFlags, settings: Settings): Pick<TurnOptions, 'budget' | 'timeouts'> {
  const { maxCostUsd, maxTokens, maxTurns } = flags
  const given: Budget = {
    ...(maxCostUsd !== undefined && { costUsd: dollarsOf('--max-cost-usd', maxCostUsd) }),
    ...(maxTokens !== undefined && { tokens: countOf('--max-tokens', maxTokens) }),
    ...(maxTurns !== undefined && { turns: countOf('--max-turns', maxTurns) }),
  }
  const timeout = flags.timeout ?? settings.timeout
  return {
    budget: { ...settings.budget?.turn, ...given },
    ...(timeout !== undefined && { timeouts: { totalMs: parseDuration(timeout, '--timeout') } }),
  }
}

function dollarsOf(flag: string, value: string): number {
  const dollars = /^\d+(\.\d+)?$/.test(value) ? Number(value) : 0
  if (dollars > 0) {
    return dollars
  }
  throw execError('INVALID_INPUT', `${flag} must be a number of US dollars above 0, not '${value}'`)
}

function countOf(flag: string, value: string): number {
  const count = /^\d+$/.test(value) ? Number(value) : 0
  if (count > 0 && Number.isSafeInteger(count)) {
    return count
  }
  throw execError('INVALID_INPUT', `${flag} must be a whole number above 0, not '${value}'`)
}
