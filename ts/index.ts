/**
 * Runs coding agents from Node: supervised processes, streamed as typed events.
 *
 * Begin with {@link ExecSession}. The addon is loaded when the first session is made, not when this is imported.
 */
export {
  type AgentInfo,
  type AgentModel,
  allowAgents,
  listAgents,
  type ProjectAgents,
  type ProjectAgentsFile,
  revokeAgents,
} from './agents.js'
export type * from './chunks.js'
export { asExecError, type Classification, classifyError } from './classify.js'
export type { Artifact, ArtifactType, ContextTrackerState, Task, TaskStatus } from './context/artifacts.js'
export { buildContextPrompt, type ContextPromptParts } from './context/context-prompt.js'
export { ContextTracker } from './context/context-tracker.js'
export type { ConversationMessage } from './conversation.js'
export {
  ErrorHandler,
  type ErrorHandlerOptions,
  type Fallback,
  fallbackAgents,
  type RecoverableSession,
  type Recovery,
  type RecoveryAction,
  type RecoveryChoice,
  type RecoveryChooser,
  type RecoveryOutcome,
  type RecoveryRequest,
  recoveryChoices,
} from './error-handler.js'
export { type ErrorInfo, errorInfo } from './error-info.js'
export * from './errors.js'
export type { ExecEvent, ExecEventData, ExecEventMap } from './events.js'
export { ExecEventType } from './events.js'
export { StreamingExecutor } from './executor.js'
export * from './history.js'
export { readUsage, type UsageEntry, type UsageReading } from './ledger.js'
export type {
  Budget,
  ImageBytes,
  ImageInput,
  LogLevel,
  PermissionDecision,
  PermissionHandler,
  SessionOptions,
  Timeouts,
  TurnOptions,
} from './options.js'
export type * from './records.js'
export {
  type ReplayOptions,
  type ReplaySource,
  replayTranscript,
  type SessionReplay,
  type Transcript,
} from './replay.js'
export {
  type Attempt,
  type RetryContext,
  RetryManager,
  type RetryPolicy,
  type RetryRunOptions,
  type ScheduledRetry,
} from './retry.js'
export { ExecSession } from './session.js'
export type { ExecResult, TurnStream } from './stream.js'
export { addUsage } from './usage.js'
