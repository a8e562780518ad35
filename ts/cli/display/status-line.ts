import type { ChalkInstance } from 'chalk'
import stringWidth from 'fast-string-width'

import type { Usage } from '../../chunks.js'
import { tokensOf } from '../../usage.js'
import { costMark, formatElapsed, formatTokens } from '../format.js'
import { cleanValue } from '../renderers/clean-text.js'
import type { Symbols } from './symbols.js'

/** How full the model's window is, in tokens. */
export interface ContextUse {
  tokens: number
  /** How large it is, where the agent says so. */
  window: number | undefined
}

/** What the detail of a `context` status tells. */
export function contextOf({ tokens, window }: Record<string, unknown> = {}): ContextUse | undefined {
  return typeof tokens === 'number'
    ? { tokens, window: typeof window === 'number' && window > 0 ? window : undefined }
    : undefined
}

/** What is known about a conversation at a glance. */
export interface StatusFacts {
  provider: string
  model: string | undefined
  /** The beginning of the id of the conversation, where it is kept. */
  session: string | undefined
  /** Of this conversation, since the program began. */
  used: Usage
  /** What is in the model's window, where the agent tells it. */
  context: ContextUse | undefined
  /** Of the turn under way. */
  elapsedMs: number | undefined
}

/** The facts on one row; what matters least goes first where there is no room. */
export function statusLine(
  facts: StatusFacts,
  columns: number,
  { dim }: ChalkInstance,
  { dot }: Symbols,
): string {
  const { provider, model, session, used, context, elapsedMs } = cleanValue(facts)
  const known: Array<[weight: number, text: string | undefined]> = [
    [4, model === undefined ? provider : `${provider} ${model}`],
    [1, session],
    [3, context && contextText(context)],
    [2, tokensOf(used) > 0 ? `${formatTokens(tokensOf(used))} tokens` : undefined],
    [5, used.costUsd === undefined ? undefined : costMark(used)],
    [6, elapsedMs === undefined ? undefined : formatElapsed(elapsedMs)],
  ]
  const parts = known.filter(([, text]) => text !== undefined)
  const line = () => parts.map(([, text]) => text).join(` ${dot} `)
  while (parts.length > 1 && stringWidth(line()) > columns - 2) {
    const least = Math.min(...parts.map(([weight]) => weight))
    parts.splice(
      parts.findIndex(([weight]) => weight === least),
      1,
    )
  }
  return dim(line())
}

/** `35.2k (18%) context`, as far as it is known. */
function contextText({ tokens, window }: ContextUse): string {
  const share = window === undefined ? '' : ` (${Math.round((tokens / window) * 100)}%)`
  return `${formatTokens(tokens)}${share} context`
}
