import type { SessionOptions } from '../options.js'
import type { LogFn } from './ai-runner.js'
import { DEFAULT_TIMEOUT_MS, NativeRunner } from './native-runner.js'

/**
 * Runs prompts with Codex, by the engine. As in Locus (`--full-auto`), it may change the files of the project and nothing
 * outside, unless `options` say otherwise.
 */
export class CodexRunner extends NativeRunner {
  /**
   * @param projectPath the agent's working directory
   * @param model the agent's own choice by default
   * @param log is told of tools, new tries and failures
   * @param reasoningEffort `low`, `medium`, `high`, … as codex knows them
   * @param timeoutMs how long a run may take (default: half an hour; 0: for ever)
   * @param options whatever else the engine is to know
   */
  constructor(
    projectPath: string,
    model?: string,
    log?: LogFn,
    reasoningEffort?: string,
    timeoutMs = DEFAULT_TIMEOUT_MS,
    options: SessionOptions = {},
  ) {
    const effort = reasoningEffort === undefined ? [] : ['-c', `model_reasoning_effort=${reasoningEffort}`]
    const extraArgs = [...effort, ...(options.extraArgs ?? [])]
    const timeouts = { totalMs: timeoutMs, ...options.timeouts }
    const permissionMode = 'workspace-write'
    super({ permissionMode, ...options, projectPath, model, extraArgs, timeouts, provider: 'codex' }, log)
  }
}
