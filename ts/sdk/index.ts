/**
 * The exec part of the Locus SDK (0.14.x) on this engine: the same names, signatures and synchronous calls, to be swapped in
 * (docs/locus-integration.md). New programs begin with `@locus/exec-native` itself.
 *
 * Nothing here is an engine of its own. The runners rest on `StreamingExecutor`, the history on the engine's store
 * (`src/history/snapshot.rs`), the context is the engine's `ContextTracker`, the NDJSON lines are those of the command line.
 */
export type { Usage } from '../chunks.js'
export { classifyError } from '../classify.js'
export type { Artifact, ArtifactType, ContextTrackerState, Task, TaskStatus } from '../context/artifacts.js'
export { ContextTracker } from '../context/context-tracker.js'
export { type ErrorCode, ExecError } from '../errors.js'
export type { SessionOptions } from '../options.js'
export type { AiProvider, AiRunner, LogFn, RunOptions } from './ai-runner.js'
export type * from './chunks.js'
export { ClaudeRunner } from './claude-runner.js'
export { CodexRunner } from './codex-runner.js'
export { type AiRunnerConfig, createAiRunner } from './create-ai-runner.js'
export { ExecEventEmitter } from './event-emitter.js'
export type { ExecEvent, ExecEventData, ExecEventListener, ExecEventMap } from './events.js'
export { ExecEventType } from './events.js'
export { ExecSession, type ExecSessionConfig } from './exec-session.js'
export {
  type ConversationMessage,
  type ConversationSession,
  HistoryManager,
  type HistoryManagerOptions,
  type SessionFilterOptions,
} from './history-manager.js'
export {
  encodeJsonStream,
  JsonStreamEncoder,
  type JsonStreamEnd,
  type JsonStreamOptions,
} from './json-stream-encoder.js'
export { NativeRunner } from './native-runner.js'
export type { ExecResult } from './turn.js'
