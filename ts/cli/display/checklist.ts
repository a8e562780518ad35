import type { StreamChunk } from '../../chunks.js'
import { oneLine } from '../../context/text.js'
import { type ContextChange, ToolObserver } from '../../context/tool-observer.js'
import { cleanValue } from '../renderers/clean-text.js'

/** Something that the agent wants to do. */
export interface ChecklistItem {
  /** On one line, without anything that a terminal would obey. */
  title: string
  state: 'done' | 'active' | 'open'
}

interface Entry extends ChecklistItem {
  /** The agent's own id, where it gives one. */
  id: string | undefined
}

/** More than anybody keeps in mind. */
const MAX_ITEMS = 500

/**
 * The agent's list of things to do, whatever it calls it: claude's TodoWrite and Task tools, codex's plan. Times are those
 * of `performance.now()`.
 */
export class Checklist {
  readonly #observer = new ToolObserver()
  #entries: Entry[] = []
  /** When there was a list for the first time, and how much of it was done then. */
  #since = 0
  #doneThen = 0
  #lastDone = 0

  get items(): readonly ChecklistItem[] {
    return this.#entries
  }

  get done(): number {
    return this.#entries.filter(({ state }) => state === 'done').length
  }

  /** What is being done: the first of them. */
  get active(): ChecklistItem | undefined {
    return this.#entries.find(({ state }) => state === 'active')
  }

  /** Takes note of a chunk; whether the list has changed. */
  observe(chunk: StreamChunk, now: number): boolean {
    const changes = this.#observer.observe(chunk)
    if (changes.length === 0) {
      return false
    }
    const before = JSON.stringify(this.#entries)
    const [had, done] = [this.#entries.length > 0, this.done]
    for (const change of changes) {
      this.#apply(cleanValue(change))
    }
    if (!had) {
      this.#since = now
      this.#doneThen = this.done
    } else if (this.done > done) {
      this.#lastDone = now
    }
    return JSON.stringify(this.#entries) !== before
  }

  /** How long the rest will take if it takes as long as what was done; undefined where nothing was. */
  remainingMs(now: number): number | undefined {
    const timed = this.done - this.#doneThen
    if (timed <= 0) {
      return undefined
    }
    const each = (this.#lastDone - this.#since) / timed
    const left = this.#entries.length - this.done
    return left === 0 ? 0 : Math.max(0, each * left - (now - this.#lastDone))
  }

  #apply(change: ContextChange): void {
    switch (change.kind) {
      case 'todos-listed':
        this.#entries = change.todos
          .slice(0, MAX_ITEMS)
          .map(({ title, status }) => ({ id: undefined, title: oneLine(title), state: stateOf(status) }))
        break
      case 'task-created':
        if (this.#entries.length < MAX_ITEMS) {
          this.#entries.push({ id: change.agentTaskId, title: oneLine(change.title), state: 'open' })
        }
        break
      case 'task-updated':
        this.#update(change)
        break
      default:
    }
  }

  #update({ agentTaskId, title, status }: Extract<ContextChange, { kind: 'task-updated' }>): void {
    if (status === 'deleted') {
      this.#entries = this.#entries.filter(({ id }) => id !== agentTaskId)
      return
    }
    const entry = this.#entries.find(({ id }) => id === agentTaskId)
    if (entry) {
      entry.title = title === undefined ? entry.title : oneLine(title)
      entry.state = status === undefined ? entry.state : stateOf(status)
    }
  }
}

function stateOf(status: string): ChecklistItem['state'] {
  switch (status) {
    case 'completed':
    case 'done':
      return 'done'
    case 'in_progress':
      return 'active'
    default:
      return 'open'
  }
}
