import { describe, expect, it } from 'vitest'

import {
  AuthError,
  asExecError,
  classifyError,
  ERROR_CODES,
  type ErrorCode,
  errorInfo,
  execError,
  NetworkError,
} from '../ts/index.js'

const withFacts = (facts: object, message = 'it failed') => Object.assign(new Error(message), facts)

describe('anything that was thrown', () => {
  const CASES: [string, unknown, ErrorCode][] = [
    ['an error of this package', execError('BUDGET_EXCEEDED', 'too much'), 'BUDGET_EXCEEDED'],
    ['a missing executable', withFacts({ code: 'ENOENT', syscall: 'spawn claude' }), 'CLI_NOT_FOUND'],
    ['a missing file', withFacts({ code: 'ENOENT', syscall: 'open' }), 'UNKNOWN'],
    ['a refused connection', withFacts({ code: 'ECONNREFUSED' }), 'NETWORK_ERROR'],
    ['a cause', new TypeError('it failed', { cause: withFacts({ code: 'ETIMEDOUT' }) }), 'NETWORK_ERROR'],
    ['a forbidden file', withFacts({ code: 'EACCES' }), 'PERMISSION_DENIED'],
    ['an abort', new DOMException('stop', 'AbortError'), 'CANCELLED'],
    ['an HTTP 401', withFacts({ status: 401 }, 'rate limit'), 'AUTH'],
    ['an HTTP 429', withFacts({ statusCode: 429 }), 'RATE_LIMIT'],
    ['an HTTP 529', withFacts({ status: 529 }), 'OVERLOADED'],
    ['a text about a limit', new Error('Rate limit reached for requests'), 'RATE_LIMIT'],
    ['a text about a connection', 'fetch failed', 'NETWORK_ERROR'],
    ['a text about the context', new Error('prompt is too long: 210000 tokens'), 'CONTEXT_LIMIT'],
    ['a text about code', new Error('SyntaxError: Unexpected end of input'), 'SYNTAX'],
    ['a text about a module', new Error("Cannot find module 'x'"), 'DEPENDENCY'],
    ['nothing', undefined, 'UNKNOWN'],
    ['a number', 3, 'UNKNOWN'],
  ]

  it.each(CASES)('%s has a code', (_, thrown, code) => {
    expect(classifyError(thrown)).toMatchObject({ ...errorInfo(code) })
    expect(asExecError(thrown)).toMatchObject({ code })
  })

  it('becomes an error of the class of its code, with itself as the cause', () => {
    const thrown = withFacts({ status: 401 }, 'who are you')
    const error = asExecError(thrown)
    expect(error).toBeInstanceOf(AuthError)
    expect(error).toMatchObject({ message: 'who are you', cause: thrown, retryable: false })
    expect(asExecError(error)).toBe(error)
    expect(asExecError('fetch failed')).toBeInstanceOf(NetworkError)
  })

  it('that knows when it may be tried again says so', () => {
    const limited = (value: string) =>
      withFacts({ status: 429, headers: new Headers({ 'retry-after': value }) })
    expect(classifyError(limited('2')).retryAfterMs).toBe(2000)
    const soon = classifyError(limited(new Date(Date.now() + 60_000).toUTCString())).retryAfterMs
    expect(soon).toBeGreaterThan(50_000)
    expect(soon).toBeLessThanOrEqual(60_000)
    expect(classifyError(limited('whenever'))).not.toHaveProperty('retryAfterMs')
    expect(classifyError(execError('RATE_LIMIT', 'no', { resetsAt: 5, retryable: true })).resetsAt).toBe(5)
  })

  it('with a cause that is itself does not hang', () => {
    const error = new Error('fetch failed')
    error.cause = error
    expect(classifyError(error).code).toBe('NETWORK_ERROR')
  })
})

it.each(ERROR_CODES)('%s says what to do and where that is documented', (code) => {
  const error = execError(code, 'it failed')
  expect(error.remedy).toMatch(/^[a-z].{10,}[^.]$/)
  expect(error.docs).toBe(`docs/errors.md#${code.toLowerCase()}`)
})
