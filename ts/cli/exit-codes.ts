import type { ErrorCode } from '../errors.js'

/** The exit code of each failure; documented in `docs/exit-codes.md`, which a test compares with this table. */
export const EXIT_CODES = {
  INTERNAL: 1,
  INVALID_INPUT: 2,
  UNKNOWN_PROVIDER: 3,
  INVALID_DIRECTORY: 4,
  CLI_NOT_FOUND: 5,
  SPAWN_FAILED: 6,
  AGENT_NOT_ALLOWED: 7,
  BROKEN_INSTALLATION: 8,
  EXITED_BEFORE_INIT: 10,
  NO_RESULT: 11,
  PROCESS_CRASHED: 12,
  KILLED_BY_SIGNAL: 13,
  PROTOCOL: 14,
  AGENT_ERROR: 20,
  API_ERROR: 21,
  AUTH: 22,
  RATE_LIMIT: 23,
  OVERLOADED: 24,
  NETWORK_ERROR: 25,
  MAX_TURNS: 26,
  BUDGET_EXCEEDED: 27,
  CONTEXT_LIMIT: 28,
  START_TIMEOUT: 30,
  IDLE_TIMEOUT: 31,
  TURN_TIMEOUT: 32,
  PERMISSION_DENIED: 33,
  TOOL_FAILURE: 34,
  SYNTAX: 35,
  DEPENDENCY: 36,
  UNKNOWN: 37,
  SESSION_BUSY: 40,
  SESSION_ENDED: 41,
  SESSION_NOT_FOUND: 42,
  SESSION_AMBIGUOUS: 43,
  HISTORY: 44,
  SCHEMA_TOO_NEW: 45,
  CANCELLED: 130,
} as const satisfies Record<ErrorCode, number>

/** The exit code of a run that was ended by SIGTERM, as shells count. */
export const EXIT_TERMINATED = 143

/** The exit code of a run whose terminal has gone (SIGHUP), as shells count. */
export const EXIT_HUNG_UP = 129
