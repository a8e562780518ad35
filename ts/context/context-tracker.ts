import type { StreamChunk } from '../chunks.js'
import { randomId } from '../random-id.js'
import {
  type Artifact,
  baseName,
  type ContextTrackerState,
  type Task,
  type TaskStatus,
  titleOf,
  typeOfFile,
} from './artifacts.js'
import { referencedArtifact, referencedTask } from './reference.js'
import { beginningOf, oneLine } from './text.js'
import { type ContextChange, type Todo, ToolObserver } from './tool-observer.js'

/** How many of each are tracked; beyond that the ones that were not touched for longest go. */
const MAX_ARTIFACTS = 100
const MAX_TASKS = 200

/** What is kept of the text of an observed artifact, and of all artifacts together where they are saved, in characters. */
const MAX_CONTENT_CHARS = 4000
const MAX_SAVED_CHARS = 20_000
const MAX_TITLE_CHARS = 200
const MAX_DESCRIPTION_CHARS = 500

/** How many of each the summary names. */
const SUMMARY_ARTIFACTS = 30
const SUMMARY_TASKS = 50

/** A record of a stored session, as far as it says something about tools or the context. */
interface ContextRecord {
  type: string
  timestamp?: number
  context?: unknown
}

/**
 * The artifacts and tasks of a conversation: found in what the agent does ({@link ContextTracker.observe}), or told by the
 * program. It resolves what a later prompt means by "the plan", and sums up what there is for an agent that was not there.
 *
 * It never grows without bound: of too many artifacts or tasks the ones that were not touched for longest go.
 */
export class ContextTracker {
  readonly #artifacts = new Map<string, Artifact>()
  readonly #tasks = new Map<string, Task>()
  readonly #observer = new ToolObserver()

  /** A tracker with a state that was saved; what of it cannot be understood is left out. */
  static fromJSON(state: unknown): ContextTracker {
    const tracker = new ContextTracker()
    tracker.restore(state)
    return tracker
  }

  /** A tracker from the records of a stored session: the last context that was saved, and what was done after it. */
  static fromRecords(records: Iterable<object>): ContextTracker {
    const tracker = new ContextTracker()
    for (const record of records as Iterable<ContextRecord>) {
      if (record.type === 'state' && record.context !== undefined) {
        tracker.restore(record.context)
      } else if (record.type === 'tool_use' || record.type === 'tool_result') {
        // A stored tool use has the fields of its chunk.
        tracker.observe(record as unknown as StreamChunk, record.timestamp)
      } else if (record.type === 'prompt') {
        tracker.#observer.endTurn()
      }
    }
    return tracker
  }

  /** Takes in what an agent says; `timestamp` is in milliseconds since the epoch. Whether it changed the context. */
  observe(chunk: StreamChunk, timestamp = Date.now()): boolean {
    const changes = this.#observer.observe(chunk)
    for (const change of changes) {
      this.#apply(change, timestamp)
    }
    return changes.length > 0
  }

  /** Makes an artifact and tracks it. */
  createArtifact(params: Omit<Artifact, 'id' | 'createdAt' | 'updatedAt'>): Artifact {
    return this.#addArtifact(params, Date.now())
  }

  /** Tracks an artifact that was made elsewhere. */
  trackArtifact(artifact: Artifact): void {
    this.#artifacts.set(artifact.id, artifact)
    evict(this.#artifacts, MAX_ARTIFACTS)
  }

  /** Changes an artifact; null where there is none with this id. */
  updateArtifact(id: string, updates: Partial<Omit<Artifact, 'id' | 'createdAt'>>): Artifact | null {
    return update(this.#artifacts, id, { updatedAt: Date.now(), ...updates })
  }

  getArtifact(id: string): Artifact | null {
    return this.#artifacts.get(id) ?? null
  }

  /** All artifacts, in the order in which they were made. */
  getAllArtifacts(): Artifact[] {
    return [...this.#artifacts.values()]
  }

  /** Makes a task and tracks it. */
  createTask(params: Omit<Task, 'id' | 'createdAt' | 'updatedAt'>): Task {
    return this.#addTask(params, Date.now())
  }

  /** Tracks a task that was made elsewhere. */
  trackTask(task: Task): void {
    this.#tasks.set(task.id, task)
    evict(this.#tasks, MAX_TASKS)
  }

  /** Changes a task; null where there is none with this id. */
  updateTask(id: string, updates: Partial<Omit<Task, 'id' | 'createdAt'>>): Task | null {
    return update(this.#tasks, id, { updatedAt: Date.now(), ...updates })
  }

  getTask(id: string): Task | null {
    return this.#tasks.get(id) ?? null
  }

  /** All tasks, in the order in which they were made. */
  getAllTasks(): Task[] {
    return [...this.#tasks.values()]
  }

  getTasksByStatus(status: TaskStatus): Task[] {
    return this.getAllTasks().filter((task) => task.status === status)
  }

  /** The artifact that words such as "the plan", "that doc", a title or a path mean; null where none is meant. */
  getReferencedArtifact(reference: string): Artifact | null {
    return referencedArtifact(this.#artifacts.values(), reference)
  }

  /** The task that words such as "the auth task" mean; null where none is meant. */
  getReferencedTask(reference: string): Task | null {
    return referencedTask(this.#tasks.values(), reference)
  }

  /** What there is, as Markdown for a prompt; empty where there is nothing. */
  buildContextSummary(): string {
    if (!this.hasContent()) {
      return ''
    }
    const sections = ['## Active Context']
    if (this.#artifacts.size > 0) {
      const lines = this.getAllArtifacts().map(({ title, type, filePath }) => {
        const place = filePath ? ` [${oneLine(filePath)}]` : ''
        return `- ${oneLine(title)} (${type})${place}`
      })
      sections.push('', '### Artifacts Created', ...lastOf(lines, SUMMARY_ARTIFACTS))
    }
    if (this.#tasks.size > 0) {
      const order = Object.keys(STATUS_MARKS) as TaskStatus[]
      const lines = order.flatMap((status) =>
        this.getTasksByStatus(status).map(({ title }) => `- ${STATUS_MARKS[status]} ${oneLine(title)}`),
      )
      sections.push('', '### Tasks', ...firstOf(lines, SUMMARY_TASKS))
    }
    return sections.join('\n')
  }

  hasContent(): boolean {
    return this.#artifacts.size > 0 || this.#tasks.size > 0
  }

  clear(): void {
    this.#artifacts.clear()
    this.#tasks.clear()
  }

  /** The state to be saved; of long texts only the beginning, and of many only the newest. */
  toJSON(): ContextTrackerState {
    let left = MAX_SAVED_CHARS
    const artifacts = this.getAllArtifacts()
    const contents = new Map<string, string>()
    for (const { id, content } of artifacts.toSorted((a, b) => b.updatedAt - a.updatedAt)) {
      const kept = beginningOf(content, Math.min(left, MAX_CONTENT_CHARS))
      contents.set(id, kept)
      left -= kept.length
    }
    return {
      artifacts: artifacts.map((artifact) => ({
        ...artifact,
        title: beginningOf(artifact.title, MAX_TITLE_CHARS),
        content: contents.get(artifact.id) ?? '',
      })),
      tasks: this.getAllTasks().map((task) => ({
        ...task,
        title: beginningOf(task.title, MAX_TITLE_CHARS),
        ...(task.description && { description: beginningOf(task.description, MAX_DESCRIPTION_CHARS) }),
      })),
    }
  }

  /** Takes on a state that was saved, in place of the present one; what of it cannot be understood is left out. */
  restore(state: unknown): void {
    this.clear()
    const { artifacts, tasks } = (state ?? {}) as Record<string, unknown>
    for (const artifact of Array.isArray(artifacts) ? artifacts : []) {
      if (isTracked(artifact)) {
        this.trackArtifact({ content: '', type: 'other', ...artifact } as Artifact)
      }
    }
    for (const task of Array.isArray(tasks) ? tasks : []) {
      if (isTracked(task)) {
        this.trackTask({ ...task, status: statusOf((task as Partial<Task>).status) } as Task)
      }
    }
  }

  #apply(change: ContextChange, timestamp: number): void {
    switch (change.kind) {
      case 'file-written':
        this.#fileChanged(change.filePath, change.content, timestamp)
        break
      case 'file-edited':
        this.#fileChanged(change.filePath, undefined, timestamp)
        break
      case 'plan-presented':
        this.#planPresented(change.plan, timestamp)
        break
      case 'todos-listed':
        this.#todosListed(change.todos, timestamp)
        break
      case 'task-created': {
        const { title, description } = change
        const agentTaskId = change.agentTaskId ?? String(this.#agentTasks().length + 1)
        const metadata = { source: 'task', agentTaskId }
        this.#addTask({ title, ...(description && { description }), status: 'pending', metadata }, timestamp)
        break
      }
      case 'task-updated': {
        const { title, description, status } = change
        const task = this.#agentTasks().findLast(
          ({ metadata }) => metadata?.agentTaskId === change.agentTaskId,
        )
        if (task) {
          update(this.#tasks, task.id, {
            ...(title && { title }),
            ...(description && { description }),
            ...(status && { status: statusOf(status) }),
            updatedAt: timestamp,
          })
        }
        break
      }
    }
  }

  #fileChanged(filePath: string, content: string | undefined, timestamp: number): void {
    const known = this.getAllArtifacts().find((artifact) => artifact.filePath === filePath)
    const type = known?.type ?? typeOfFile(filePath)
    const kept =
      content === undefined || type === 'code' ? undefined : beginningOf(content, MAX_CONTENT_CHARS)
    const title = content === undefined ? undefined : titleOf(type, content, baseName(filePath))
    if (known) {
      update(this.#artifacts, known.id, {
        ...(title && { title }),
        ...(kept !== undefined && { content: kept }),
        updatedAt: timestamp,
      })
    } else {
      this.#addArtifact(
        { title: title ?? baseName(filePath), type, content: kept ?? '', filePath },
        timestamp,
      )
    }
  }

  /** A plan that is presented again, or that was written to a file just before, is the same plan. */
  #planPresented(plan: string, timestamp: number): void {
    const title = titleOf('plan', plan, 'Plan')
    const content = beginningOf(plan, MAX_CONTENT_CHARS)
    const known = this.getAllArtifacts().findLast((it) => it.type === 'plan' && it.title === title)
    if (known) {
      update(this.#artifacts, known.id, { content, updatedAt: timestamp })
    } else {
      this.#addArtifact({ title, type: 'plan', content }, timestamp)
    }
  }

  /** The list is whole each time: what is no longer in it and was not done was dropped. */
  #todosListed(todos: Todo[], timestamp: number): void {
    const listed = this.getAllTasks().filter(({ metadata }) => metadata?.source === 'todo')
    const titles = new Set(todos.map(({ title }) => title))
    for (const { id, title, status } of listed) {
      if (!titles.has(title) && status !== 'completed' && status !== 'cancelled') {
        update(this.#tasks, id, { status: 'cancelled', updatedAt: timestamp })
      }
    }
    for (const { title, status: word } of todos) {
      const status = statusOf(word)
      const known = listed.find((task) => task.title === title)
      if (!known) {
        this.#addTask({ title, status, metadata: { source: 'todo' } }, timestamp)
      } else if (known.status !== status) {
        update(this.#tasks, known.id, { status, updatedAt: timestamp })
      }
    }
  }

  #agentTasks(): Task[] {
    return this.getAllTasks().filter(({ metadata }) => metadata?.source === 'task')
  }

  #addArtifact(params: Omit<Artifact, 'id' | 'createdAt' | 'updatedAt'>, timestamp: number): Artifact {
    const id = `artifact-${randomId()}`
    const artifact = { ...params, id, createdAt: timestamp, updatedAt: timestamp }
    this.trackArtifact(artifact)
    return artifact
  }

  #addTask(params: Omit<Task, 'id' | 'createdAt' | 'updatedAt'>, timestamp: number): Task {
    const task = { ...params, id: `task-${randomId()}`, createdAt: timestamp, updatedAt: timestamp }
    this.trackTask(task)
    return task
  }
}

/** In the order in which the summary names them. */
const STATUS_MARKS: Record<TaskStatus, string> = {
  in_progress: '◐',
  pending: '○',
  completed: '●',
  cancelled: '✕',
}

/** A status as the agents write it. */
function statusOf(word: string | undefined): TaskStatus {
  if (word === 'deleted') {
    return 'cancelled'
  }
  return word !== undefined && Object.hasOwn(STATUS_MARKS, word) ? (word as TaskStatus) : 'pending'
}

function update<T extends { id: string }>(items: Map<string, T>, id: string, updates: Partial<T>): T | null {
  const item = items.get(id)
  if (!item) {
    return null
  }
  const updated = { ...item, ...updates, id }
  items.set(id, updated)
  return updated
}

/** Leaves out what was not touched for longest. */
function evict<T extends { id: string; updatedAt: number }>(items: Map<string, T>, max: number): void {
  while (items.size > max) {
    const oldest = [...items.values()].reduce((a, b) => (b.updatedAt < a.updatedAt ? b : a))
    items.delete(oldest.id)
  }
}

function isTracked(value: unknown): value is { id: string; title: string; updatedAt: number } {
  const { id, title, createdAt, updatedAt } = (value ?? {}) as Record<string, unknown>
  return (
    typeof id === 'string' &&
    typeof title === 'string' &&
    typeof createdAt === 'number' &&
    typeof updatedAt === 'number'
  )
}

function firstOf(lines: string[], count: number): string[] {
  const more = lines.length - count
  return more > 0 ? [...lines.slice(0, count), `- … and ${more} more`] : lines
}

function lastOf(lines: string[], count: number): string[] {
  const more = lines.length - count
  return more > 0 ? [`- … and ${more} older`, ...lines.slice(-count)] : lines
}
