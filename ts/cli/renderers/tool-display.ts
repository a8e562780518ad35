import type { ToolResultChunk } from '../../chunks.js'

interface ToolFace {
  icon: string
  message: string
  /** The parameter that says most about what the tool does. */
  parameter?: string
}

const FACES: Record<string, ToolFace> = {
  Read: { icon: '📖', message: 'Reading file', parameter: 'file_path' },
  Write: { icon: '📝', message: 'Writing file', parameter: 'file_path' },
  Edit: { icon: '🔧', message: 'Editing file', parameter: 'file_path' },
  Bash: { icon: '⚡', message: 'Running command', parameter: 'command' },
  Grep: { icon: '🔍', message: 'Searching code', parameter: 'pattern' },
  Glob: { icon: '📁', message: 'Finding files', parameter: 'pattern' },
  WebFetch: { icon: '🌐', message: 'Fetching URL', parameter: 'url' },
  WebSearch: { icon: '🌐', message: 'Searching the web', parameter: 'query' },
  Task: { icon: '🤖', message: 'Spawning agent', parameter: 'description' },
  Agent: { icon: '🤖', message: 'Spawning agent', parameter: 'description' },
  // Codex's.
  command_execution: { icon: '⚡', message: 'Running command', parameter: 'command' },
  file_change: { icon: '📝', message: 'Changing files', parameter: 'changes' },
  web_search: { icon: '🌐', message: 'Searching the web', parameter: 'query' },
  todo_list: { icon: '📋', message: 'Planning', parameter: 'items' },
  spawn_agent: { icon: '🤖', message: 'Spawning agent', parameter: 'prompt' },
  // The kinds of tools of agents that speak ACP.
  execute: { icon: '⚡', message: 'Running command', parameter: 'command' },
  read: { icon: '📖', message: 'Reading' },
  edit: { icon: '📝', message: 'Changing files' },
  delete: { icon: '🗑️', message: 'Deleting files' },
  move: { icon: '📦', message: 'Moving files' },
  search: { icon: '🔍', message: 'Searching' },
  fetch: { icon: '🌐', message: 'Fetching' },
  think: { icon: '💭', message: 'Thinking' },
}

/** Icon, message and key parameter of a tool use. */
export interface ToolTitle {
  icon: string
  message: string
  /** On one line; empty where there is none. */
  detail: string
}

/** How a tool use is announced. */
export function toolTitle(tool: string, parameters: Record<string, unknown> = {}): ToolTitle {
  const known = Object.hasOwn(FACES, tool) ? FACES[tool] : undefined
  const face: ToolFace = known ?? { icon: '🔧', message: `Using ${tool}` }
  const value = face.parameter
    ? parameters[face.parameter]
    : Object.values(parameters).find((it) => typeof it === 'string')
  return { icon: face.icon, message: face.message, detail: oneLine(inWords(value)) }
}

/** A parameter, or the list of files or of steps that it is. */
function inWords(value: unknown): string {
  if (Array.isArray(value)) {
    return value
      .map((it) => (it as { path?: unknown })?.path ?? (it as { text?: unknown })?.text)
      .filter((it) => typeof it === 'string')
      .join(', ')
  }
  return typeof value === 'string' ? value : ''
}

const PREVIEW_LINES = 3

/** What a tool returned, as a few lines. */
export function toolOutcome(chunk: ToolResultChunk): string[] {
  if (!chunk.success) {
    return preview(chunk.error ?? 'failed')
  }
  const { data } = chunk
  if (typeof data === 'string') {
    return preview(data)
  }
  if (typeof data !== 'object' || data === null) {
    return []
  }
  return outcomeOfRecord(data as Record<string, unknown>)
}

function outcomeOfRecord(data: Record<string, unknown>): string[] {
  const { stdout, stderr, numFiles, numMatches, numLines, file } = data
  if (typeof stdout === 'string') {
    return preview([stdout, stderr].filter(Boolean).join('\n'))
  }
  if (typeof numMatches === 'number') {
    return [count(numMatches, 'match', 'matches')]
  }
  if (typeof numFiles === 'number') {
    return [count(numFiles, 'file', 'files')]
  }
  const lines = numLines ?? (file as { numLines?: unknown } | undefined)?.numLines
  return typeof lines === 'number' ? [count(lines, 'line', 'lines')] : []
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`
}

function preview(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const more = lines.length - PREVIEW_LINES
  return more > 0 ? [...lines.slice(0, PREVIEW_LINES), `… ${count(more, 'more line', 'more lines')}`] : lines
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
