import { readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

import { EXIT_CODES, EXIT_HUNG_UP, EXIT_TERMINATED } from '../../ts/cli/exit-codes.js'
import { ERROR_CODES } from '../../ts/index.js'

const page = new URL('../../docs/exit-codes.md', import.meta.url)

describe('the exit codes', () => {
  it('are there for every error code, and for no other', () => {
    expect(Object.keys(EXIT_CODES).toSorted()).toEqual(ERROR_CODES.toSorted())
  })

  it('are all different, none of them success, and below what shells use for signals but for signals', () => {
    const codes = [...Object.values(EXIT_CODES), EXIT_TERMINATED, EXIT_HUNG_UP]
    expect(new Set(codes).size).toBe(codes.length)
    const { CANCELLED, ...failures } = EXIT_CODES
    for (const code of Object.values(failures)) {
      expect(code).toBeGreaterThan(0)
      expect(code).toBeLessThan(126)
    }
    expect([CANCELLED, EXIT_TERMINATED, EXIT_HUNG_UP]).toEqual([128 + 2, 128 + 15, 128 + 1])
  })

  it('never change: scripts depend on them', () => {
    expect({ ...EXIT_CODES, EXIT_TERMINATED, EXIT_HUNG_UP }).toMatchInlineSnapshot(`
      {
        "AGENT_ERROR": 20,
        "AGENT_NOT_ALLOWED": 7,
        "API_ERROR": 21,
        "AUTH": 22,
        "BROKEN_INSTALLATION": 8,
        "BUDGET_EXCEEDED": 27,
        "CANCELLED": 130,
        "CLI_NOT_FOUND": 5,
        "CONTEXT_LIMIT": 28,
        "DEPENDENCY": 36,
        "EXITED_BEFORE_INIT": 10,
        "EXIT_HUNG_UP": 129,
        "EXIT_TERMINATED": 143,
        "HISTORY": 44,
        "IDLE_TIMEOUT": 31,
        "INTERNAL": 1,
        "INVALID_DIRECTORY": 4,
        "INVALID_INPUT": 2,
        "KILLED_BY_SIGNAL": 13,
        "MAX_TURNS": 26,
        "NETWORK_ERROR": 25,
        "NO_RESULT": 11,
        "OVERLOADED": 24,
        "PERMISSION_DENIED": 33,
        "PROCESS_CRASHED": 12,
        "PROTOCOL": 14,
        "RATE_LIMIT": 23,
        "SCHEMA_TOO_NEW": 45,
        "SESSION_AMBIGUOUS": 43,
        "SESSION_BUSY": 40,
        "SESSION_ENDED": 41,
        "SESSION_NOT_FOUND": 42,
        "SPAWN_FAILED": 6,
        "START_TIMEOUT": 30,
        "SYNTAX": 35,
        "TOOL_FAILURE": 34,
        "TURN_TIMEOUT": 32,
        "UNKNOWN": 37,
        "UNKNOWN_PROVIDER": 3,
      }
    `)
  })

  it('are those of the documentation', () => {
    const rows = [...readFileSync(page, 'utf8').matchAll(/^\| (\d+) \| (\w+) \|/gm)].map(
      ([, code, name]) => `${code} ${name}`,
    )
    const all = { ...EXIT_CODES, SIGTERM: EXIT_TERMINATED, SIGHUP: EXIT_HUNG_UP }
    const names = Object.entries(all).map(
      ([name, code]) => `${code} ${name.startsWith('SIG') ? 'CANCELLED' : name}`,
    )
    expect(rows.toSorted()).toEqual(names.toSorted())
  })
})
