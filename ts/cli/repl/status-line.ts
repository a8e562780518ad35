import type { ChalkInstance } from 'chalk'
import stringWidth from 'fast-string-width'

import { tokensOf } from '../../usage.js'
import { costMark, formatDuration, formatTokens } from '../format.js'
import { cleanValue } from '../renderers/clean-text.js'
import type { StatusFacts } from './view.js'

const GAP = ' · '

/** What is known at a glance, on one row; what matters least goes first where there is no room. */
export function statusLine(facts: StatusFacts, columns: number, { dim }: ChalkInstance): string {
  const { provider, model, session, used, elapsedMs } = cleanValue(facts)
  const parts = [
    { text: model === undefined ? provider : `${provider} ${model}`, weight: 3 },
    { text: session, weight: 1 },
    ...(tokensOf(used) > 0 ? [{ text: `${formatTokens(tokensOf(used))} tokens`, weight: 2 }] : []),
    ...(used.costUsd === undefined ? [] : [{ text: costMark(used), weight: 4 }]),
    ...(elapsedMs === undefined
      ? []
      : [{ text: formatDuration(Math.floor(elapsedMs / 1000) * 1000), weight: 5 }]),
  ]
  const width = () => stringWidth(parts.map(({ text }) => text).join(GAP))
  while (parts.length > 1 && width() > columns - 2) {
    const least = Math.min(...parts.map(({ weight }) => weight))
    parts.splice(
      parts.findIndex(({ weight }) => weight === least),
      1,
    )
  }
  return dim(parts.map(({ text }) => text).join(GAP))
}
