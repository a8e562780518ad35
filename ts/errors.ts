import type { ErrorChunk, FailedAttempt, ResultChunk } from './chunks.js'
import { errorInfo } from './error-info.js'

/** What is known of a failure beside its code and message. */
export interface ExecErrorDetails {
  retryable?: boolean
  /** How long to wait before another try, in milliseconds, where known. */
  retryAfterMs?: number
  /** When it may be tried again, in milliseconds since the epoch, where known. */
  resetsAt?: number
  /** Another try was not made because the agent had changed something, which it might do twice. */
  needsConsent?: boolean
  /** The agent had used a tool that is not known to only look. */
  changed?: boolean
  /** What every attempt failed of, where there were several. */
  attempts?: FailedAttempt[]
  /** The last of what the agent wrote to stderr. */
  stderrTail?: string
  /** The agent's exit code, where it ended by itself. */
  exitCode?: number
  /** The signal that ended the agent, for example `SIGKILL`. */
  signal?: string
  /** What the failed turn had come to. */
  result?: ResultChunk
  cause?: unknown
}

/** A failure of the engine or of the agent that it runs. Every code has a subclass. */
export class ExecError extends Error {
  /** The stable code, for example `CLI_NOT_FOUND`. */
  readonly code: ErrorCode
  /** Whether the same turn may succeed when tried again. */
  readonly retryable: boolean
  // `declare`: a fact that is not known is not there, not even as undefined.
  declare readonly retryAfterMs?: number
  declare readonly resetsAt?: number
  declare readonly needsConsent?: boolean
  declare readonly changed?: boolean
  declare readonly attempts?: FailedAttempt[]
  declare readonly stderrTail?: string
  declare readonly exitCode?: number
  declare readonly signal?: string
  declare readonly result?: ResultChunk

  constructor(
    code: ErrorCode,
    message: string,
    { cause, retryable = false, ...details }: ExecErrorDetails = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = code
    this.retryable = retryable
    Object.assign(this, details)
  }

  /** What a person can do about it. */
  get remedy(): string {
    return errorInfo(this.code).remedy
  }

  /** Where it is documented, relative to this package. */
  get docs(): string {
    return errorInfo(this.code).docs
  }
}

/** A prompt or an option that cannot be used. */
export class InvalidInputError extends ExecError {}
/** No agent is registered under this name. */
export class UnknownProviderError extends ExecError {}
/** The project's file of agents, which says how the agent is run, has not been allowed. */
export class AgentNotAllowedError extends ExecError {}
/** The working directory is missing, no directory, or not accessible. */
export class InvalidDirectoryError extends ExecError {}
/** The agent's executable was not found. */
export class CliNotFoundError extends ExecError {}
/** The operating system refused to start the agent. */
export class SpawnFailedError extends ExecError {}
/** A part of this package is missing or cannot be run here: its addon or `locus-runner`. */
export class BrokenInstallationError extends ExecError {}
/** The agent ended before it said that it was ready. */
export class ExitedBeforeInitError extends ExecError {}
/** The agent ended with exit code 0 but gave no result. */
export class NoResultError extends ExecError {}
/** The agent ended with another exit code in the middle of a turn. */
export class ProcessCrashedError extends ExecError {}
/** The agent was ended by a signal that this package did not send. */
export class KilledBySignalError extends ExecError {}
/** The agent printed nothing that its protocol knows. */
export class ProtocolError extends ExecError {}
/** The model's API failed in a way that has no finer code. */
export class ApiError extends ExecError {}
/** The agent is not logged in, or its key is refused. */
export class AuthError extends ExecError {}
/** The model's API limits the rate. */
export class RateLimitError extends ExecError {}
/** The model's API is overloaded or failing. */
export class OverloadedError extends ExecError {}
/** The model's API cannot be reached. */
export class NetworkError extends ExecError {}
/** The conversation is longer than the model can take. */
export class ContextLimitError extends ExecError {}
/** The agent stopped at its limit of model turns. */
export class MaxTurnsError extends ExecError {}
/** The agent stopped at its budget. */
export class BudgetExceededError extends ExecError {}
/** The agent ended the turn with an error that has no finer code. */
export class AgentError extends ExecError {}
/** Something may not be done: a tool was refused, or the system forbids it. */
export class PermissionDeniedError extends ExecError {}
/** A tool of the agent failed. */
export class ToolFailureError extends ExecError {}
/** Code that was written cannot be parsed. */
export class CodeSyntaxError extends ExecError {}
/** Something that the code needs is missing. */
export class DependencyError extends ExecError {}
/** The agent did not get ready in time. */
export class StartTimeoutError extends ExecError {}
/** The agent was silent for too long in the middle of a turn. */
export class IdleTimeoutError extends ExecError {}
/** The turn took too long. */
export class TurnTimeoutError extends ExecError {}
/** The turn was cancelled. */
export class CancelledError extends ExecError {}
/** A turn of this session is still running. */
export class SessionBusyError extends ExecError {}
/** The session was ended. */
export class SessionEndedError extends ExecError {}
/** No stored session has this id. */
export class SessionNotFoundError extends ExecError {}
/** Several stored sessions begin with this id. */
export class SessionAmbiguousError extends ExecError {}
/** A file of the history could not be read or written. */
export class HistoryError extends ExecError {}
/** A file of the history was written by a newer version. */
export class SchemaTooNewError extends ExecError {}
/** A failure that nothing more is known of. */
export class UnknownError extends ExecError {}
/** A defect of this package. */
export class InternalError extends ExecError {}

const CLASSES = {
  INVALID_INPUT: InvalidInputError,
  UNKNOWN_PROVIDER: UnknownProviderError,
  AGENT_NOT_ALLOWED: AgentNotAllowedError,
  INVALID_DIRECTORY: InvalidDirectoryError,
  CLI_NOT_FOUND: CliNotFoundError,
  SPAWN_FAILED: SpawnFailedError,
  BROKEN_INSTALLATION: BrokenInstallationError,
  EXITED_BEFORE_INIT: ExitedBeforeInitError,
  NO_RESULT: NoResultError,
  PROCESS_CRASHED: ProcessCrashedError,
  KILLED_BY_SIGNAL: KilledBySignalError,
  PROTOCOL: ProtocolError,
  API_ERROR: ApiError,
  AUTH: AuthError,
  RATE_LIMIT: RateLimitError,
  OVERLOADED: OverloadedError,
  NETWORK_ERROR: NetworkError,
  CONTEXT_LIMIT: ContextLimitError,
  MAX_TURNS: MaxTurnsError,
  BUDGET_EXCEEDED: BudgetExceededError,
  AGENT_ERROR: AgentError,
  PERMISSION_DENIED: PermissionDeniedError,
  TOOL_FAILURE: ToolFailureError,
  SYNTAX: CodeSyntaxError,
  DEPENDENCY: DependencyError,
  START_TIMEOUT: StartTimeoutError,
  IDLE_TIMEOUT: IdleTimeoutError,
  TURN_TIMEOUT: TurnTimeoutError,
  CANCELLED: CancelledError,
  SESSION_BUSY: SessionBusyError,
  SESSION_ENDED: SessionEndedError,
  SESSION_NOT_FOUND: SessionNotFoundError,
  SESSION_AMBIGUOUS: SessionAmbiguousError,
  HISTORY: HistoryError,
  SCHEMA_TOO_NEW: SchemaTooNewError,
  UNKNOWN: UnknownError,
  INTERNAL: InternalError,
} as const

/** The stable code of an error. */
export type ErrorCode = keyof typeof CLASSES

/** All codes, in the order of the Rust core (`src/error.rs`). */
export const ERROR_CODES = Object.keys(CLASSES) as ErrorCode[]

/** An error of the class that belongs to its code. */
export function execError(code: ErrorCode, message: string, details?: ExecErrorDetails): ExecError {
  return new CLASSES[code](code, message, details)
}

/** An `error` chunk as an error; `result` is what the turn had come to. */
export function errorOfChunk(chunk: ErrorReport, result?: ResultChunk, reason?: unknown): ExecError {
  const { error, code, causes = [], type: _, ...details } = chunk
  const known = isErrorCode(code) ? code : 'INTERNAL'
  const cause =
    reason ??
    causes.reduceRight<Error | undefined>(
      (inner, text) => new Error(text, inner && { cause: inner }),
      undefined,
    )
  return execError(known, error, {
    ...details,
    ...(result && { result }),
    ...(cause !== undefined && { cause }),
  })
}

type ErrorReport = Omit<ErrorChunk, 'type'> & { type?: 'error' }

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(CLASSES, code)
}

/** What the addon threw, as an error of this package: it puts a report as JSON into the message. */
export function errorOfNative(thrown: unknown): ExecError {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  if (message.startsWith('{"error":')) {
    return errorOfChunk(JSON.parse(message) as ErrorReport)
  }
  return execError('INTERNAL', `the native engine failed: ${message}`, { cause: thrown })
}
