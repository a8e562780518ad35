import type { ModelUsage, Usage } from './chunks.js'

/** Nothing used. */
export const NO_USAGE: Readonly<Usage> = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }

/** All tokens, whatever they cost. */
export function tokensOf({ input, output, cacheRead, cacheWrite }: ModelUsage): number {
  return input + output + cacheRead + cacheWrite
}

/**
 * What both used, as turns, sessions and models are added up everywhere. A cost that only one of them has is marked as a
 * part of the whole (`costPartial`).
 */
export function addUsage(a: Usage, b: Usage): Usage {
  const sum: Usage = addFigures(a, b)
  if (a.models || b.models) {
    const models = { ...a.models }
    for (const [model, usage] of Object.entries(b.models ?? {})) {
      const before = models[model]
      models[model] = before ? addFigures(before, usage) : usage
    }
    sum.models = models
  }
  return sum
}

function addFigures(a: ModelUsage, b: ModelUsage): ModelUsage {
  const cacheWrite1h = added(a.cacheWrite1h, b.cacheWrite1h)
  const thinking = added(a.thinking, b.thinking)
  const requests = added(a.requests, b.requests)
  const costUsd = added(a.costUsd, b.costUsd)
  const costSource = [a.costSource, b.costSource].includes('prices')
    ? 'prices'
    : (a.costSource ?? b.costSource)
  const isPartial = costUsd !== undefined && [a, b].some((part) => part.costPartial || isUnpriced(part))
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheWrite: a.cacheWrite + b.cacheWrite,
    ...(cacheWrite1h !== undefined && { cacheWrite1h }),
    ...(thinking !== undefined && { thinking }),
    ...(requests !== undefined && { requests }),
    ...(costUsd !== undefined && { costUsd: withoutNoise(costUsd) }),
    ...(costSource !== undefined && { costSource }),
    ...(isPartial && { costPartial: true as const }),
  }
}

/** Whether it costs something that nobody has put a price on. */
function isUnpriced(usage: ModelUsage): boolean {
  return usage.costUsd === undefined && tokensOf(usage) > 0
}

function added(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : a + (b ?? 0)
}

/** A sum of floats without their noise: a billionth of a dollar is far below any price. */
function withoutNoise(dollars: number): number {
  return Math.round(dollars * 1e9) / 1e9
}
