import { resolve } from 'node:path'
import type { NativeHistory } from '../index.js'
import type { CostSource } from './chunks.js'
import type { ConversationMessage } from './conversation.js'
import { errorOfNative } from './errors.js'
import { native } from './native.js'
import type { SessionRecord, StoredRecord } from './records.js'

/** Where conversations are kept. */
export interface HistoryOptions {
  /** The project (default: the current directory); its conversations are in `.locus/exec-history`. */
  projectPath?: string
  /** Another folder for them. */
  historyDir?: string
}

/** Which conversations are wanted. */
export interface ListFilter {
  /** Words that are in the title, the prompts or the answers. */
  query?: string
  provider?: string
  /** Begun at this time or later, in milliseconds since the epoch. */
  after?: number
  /** Begun at this time or earlier, in milliseconds since the epoch. */
  before?: number
  limit?: number
  offset?: number
}

/** What is known of a stored conversation without reading it. */
export interface SessionSummary {
  id: string
  title?: string
  /** The beginning of the first prompt, on one line. */
  preview: string
  /** Milliseconds since the epoch. */
  createdAt: number
  /** Milliseconds since the epoch. */
  updatedAt: number
  provider: string
  model?: string
  turns: number
  messages: number
  sizeBytes: number
  /** What its turns cost together, as in `Usage`. */
  costUsd?: number
  costSource?: CostSource
  costPartial?: true
  /** Whether its last turn was never finished. */
  interrupted: boolean
  compressed: boolean
  /** What it is stored as; all but `locus-exec` are read only, and converted when something is added. */
  format: 'locus-exec' | 'plan-json' | 'locus-0.14' | 'locus-0.26'
  /** Whether a process has it open. */
  open: boolean
}

/** Something that could not be read; all else was. */
export interface HistoryProblem {
  file: string
  line?: number
  message: string
}

/** Stored conversations, the one that was changed last first. */
export interface SessionList {
  sessions: SessionSummary[]
  /** How many there are without `limit` and `offset`. */
  total: number
  problems: HistoryProblem[]
}

/** Where something was said. */
export interface SearchHit {
  id: string
  title?: string
  runId?: string
  role: 'user' | 'assistant'
  /** Milliseconds since the epoch. */
  timestamp: number
  /** What was said there; each match is between U+0002 and U+0003. */
  snippet: string
  /** Milliseconds since the epoch. */
  updatedAt: number
}

/** A stored conversation. */
export interface StoredSession extends Omit<SessionRecord, 'type' | 'timestamp' | 'schema'> {
  summary: SessionSummary
  messages: ConversationMessage[]
  /** Everything in the order in which it was written; records of unknown types may be among them. */
  records: StoredRecord[]
  /** The last known id of the conversation in each agent, by provider. */
  agentSessions: Record<string, string>
  /** What the `ContextTracker` had saved. */
  context?: object
  problems: HistoryProblem[]
}

/** What of the conversations is to be kept. */
export interface RetentionPolicy {
  /** How many of the newest; null: all (default 30). */
  keep?: number | null
  /** For how many days after the last change; null: for ever (default 30). */
  maxAgeDays?: number | null
  /** After how many days without a change a conversation is compressed; null: never. */
  compressAfterDays?: number | null
  /**
   * How many bytes all but the one that was used last take together, compressed as they are; the oldest are deleted until
   * they fit. Those that are open stay; where there are any, all count. null: any number (default 256 million).
   */
  maxBytes?: number | null
  /** Only tell what would be done. */
  dryRun?: boolean
}

/** What was done to keep to a policy. */
export interface PruneReport {
  removed: string[]
  compressed: string[]
  bytesFreed: number
}

/**
 * The stored conversations of a project.
 *
 * An id has 1 to 64 letters, digits, `-` and `_`. Everything rejects with an `ExecError`: `INVALID_INPUT` for what is no
 * id, `SESSION_NOT_FOUND`, `HISTORY` for what cannot be read or written, `SCHEMA_TOO_NEW` for what a later version has
 * written.
 */
export class HistoryStore {
  readonly #native: NativeHistory

  constructor({ projectPath = '.', historyDir }: HistoryOptions = {}) {
    const { NativeHistory } = native()
    try {
      this.#native = new NativeHistory({ projectPath: resolve(projectPath), historyDir })
    } catch (thrown) {
      throw errorOfNative(thrown)
    }
  }

  /** The conversations, the one that was changed last first. */
  async list(filter: ListFilter = {}): Promise<SessionList> {
    return JSON.parse(await told(this.#native.list(JSON.stringify(filter)))) as SessionList
  }

  /** Where these words were said, the best match first. */
  async search(query: string, limit = 20): Promise<SearchHit[]> {
    return JSON.parse(await told(this.#native.search(query, limit))) as SearchHit[]
  }

  /** The ids that begin with this, newest first; an id that is named wholly is alone. */
  async find(prefix: string): Promise<string[]> {
    return await told(this.#native.find(prefix))
  }

  /** A whole conversation. */
  async read(id: string): Promise<StoredSession> {
    return JSON.parse(await told(this.#native.read(id))) as StoredSession
  }

  /** Gives a conversation a title. */
  async rename(id: string, title: string): Promise<void> {
    await told(this.#native.rename(id, title))
  }

  /** Saves what the `ContextTracker` keeps. */
  async setContext(id: string, context: object): Promise<void> {
    await told(this.#native.setContext(id, JSON.stringify(context)))
  }

  /** Copies a conversation, or its first `turns` turns; the id of the copy. */
  async fork(id: string, turns?: number): Promise<string> {
    return await told(this.#native.fork(id, turns))
  }

  /** Takes in a conversation that was exported as JSON or JSON Lines; its id, a new one where its own is taken. */
  async import(text: string): Promise<string> {
    return await told(this.#native.importText(text))
  }

  /** A conversation as it is stored: JSON Lines. */
  async exportJsonl(id: string): Promise<string> {
    return await told(this.#native.exportJsonl(id))
  }

  /** Deletes a conversation; whether there was one. */
  async delete(id: string): Promise<boolean> {
    return await told(this.#native.remove(id))
  }

  /** Deletes every conversation that is not open; how many. */
  async clear(): Promise<number> {
    return await told(this.#native.clear())
  }

  /** Deletes and compresses what is too old or too much; never what is open. */
  async prune(policy: RetentionPolicy = {}): Promise<PruneReport> {
    return JSON.parse(await told(this.#native.prune(JSON.stringify(policy)))) as PruneReport
  }
}

/** What the addon tells; what it throws as an error of this package. */
async function told<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise
  } catch (thrown) {
    throw errorOfNative(thrown)
  }
}
