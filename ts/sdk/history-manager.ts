import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'

import type { NativeHistoryManager } from '../../index.js'
import type { Usage } from '../chunks.js'
import type { ContextTrackerState } from '../context/artifacts.js'
import { type ErrorCode, errorOfNative } from '../errors.js'
import type { SessionList, SessionSummary } from '../history.js'
import { native } from '../native.js'
import type { ImageInfo } from '../records.js'

/** What was said. */
export interface ConversationMessage {
  role: 'user' | 'assistant'
  content: string
  /** Milliseconds since the epoch. */
  timestamp: number
  metadata?: {
    toolsUsed?: string[]
    /** Milliseconds. */
    duration?: number
    /** The answer is not complete: the turn has no end. It is under way, or was never finished. */
    interrupted?: boolean
    /** Why the turn failed. */
    errorCode?: string
    usage?: Usage
    /** The images that went with a prompt. */
    images?: ImageInfo[]
  }
}

/** A conversation, as a plain object that may be changed and saved. */
export interface ConversationSession {
  id: string
  projectPath: string
  messages: ConversationMessage[]
  /** Milliseconds since the epoch. */
  createdAt: number
  /** Milliseconds since the epoch. */
  updatedAt: number
  metadata: {
    model: string
    provider: string
    /** The artifacts and tasks of the conversation. */
    contextTracker?: ContextTrackerState
  }
}

/** Which conversations are wanted. */
export interface SessionFilterOptions {
  /** Words, or their beginnings, that all are in the title, the prompts or the answers. */
  query?: string
  /** Begun at this time or later, in milliseconds since the epoch. */
  after?: number
  /** Begun at this time or earlier, in milliseconds since the epoch. */
  before?: number
  limit?: number
  offset?: number
}

/** How the history is kept. */
export interface HistoryManagerOptions {
  /** How many conversations `pruneSessions` leaves (default 30). */
  maxSessions?: number
  /** Another folder for them (default: `.locus/exec-history` of the project). */
  historyDir?: string
  /**
   * `jsonl` (default): as the engine does, by appending. `json`: as the `<id>.json` of Locus 0.14.x, written anew each
   * time, so that whoever reads those today still can.
   */
  historyFormat?: 'jsonl' | 'json'
}

const DEFAULT_MODEL = 'claude-sonnet-4-5'
const DEFAULT_PROVIDER = 'claude'
const DEFAULT_MAX_SESSIONS = 30

/**
 * The stored conversations of a project, synchronously, as plain objects. It rests on the history of the engine
 * (`src/history/snapshot.rs`): its files, locks, index and redaction. Nothing is written before the first save.
 *
 * What is no session is none (`null`, `false`); what cannot be read or written throws an `ExecError` (`HISTORY`,
 * `SCHEMA_TOO_NEW`, for an id that cannot be one `INVALID_INPUT`).
 */
export class HistoryManager {
  readonly #native: NativeHistoryManager
  readonly #projectPath: string
  readonly #historyDir: string
  readonly #maxSessions: number
  readonly #asJson: boolean

  constructor(projectPath: string, options: HistoryManagerOptions = {}) {
    const { maxSessions = DEFAULT_MAX_SESSIONS, historyDir, historyFormat = 'jsonl' } = options
    this.#projectPath = resolve(projectPath)
    this.#historyDir = historyDir ? resolve(historyDir) : join(this.#projectPath, '.locus', 'exec-history')
    this.#maxSessions = maxSessions
    this.#asJson = historyFormat === 'json'
    const { NativeHistoryManager } = native()
    this.#native = new NativeHistoryManager({
      projectPath: this.#projectPath,
      ...(historyDir && { historyDir: this.#historyDir }),
    })
  }

  /**
   * Writes down what the stored conversation has not; where earlier messages were changed or removed, it is replaced. It is
   * on disk when this returns. Sets `updatedAt`.
   */
  saveSession(session: ConversationSession): void {
    session.updatedAt = Date.now()
    const json = JSON.stringify(session)
    told(() => this.#native.save(json, this.#asJson))
  }

  /** A conversation by its whole id; null where there is none. */
  loadSession(sessionId: string): ConversationSession | null {
    const json = told(() => this.#native.load(sessionId), null)
    return json ? (JSON.parse(json) as ConversationSession) : null
  }

  /** Deletes a conversation; whether there was one. */
  deleteSession(sessionId: string): boolean {
    return told(() => this.#native.remove(sessionId), false)
  }

  /** Deletes every conversation of the folder that no process has open; how many. */
  clearAllSessions(): number {
    return told(() => this.#native.clear())
  }

  /** Deletes all but the `maxSessions` that were changed last, never one that is open; how many. */
  pruneSessions(): number {
    const none = { maxAgeDays: null, compressAfterDays: null, maxBytes: null }
    const policy = JSON.stringify({ keep: this.#maxSessions, ...none })
    const report = JSON.parse(told(() => this.#native.prune(policy))) as { removed: string[] }
    return report.removed.length
  }

  /**
   * The conversations, the one that was changed last first. They are found in the index; the messages of each are read
   * when they are first looked at.
   */
  listSessions(options: SessionFilterOptions = {}): ConversationSession[] {
    return this.#list(options).sessions.map((summary) => this.#sessionOf(summary))
  }

  /** The conversations in which all of these words occur. */
  searchSessions(query: string, limit?: number): ConversationSession[] {
    return this.listSessions({ query, limit })
  }

  /** The conversation that was changed last; a new one where there is none. */
  getCurrentSession(model?: string, provider?: string): ConversationSession {
    const [newest] = this.#list({ limit: 1 }).sessions
    return (newest && this.loadSession(newest.id)) ?? this.createNewSession(model, provider)
  }

  /** A new conversation, which is not stored before it is saved. */
  createNewSession(model = DEFAULT_MODEL, provider = DEFAULT_PROVIDER): ConversationSession {
    const now = Date.now()
    return {
      id: `session-${now.toString(36)}-${randomBytes(4).toString('hex')}`,
      projectPath: this.#projectPath,
      messages: [],
      createdAt: now,
      updatedAt: now,
      metadata: { model, provider },
    }
  }

  /** How many conversations there are. */
  getSessionCount(): number {
    return this.#list({ limit: 0 }).total
  }

  /** Whether there is a conversation with this id. */
  sessionExists(sessionId: string): boolean {
    return told(() => this.#native.find(sessionId), []).includes(sessionId)
  }

  /** The conversation with this id, or the newest whose id has this in it; null where there is none. */
  findSessionByPartialId(partialId: string): ConversationSession | null {
    const named = this.loadSession(partialId)
    if (named || partialId === '') {
      return named
    }
    const found = this.#list({}).sessions.find(({ id }) => id.includes(partialId))
    return found ? this.loadSession(found.id) : null
  }

  /** Where the conversations are. */
  getHistoryDir(): string {
    return this.#historyDir
  }

  #list(filter: SessionFilterOptions): SessionList {
    const { query, after, before, limit, offset } = filter
    const json = JSON.stringify({ query: query || undefined, after, before, limit, offset })
    return JSON.parse(told(() => this.#native.list(json))) as SessionList
  }

  #sessionOf({ id, createdAt, updatedAt, model = '', provider }: SessionSummary): ConversationSession {
    const session = {
      id,
      projectPath: this.#projectPath,
      createdAt,
      updatedAt,
      metadata: { model, provider },
    }
    const settle = (messages: ConversationMessage[]) =>
      Object.defineProperty(session, 'messages', { value: messages, writable: true, ...VISIBLE })
    return Object.defineProperty(session, 'messages', {
      ...VISIBLE,
      get: (): ConversationMessage[] => {
        // One that was deleted meanwhile has none.
        const stored = this.loadSession(id)
        if (stored) {
          Object.assign(session, { projectPath: stored.projectPath })
          Object.assign(session.metadata, { ...stored.metadata, ...session.metadata })
        }
        const messages = stored?.messages ?? []
        settle(messages)
        return messages
      },
      set: settle,
    }) as ConversationSession
  }
}

const VISIBLE = { enumerable: true, configurable: true }

/** What the addon tells. What it throws as an error of this package; `none` is told for an id that can be none. */
function told<T>(ask: () => T, none?: T): T {
  try {
    return ask()
  } catch (thrown) {
    const error = errorOfNative(thrown)
    if (none !== undefined && error.code === ('INVALID_INPUT' satisfies ErrorCode)) {
      return none
    }
    throw error
  }
}
