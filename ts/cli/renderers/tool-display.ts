import type { ToolResultChunk } from '../../chunks.js'
import type { Symbols, ToolIcon } from '../display/symbols.js'
import { formatBytes, formatCount, formatTokens } from '../format.js'

interface ToolFace {
  icon: ToolIcon
  message: string
  /** The parameter that says most about what the tool does. */
  parameter?: string
}

const FACES: Record<string, ToolFace> = {
  Read: { icon: 'read', message: 'Reading file', parameter: 'file_path' },
  Write: { icon: 'write', message: 'Writing file', parameter: 'file_path' },
  Edit: { icon: 'edit', message: 'Editing file', parameter: 'file_path' },
  MultiEdit: { icon: 'edit', message: 'Editing file', parameter: 'file_path' },
  NotebookEdit: { icon: 'edit', message: 'Editing notebook', parameter: 'notebook_path' },
  Bash: { icon: 'run', message: 'Running command', parameter: 'command' },
  Grep: { icon: 'search', message: 'Searching code', parameter: 'pattern' },
  Glob: { icon: 'find', message: 'Finding files', parameter: 'pattern' },
  WebFetch: { icon: 'web', message: 'Fetching URL', parameter: 'url' },
  WebSearch: { icon: 'web', message: 'Searching the web', parameter: 'query' },
  Task: { icon: 'agent', message: 'Spawning agent', parameter: 'description' },
  Agent: { icon: 'agent', message: 'Spawning agent', parameter: 'description' },
  TodoWrite: { icon: 'plan', message: 'Planning', parameter: 'todos' },
  TaskCreate: { icon: 'plan', message: 'Planning', parameter: 'subject' },
  TaskUpdate: { icon: 'plan', message: 'Planning', parameter: 'status' },
  // Codex's.
  command_execution: { icon: 'run', message: 'Running command', parameter: 'command' },
  file_change: { icon: 'write', message: 'Changing files', parameter: 'changes' },
  web_search: { icon: 'web', message: 'Searching the web', parameter: 'query' },
  todo_list: { icon: 'plan', message: 'Planning', parameter: 'items' },
  spawn_agent: { icon: 'agent', message: 'Spawning agent', parameter: 'prompt' },
  // The kinds of tools of agents that speak ACP.
  execute: { icon: 'run', message: 'Running command', parameter: 'command' },
  read: { icon: 'read', message: 'Reading' },
  edit: { icon: 'edit', message: 'Changing files' },
  delete: { icon: 'edit', message: 'Deleting files' },
  move: { icon: 'edit', message: 'Moving files' },
  search: { icon: 'search', message: 'Searching' },
  fetch: { icon: 'web', message: 'Fetching' },
  // opencode's.
  bash: { icon: 'run', message: 'Running command', parameter: 'command' },
  write: { icon: 'write', message: 'Writing file', parameter: 'filePath' },
  grep: { icon: 'search', message: 'Searching code', parameter: 'pattern' },
  glob: { icon: 'find', message: 'Finding files', parameter: 'pattern' },
  list: { icon: 'find', message: 'Listing files', parameter: 'path' },
  webfetch: { icon: 'web', message: 'Fetching URL', parameter: 'url' },
  websearch: { icon: 'web', message: 'Searching the web', parameter: 'query' },
  task: { icon: 'agent', message: 'Spawning agent', parameter: 'description' },
  // Gemini's.
  run_shell_command: { icon: 'run', message: 'Running command', parameter: 'command' },
  read_file: { icon: 'read', message: 'Reading file', parameter: 'file_path' },
  write_file: { icon: 'write', message: 'Writing file', parameter: 'file_path' },
  replace: { icon: 'edit', message: 'Editing file', parameter: 'file_path' },
  list_directory: { icon: 'find', message: 'Listing files', parameter: 'dir_path' },
  grep_search: { icon: 'search', message: 'Searching code', parameter: 'pattern' },
  web_fetch: { icon: 'web', message: 'Fetching URL', parameter: 'prompt' },
  google_web_search: { icon: 'web', message: 'Searching the web', parameter: 'query' },
}

/** Icon, message and key parameter of a tool use. */
export interface ToolTitle {
  icon: ToolIcon
  message: string
  /** On one line; empty where there is none. */
  detail: string
}

/** How a tool use is announced. */
export function toolTitle(tool: string, parameters: Record<string, unknown> = {}): ToolTitle {
  const known = Object.hasOwn(FACES, tool) ? FACES[tool] : undefined
  const face: ToolFace = known ?? { icon: 'other', message: `Using ${tool}` }
  const value = face.parameter
    ? parameters[face.parameter]
    : Object.values(parameters).find((it) => typeof it === 'string')
  return { icon: face.icon, message: face.message, detail: oneLine(inWords(value)) }
}

/** A parameter, or the list of files or of steps that it is. */
function inWords(value: unknown): string {
  if (Array.isArray(value)) {
    return value
      .map((it) => {
        const { path, text, content } = (it ?? {}) as Record<string, unknown>
        return path ?? text ?? content
      })
      .filter((it) => typeof it === 'string')
      .join(', ')
  }
  return typeof value === 'string' ? value : ''
}

const PREVIEW_LINES = 3

/** What a tool returned, as a few lines. */
export function toolOutcome(chunk: ToolResultChunk, { ellipsis }: Symbols): string[] {
  const preview = (text: string) => firstLines(text, ellipsis)
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
  const fields = data as Record<string, unknown>
  const { stdout, stderr } = fields
  if (typeof stdout === 'string') {
    return preview([stdout, stderr].filter(Boolean).join('\n'))
  }
  const metric = metricOf(fields)
  return metric === undefined ? [] : [metric]
}

/** The figure that says most about what a tool returned. */
function metricOf(data: Record<string, unknown>): string | undefined {
  const { mode, numFiles, numMatches, numLines, file, code, bytes, totalToolUseCount, totalTokens } = data
  if (typeof numMatches === 'number') {
    return formatCount(numMatches, 'match', 'matches')
  }
  // A search that returns lines counts no files.
  if (typeof numFiles === 'number' && mode !== 'content') {
    return formatCount(numFiles, 'file')
  }
  const lines = numLines ?? (file as { numLines?: unknown } | undefined)?.numLines
  if (typeof lines === 'number') {
    return formatCount(lines, 'line')
  }
  if (typeof code === 'number' && typeof bytes === 'number') {
    return `${code}, ${formatBytes(bytes)}`
  }
  if (typeof totalToolUseCount === 'number') {
    const tools = formatCount(totalToolUseCount, 'tool use')
    return typeof totalTokens === 'number' ? `${tools}, ${formatTokens(totalTokens)} tokens` : tools
  }
  return undefined
}

function firstLines(text: string, ellipsis: string): string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const more = lines.length - PREVIEW_LINES
  return more > 0
    ? [...lines.slice(0, PREVIEW_LINES), `${ellipsis} ${formatCount(more, 'more line')}`]
    : lines
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}
