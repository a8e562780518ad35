import type { Symbols } from './symbols.js'
import { truncate } from './truncate.js'

/** A row that fits, whatever is in it: the last column is left free. */
export function cutTo(columns: number, row: string, { ellipsis }: Symbols): string {
  return truncate(row, Math.max(4, columns - 1), ellipsis)
}
