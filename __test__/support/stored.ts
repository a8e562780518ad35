import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { StoredRecord } from '../../ts/index.js'

/** The time of the first record of every recorded conversation here. */
export const BEGUN = Date.UTC(2026, 1, 1, 9, 30)

interface Recorded {
  id?: string
  title?: string
  /** Of the first record. */
  begun?: number
}

/** A conversation of three turns: one with tools, one that failed, one that was interrupted. */
export function recordedSession({
  id = 'a8f3d9e2-0000',
  title,
  begun = BEGUN,
}: Recorded = {}): StoredRecord[] {
  const at = (milliseconds: number) => ({ timestamp: begun + milliseconds })
  const first = { runId: 'run-1' }
  const second = { runId: 'run-2' }
  const third = { runId: 'run-3' }
  return [
    {
      ...{ type: 'session', schema: 1, id, createdAt: begun, projectPath: '/project', provider: 'claude' },
      ...{ model: 'fake-1', ...(title !== undefined && { title }), ...at(0) },
    },
    { type: 'prompt', ...first, content: 'create a plan', provider: 'claude', model: 'fake-1', ...at(1) },
    { type: 'text', ...first, content: 'I will write ', ...at(400) },
    {
      ...{ type: 'tool_use', ...first, id: 't1', tool: 'Write', ...at(500) },
      parameters: { file_path: '/project/plan.md', content: '# The Plan' },
    },
    { type: 'tool_result', ...first, id: 't1', tool: 'Write', success: true, durationMs: 23, ...at(523) },
    { type: 'text', ...first, content: 'the plan.', ...at(700) },
    {
      ...{
        type: 'turn',
        ...first,
        success: true,
        stopReason: 'end_turn',
        durationMs: 899,
        toolsUsed: ['Write'],
      },
      usage: { input: 10, output: 20, cacheRead: 5, cacheWrite: 1, costUsd: 0.25 },
      ...{ agentSessionId: 'agent-1', ...at(900) },
    },
    { type: 'prompt', ...second, content: 'now fail', provider: 'claude', ...at(60_000) },
    {
      ...{ type: 'turn', ...second, success: false, stopReason: 'error', errorCode: 'RATE_LIMIT' },
      ...{ error: 'too many requests', durationMs: 50, toolsUsed: [], ...at(60_050) },
    },
    { type: 'prompt', ...third, content: 'and be killed', provider: 'claude', ...at(120_000) },
    { type: 'text', ...third, content: 'half an ans', ...at(120_200) },
  ]
}

/** Records as they are stored. */
export function linesOf(records: object[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('')
}

/** Puts a conversation into the history of a project, as a session that ended there would be. */
export function store(project: string, id: string, records: object[]): string {
  const folder = join(project, '.locus', 'exec-history')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, `${id}.jsonl`)
  writeFileSync(path, linesOf(records), { mode: 0o600 })
  return path
}
