import { symbols } from '../display/symbols.js'

/** Bars as long as their values, the longest `width` columns; a value above 0 is never without one. */
export function bars(values: number[], width: number): string[] {
  const most = Math.max(0, ...values)
  return values.map((value) => {
    if (most === 0 || value <= 0) {
      return ''
    }
    const { full, eighths } = symbols()
    const parts = eighths.length + 1
    const length = Math.max(1, Math.round((value / most) * width * parts))
    return full.repeat(Math.floor(length / parts)) + (eighths[(length % parts) - 1] ?? '')
  })
}
