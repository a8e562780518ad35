import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { temporaryFolder } from './folder.js'

type Fields = Record<string, unknown>

/** An event of the model's API. */
export const streams = (event: Fields): Fields => ({ type: 'stream_event', parent_tool_use_id: null, event })

const delta = (fields: Fields) => streams({ type: 'content_block_delta', index: 0, delta: fields })

/** A piece of the answer. */
export const words = (text: string) => delta({ type: 'text_delta', text })

/** A piece of a thought. */
export const thought = (thinking: string) => delta({ type: 'thinking_delta', thinking })

/** The use of a tool begins; `parent`: by the subagent that this tool use started. */
export const uses = (id: string, name: string, input: Fields, parent: string | null = null): Fields => ({
  ...{ type: 'assistant', parent_tool_use_id: parent },
  message: { content: [{ type: 'tool_use', id, name, input }] },
})

/** It returns something. `data`: the same as a value. */
export const returns = (
  id: string,
  content: string,
  { data, failed = false, parent = null }: { data?: unknown; failed?: boolean; parent?: string | null } = {},
): Fields => ({
  ...{ type: 'user', parent_tool_use_id: parent, tool_use_result: data },
  message: { content: [{ type: 'tool_result', tool_use_id: id, content, is_error: failed }] },
})

/** Nothing more is said until `goOn` is called with this name. */
export const wait = (name: string): Fields => ({ wait: name })

/** The environment that makes `says-the-lines-of-a-file` say these lines. */
export function saying(...lines: Fields[]): { env: Record<string, string>; goOn(name: string): void } {
  const FAKE_GATES = temporaryFolder()
  const FAKE_LINES = join(temporaryFolder(), 'lines')
  writeFileSync(FAKE_LINES, lines.map((line) => JSON.stringify(line)).join('\n'))
  return {
    env: { FAKE_LINES, FAKE_GATES },
    goOn: (name) => writeFileSync(join(FAKE_GATES, name), ''),
  }
}
