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

/** A count of tokens for people: `850`, `12.3k`. */
export function formatTokens(tokens: number): string {
  return tokens < 1000 ? String(tokens) : `${(tokens / 1000).toFixed(1)}k`
}

/** A sum of US dollars for people, with the digits that small sums need. */
export function formatCost(usd: number): string {
  return usd === 0 ? '$0.00' : `$${usd.toFixed(usd < 0.1 ? 4 : 2)}`
}
