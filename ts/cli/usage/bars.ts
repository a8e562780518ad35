const FULL = '█'
/** Eighths of a column, from one to seven. */
const PARTS = ['▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** Bars as long as their values, the longest `width` columns; a value above 0 is never without one. */
export function bars(values: number[], width: number): string[] {
  const most = Math.max(0, ...values)
  return values.map((value) => {
    if (most === 0 || value <= 0) {
      return ''
    }
    const eighths = Math.max(1, Math.round((value / most) * width * 8))
    return FULL.repeat(Math.floor(eighths / 8)) + (PARTS[(eighths % 8) - 1] ?? '')
  })
}
