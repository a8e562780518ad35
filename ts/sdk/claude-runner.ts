import type { SessionOptions } from '../options.js'
import type { LogFn } from './ai-runner.js'
import { DEFAULT_TIMEOUT_MS, NativeRunner } from './native-runner.js'

/** Runs prompts with Claude Code, by the engine. As in Locus, every tool is allowed unless `options` say otherwise. */
export class ClaudeRunner extends NativeRunner {
  /**
   * @param projectPath the agent's working directory
   * @param model the agent's own choice by default
   * @param log is told of tools, new tries and failures
   * @param timeoutMs how long a run may take (default: half an hour; 0: for ever)
   * @param options whatever else the engine is to know
   */
  constructor(
    projectPath: string,
    model?: string,
    log?: LogFn,
    timeoutMs = DEFAULT_TIMEOUT_MS,
    options: SessionOptions = {},
  ) {
    const timeouts = { totalMs: timeoutMs, ...options.timeouts }
    super({ allowAll: true, ...options, projectPath, model, timeouts, provider: 'claude' }, log)
  }
}
