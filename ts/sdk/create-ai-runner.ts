import type { SessionOptions } from '../options.js'
import type { AiProvider, AiRunner, LogFn } from './ai-runner.js'
import { ClaudeRunner } from './claude-runner.js'
import { CodexRunner } from './codex-runner.js'
import { DEFAULT_TIMEOUT_MS, NativeRunner } from './native-runner.js'

/** How a runner is to be made. */
export interface AiRunnerConfig {
  /** The agent's working directory. */
  projectPath: string
  /** The agent's own choice by default. */
  model?: string
  /** Is told of tools, new tries and failures. */
  log?: LogFn
  /** How long a run may take, in milliseconds (default: half an hour; 0: for ever). */
  timeoutMs?: number
  /** How hard codex thinks. */
  reasoningEffort?: string
  /** How many model requests a run may make; one that needs more fails with `BUDGET_EXCEEDED`. */
  maxTurns?: number
  /** Whatever else the engine is to know. */
  options?: SessionOptions
}

/** A runner by the engine: Claude Code by default, Codex, the demo agent, or any other agent that the engine knows. */
export function createAiRunner(provider: AiProvider | undefined, config: AiRunnerConfig): AiRunner {
  const { projectPath, model, log, timeoutMs = DEFAULT_TIMEOUT_MS, reasoningEffort, maxTurns } = config
  const budget = { ...config.options?.budget, ...(maxTurns !== undefined && { turns: maxTurns }) }
  const options = { ...config.options, budget }
  switch (provider) {
    case undefined:
    case 'claude':
      return new ClaudeRunner(projectPath, model, log, timeoutMs, options)
    case 'codex':
      return new CodexRunner(projectPath, model, log, reasoningEffort, timeoutMs, options)
    default: {
      const timeouts = { totalMs: timeoutMs, ...options.timeouts }
      return new NativeRunner({ allowAll: true, ...options, projectPath, model, timeouts, provider }, log)
    }
  }
}
