import { type ErrorInfo, errorInfo } from './error-info.js'
import { type ErrorCode, ExecError, errorOfChunk } from './errors.js'
import { native } from './native.js'

/** What kind of failure something is. */
export interface Classification extends ErrorInfo {
  /** How long to wait before another try, in milliseconds, where known. */
  retryAfterMs?: number
  /** When it may be tried again, in milliseconds since the epoch, where known. */
  resetsAt?: number
}

/** What errors of other packages say of themselves. */
interface Symptoms {
  name?: unknown
  message?: unknown
  code?: unknown
  errno?: unknown
  syscall?: unknown
  status?: unknown
  statusCode?: unknown
  headers?: unknown
  cause?: unknown
}

/**
 * The code of anything that was thrown: an error of this package keeps its own; of any other the facts count first (an HTTP
 * status, the code of Node or of the system, also of its causes), its text last. Never throws.
 */
export function classifyError(thrown: unknown): Classification {
  if (thrown instanceof ExecError) {
    const { retryable, retryAfterMs, resetsAt } = thrown
    return {
      ...errorInfo(thrown.code),
      retryable,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      ...(resetsAt !== undefined && { resetsAt }),
    }
  }
  const causes = chain(thrown)
  const code = causes.map(codeOfFacts).find((found) => found !== undefined) ?? codeOfText(causes)
  const wait = causes.map(retryAfter).find((found) => found !== undefined)
  return { ...errorInfo(code ?? 'UNKNOWN'), ...(wait !== undefined && { retryAfterMs: wait }) }
}

/** Anything that was thrown as an error of this package, of the class that belongs to its code. */
export function asExecError(thrown: unknown): ExecError {
  if (thrown instanceof ExecError) {
    return thrown
  }
  const { code, retryable, retryAfterMs } = classifyError(thrown)
  const error = thrown instanceof Error ? thrown.message : String(thrown)
  const report = { error, code, retryable, ...(retryAfterMs !== undefined && { retryAfterMs }) }
  return errorOfChunk(report, undefined, thrown)
}

const MAX_CAUSES = 8

function chain(thrown: unknown): Symptoms[] {
  const causes: Symptoms[] = []
  for (let next = thrown; causes.length < MAX_CAUSES && next !== undefined && next !== null; ) {
    const symptoms: Symptoms = typeof next === 'object' ? next : { message: String(next) }
    causes.push(symptoms)
    next = symptoms.cause
  }
  return causes
}

function codeOfFacts({ name, code, syscall, status, statusCode }: Symptoms): ErrorCode | undefined {
  if (name === 'AbortError') {
    return 'CANCELLED'
  }
  if (code === 'ENOENT' && typeof syscall === 'string' && syscall.startsWith('spawn')) {
    return 'CLI_NOT_FOUND'
  }
  const http = [status, statusCode].find((value) => Number.isInteger(value)) as number | undefined
  const word = typeof code === 'string' ? code : undefined
  return classify(http, word, '')
}

function codeOfText(causes: Symptoms[]): ErrorCode | undefined {
  return causes
    .map(({ message }) => (typeof message === 'string' ? classify(undefined, undefined, message) : undefined))
    .find((found) => found !== undefined)
}

function classify(status: number | undefined, word: string | undefined, text: string): ErrorCode | undefined {
  const isStatus = status !== undefined && status >= 100 && status < 600
  return (native().classify(isStatus ? status : undefined, word, text) ?? undefined) as ErrorCode | undefined
}

/** The `Retry-After` of an HTTP error, in seconds or as a date, in milliseconds. */
function retryAfter({ headers }: Symptoms): number | undefined {
  const value = headers instanceof Headers ? headers.get('retry-after') : undefined
  if (!value) {
    return undefined
  }
  const seconds = Number(value)
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, Math.round(ms)) : undefined
}
