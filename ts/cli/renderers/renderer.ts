import type { StreamChunk } from '../../chunks.js'
import type { RecoveryAction } from '../../error-handler.js'
import type { ExecError } from '../../errors.js'
import type { ExecEventData } from '../../events.js'

/** What is known when a run begins. */
export interface RunStart {
  sessionId: string
  /** Whether the conversation is kept, so that it can be gone on with. */
  saved: boolean
  cwd: string
  provider: string
  model: string | undefined
  /** What the agent is asked for. */
  prompt?: string
}

/** What is known when a run is over, whatever happened. */
export interface RunEnd {
  exitCode: number
  durationMs: number
  /** The failure, if there was one. */
  error: ExecError | undefined
}

/** Shows a run; the run itself knows nothing of how. Each method is called in the order of what happened. */
export interface Renderer {
  /** Whether what is said and thought is to come as lines of protocol 1. */
  readonly takesJsonLines?: boolean
  start(run: RunStart): void
  chunk(chunk: StreamChunk): void
  permissionResolved(resolution: ExecEventData['permission:resolved']): void
  turnCompleted(summary: ExecEventData['turn:completed']): void
  /** The turn failed, and it is to be decided how to go on. */
  failed(error: ExecError): void
  /** It was decided to go on like this. */
  recovering(action: RecoveryAction, provider?: string): void
  end(run: RunEnd): void
  /** Lets the terminal be used by somebody who asks a question; absent where it is not owned. */
  lend?<T>(ask: () => Promise<T>): Promise<T>
  /** Resolves when more can be shown; undefined when it can now. */
  ready(): Promise<void> | undefined
}
