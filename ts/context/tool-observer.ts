import type { StreamChunk } from '../chunks.js'

/** What a tool use did to the context. */
export type ContextChange =
  | { kind: 'file-written'; filePath: string; content: string }
  | { kind: 'file-edited'; filePath: string }
  | { kind: 'plan-presented'; plan: string }
  | { kind: 'todos-listed'; todos: Todo[] }
  | { kind: 'task-created'; title: string; description?: string; agentTaskId?: string }
  | { kind: 'task-updated'; agentTaskId: string; title?: string; description?: string; status?: string }

/** An entry of a todo list, as the agent wrote it. */
export interface Todo {
  title: string
  status: string
}

interface ToolUse {
  tool: string
  parameters: Record<string, unknown>
  ofSubagent: boolean
}

/** A turn with more tools open at once is none of an agent that works. */
const MAX_OPEN = 1000

/**
 * Finds in a stream of chunks what changes the context: a tool use counts when its result says that it succeeded.
 *
 * Files that a subagent writes count; its todo list is its own.
 */
export class ToolObserver {
  readonly #open = new Map<string, ToolUse>()

  /** What this chunk has brought about, if anything. */
  observe(chunk: StreamChunk): ContextChange[] {
    switch (chunk.type) {
      case 'tool_use':
      case 'tool_parameters':
        if (chunk.parameters !== undefined && this.#open.size < MAX_OPEN) {
          const { tool, parameters } = chunk
          this.#open.set(chunk.id, { tool, parameters, ofSubagent: chunk.parentToolUseId !== undefined })
        }
        return []
      case 'tool_result': {
        const use = this.#open.get(chunk.id)
        this.#open.delete(chunk.id)
        return use && chunk.success ? changesOf(use, chunk.data) : []
      }
      case 'result':
        this.endTurn()
        return []
      default:
        return []
    }
  }

  /** What has no result by now will have none. */
  endTurn(): void {
    this.#open.clear()
  }
}

function changesOf(use: ToolUse, data: unknown): ContextChange[] {
  const { tool, parameters } = use
  // Codex changes several files at once.
  if (tool === 'file_change') {
    return Array.isArray(parameters.changes) ? parameters.changes.flatMap(fileChangeOf) : []
  }
  const change = changeOf(use, data)
  return change ? [change] : []
}

function changeOf({ tool, parameters, ofSubagent }: ToolUse, data: unknown): ContextChange | undefined {
  const filePath = text(parameters.file_path) ?? text(parameters.notebook_path)
  switch (tool) {
    case 'Write':
      return filePath
        ? { kind: 'file-written', filePath, content: text(parameters.content) ?? '' }
        : undefined
    case 'Edit':
    case 'MultiEdit':
    case 'NotebookEdit':
      return filePath ? { kind: 'file-edited', filePath } : undefined
    case 'ExitPlanMode': {
      const plan = text(parameters.plan)
      return plan ? { kind: 'plan-presented', plan } : undefined
    }
    default:
      return ofSubagent ? undefined : taskChangeOf(tool, parameters, data)
  }
}

function taskChangeOf(
  tool: string,
  parameters: Record<string, unknown>,
  data: unknown,
): ContextChange | undefined {
  switch (tool) {
    case 'TodoWrite':
      return Array.isArray(parameters.todos)
        ? { kind: 'todos-listed', todos: parameters.todos.flatMap(todoOf) }
        : undefined
    case 'todo_list':
      return Array.isArray(parameters.items)
        ? { kind: 'todos-listed', todos: parameters.items.flatMap(todoOf) }
        : undefined
    case 'TaskCreate': {
      const title = text(parameters.subject)
      const description = text(parameters.description)
      return title
        ? { kind: 'task-created', title, description, agentTaskId: createdTaskId(data) }
        : undefined
    }
    case 'TaskUpdate': {
      const agentTaskId = idOf(parameters.taskId)
      const { subject, description, status } = parameters
      return agentTaskId
        ? {
            kind: 'task-updated',
            agentTaskId,
            ...{ title: text(subject), description: text(description), status: text(status) },
          }
        : undefined
    }
    default:
      return undefined
  }
}

/** A file that codex changed; of a new one the difference is all that is in it. */
function fileChangeOf(entry: unknown): ContextChange[] {
  const { path, kind, diff, movePath } = (entry ?? {}) as Record<string, unknown>
  const filePath = text(movePath) ?? text(path)
  if (!filePath || kind === 'delete') {
    return []
  }
  return kind === 'add'
    ? [{ kind: 'file-written', filePath, content: text(diff) ?? '' }]
    : [{ kind: 'file-edited', filePath }]
}

function todoOf(entry: unknown): Todo[] {
  const { content, text: step, status } = (entry ?? {}) as Record<string, unknown>
  const title = text(content) ?? text(step)
  return title ? [{ title, status: text(status) ?? 'pending' }] : []
}

/** The agent's own id of a task that it has just made, where the result tells it. */
function createdTaskId(data: unknown): string | undefined {
  if (typeof data === 'string') {
    return /#(\w+)/.exec(data)?.[1]
  }
  const { task } = (data ?? {}) as { task?: { id?: unknown } }
  return idOf(task?.id)
}

function idOf(value: unknown): string | undefined {
  return typeof value === 'number' ? String(value) : text(value)
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined
}
