import type { StreamChunk } from './chunks.js'
import type { ExecEventEmitter } from './event-emitter.js'

/** How to run one prompt. */
export interface RunOptions {
  /** Stops the run when aborted. */
  signal?: AbortSignal
}

/** Runs prompts, each on its own. What implements it may be native or written in JavaScript. */
export interface AiRunner {
  /** Runs a prompt to its end; resolves with the answer. */
  run(prompt: string, options?: RunOptions): Promise<string>
  /** Runs a prompt and gives what is said as it comes. Its `return()` stops the run. */
  runStream(prompt: string, options?: RunOptions): AsyncGenerator<StreamChunk, void, unknown>
  /** Has the events of every run told to an emitter. */
  setEventEmitter?(emitter: ExecEventEmitter): void
  /** Stops what runs. */
  abort(): void
}

/** The name of an agent. */
export type AiProvider = 'claude' | 'codex' | 'demo' | (string & {})

/** Is told what a runner does, for people. */
export type LogFn = (message: string, level?: 'info' | 'success' | 'warn' | 'error') => void
