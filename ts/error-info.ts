import type { ErrorCode } from './errors.js'
import { native } from './native.js'

/** What an error code implies. */
export interface ErrorInfo {
  code: ErrorCode
  /** Whether the same turn may succeed when it is simply tried again later. */
  retryable: boolean
  /** What a person can do about it. */
  remedy: string
  /** Where it is documented, relative to this package: `docs/errors.md#rate_limit`. */
  docs: string
}

let table: Map<string, ErrorInfo> | undefined

/** What an error code implies; the table is the engine's (`src/error/kind.rs`). */
export function errorInfo(code: ErrorCode): ErrorInfo {
  const known = infos().get(code)
  // Without the engine there is only the one error that says so.
  return known ?? { code, retryable: false, remedy: 'install this package again', docs: docsOf(code) }
}

function infos(): Map<string, ErrorInfo> {
  if (table === undefined) {
    try {
      const rows = native().errorCodes() as Array<Omit<ErrorInfo, 'docs'>>
      table = new Map(rows.map((row) => [row.code, { ...row, docs: docsOf(row.code) }]))
    } catch {
      // It cannot be loaded; whoever needs more of it than a remedy is told why.
      return new Map()
    }
  }
  return table
}

function docsOf(code: ErrorCode): string {
  return `docs/errors.md#${code.toLowerCase()}`
}
