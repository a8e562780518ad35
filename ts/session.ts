import { EventEmitter } from 'node:events'

import type { StreamChunk, Usage } from './chunks.js'
import { buildContextPrompt } from './context/context-prompt.js'
import { ContextTracker } from './context/context-tracker.js'
import { Conversation, type ConversationMessage } from './conversation.js'
import { Engine } from './engine.js'
import { ErrorHandler } from './error-handler.js'
import { execError } from './errors.js'
import { type ExecEventMap, ExecEventType } from './events.js'
import { HistoryStore, type StoredSession } from './history.js'
import {
  askedProvider,
  fallbackOption,
  historyOptions,
  type PermissionDecision,
  providerOf,
  type SessionOptions,
  type TurnOptions,
} from './options.js'
import type { StateRecord, StoredRule } from './records.js'
import { type ExecResult, TurnStream } from './stream.js'
import { addUsage, NO_USAGE } from './usage.js'

/** Who had the last turn, and its own id of the conversation. */
interface LastAgent {
  provider: string
  resume: string | undefined
}

/**
 * A conversation with one agent at a time, whose process is held open between turns. It is kept on disk while it goes on
 * (`save: false` keeps it in memory only), so that {@link ExecSession.load} can go on with it later.
 *
 * It is an EventEmitter of `ExecEventType`; listeners and the loop over the chunks see everything in the same order.
 */
export class ExecSession extends EventEmitter<ExecEventMap> {
  /** The artifacts and tasks of the conversation, found in what the agent does. */
  readonly context: ContextTracker
  readonly #engine: Engine
  readonly #conversation: Conversation
  readonly #saves: boolean
  #options: SessionOptions
  /** The change of the options under way. */
  #changing: Promise<void> | undefined
  /** The context as it was written down last. */
  #noted: string
  #last: LastAgent | undefined
  #usage: Usage
  #rules: readonly StoredRule[]

  private constructor(options: SessionOptions, stored: StoredSession | undefined) {
    super()
    const { save, historyDir } = historyOptions(options)
    this.#options = options
    this.#saves = save
    this.#conversation = new Conversation(stored?.messages ?? [], () => this.#engine.answer)
    this.context = ContextTracker.fromRecords(stored?.records ?? [])
    this.#noted = JSON.stringify(this.context)
    this.#last = stored && lastAgentOf(stored)
    this.#usage = stored ? usageOf(stored) : NO_USAGE
    this.#rules = stored ? rulesOf(stored) : []
    this.#engine = new Engine(options, this, {
      sessionId: stored?.id,
      record: save ? { historyDir, stored: stored !== undefined } : undefined,
      resume: this.#resumeOf(options),
      spent: this.#usage,
      onChunk: (chunk) => this.#observe(chunk),
    })
    this.on(ExecEventType.PROMPT_SUBMITTED, ({ data, runId, timestamp }) => {
      this.#conversation.prompted(runId, data, timestamp)
    })
    this.on(ExecEventType.TURN_COMPLETED, ({ data, timestamp }) => {
      this.#usage = addUsage(this.#usage, data.usage)
      this.#conversation.ended(data, timestamp)
      this.#noteContext()
    })
  }

  /**
   * Begins a conversation. No process is started, and nothing is written, before the first turn. Rejects with
   * `InvalidInputError` or `UnknownProviderError`.
   */
  static async create(options: SessionOptions = {}): Promise<ExecSession> {
    return new ExecSession(options, undefined)
  }

  /**
   * Goes on with a stored conversation, by its id or a beginning of it that no other has. The agent resumes it by itself
   * where it can; one that cannot (another provider, another machine, a conversation that it has deleted) is told what was
   * said last; a `resumed` status chunk says which way it went. Provider and model are those of the last turn unless the
   * options name others. Rejects with `SessionNotFoundError`, `SessionAmbiguousError`, `HistoryError`,
   * `SchemaTooNewError`, or as {@link ExecSession.create}.
   */
  static async load(id: string, options: SessionOptions = {}): Promise<ExecSession> {
    const { historyDir } = historyOptions(options)
    const history = new HistoryStore({ projectPath: options.projectPath, historyDir })
    const [found, ...others] = await history.find(id)
    if (found === undefined) {
      throw execError('SESSION_NOT_FOUND', `there is no session '${id}' in this project`)
    }
    if (others.length > 0) {
      throw execError(
        'SESSION_AMBIGUOUS',
        `${others.length + 1} sessions begin with '${id}': ${[found, ...others].join(', ')}`,
      )
    }
    const stored = await history.read(found)
    const { provider, model } = stored.summary
    const asked = askedProvider(options) ?? provider
    const same = asked === provider
    return new ExecSession(
      { ...(same && model !== undefined && { model }), ...defined(options), provider: asked },
      stored,
    )
  }

  /** The id of the conversation. */
  get id(): string {
    return this.#engine.sessionId
  }

  /** The agent of the next turn. */
  get provider(): string {
    return providerOf(this.#options)
  }

  /** What all turns of the conversation used that are over, those before it was loaded included. */
  get usage(): Usage {
    return structuredClone(this.#usage)
  }

  /**
   * What {@link ExecSession.storeRules} was given last, in this process or an earlier one, as it is in the file: it is for
   * the reader to check the seals.
   */
  get storedRules(): readonly StoredRule[] {
    return this.#rules
  }

  /** Keeps with the conversation what is always allowed in it, for whoever goes on with it. It decides nothing by itself. */
  storeRules(rules: readonly StoredRule[]): void {
    this.#rules = structuredClone(rules)
    if (this.#saves) {
      this.#engine.noteRules(JSON.stringify(rules))
    }
  }

  /** Runs a turn and gives its chunks as they come. Only one turn runs at a time. */
  executeStreaming(prompt: string, options: TurnOptions = {}): TurnStream {
    return new TurnStream(this.#engine, prompt, options, { retold: this.#retold(prompt) })
  }

  /**
   * Runs a turn to its end; rejects with a typed `ExecError` if it fails. With the option `fallback` other agents may take
   * over: each has a turn of its own, and `provider` is then the one that answered.
   */
  async execute(prompt: string, options: TurnOptions = {}): Promise<ExecResult> {
    const fallback = fallbackOption(this.#options)
    const handler = fallback && new ErrorHandler({ fallback, signal: options.signal })
    for (let next = prompt; ; ) {
      try {
        return await this.executeStreaming(next, options).result
      } catch (error) {
        const outcome = await handler?.handle(error, this, next)
        if (outcome === undefined || outcome.action === 'abort') {
          throw error
        }
        next = outcome.prompt
      }
    }
  }

  /** Answers a question for permission by its id; whether there is (still) such a question. */
  respond(id: string, decision: PermissionDecision): Promise<boolean> {
    return this.#engine.respond(id, decision)
  }

  /**
   * Goes on with another provider, another model or other options from the next turn on; the agent's process ends. Another
   * provider is told what was said last. Several at once come one after the other. Rejects with `SessionBusyError` in the middle of a turn. `save`, `historyDir` and
   * `flushMs` stay as they are.
   */
  async use(changes: SessionOptions): Promise<void> {
    // Each builds on what those before it have left.
    while (this.#changing) {
      await this.#changing
    }
    const change = this.#change(changes)
    const over = () => {
      this.#changing = undefined
    }
    this.#changing = change.then(over, over)
    await change
  }

  async #change(changes: SessionOptions): Promise<void> {
    const { model: _, executable: __, agentCommand: ___, ...kept } = this.#options
    const asked = askedProvider(changes)
    const other = asked !== undefined && asked !== providerOf(this.#options)
    // A model, an executable or a command of one agent is none of another.
    const options = {
      ...(other ? kept : this.#options),
      ...defined(changes),
      ...(other && { provider: asked }),
    }
    await this.#engine.configure(options, this.#resumeOf(options))
    this.#options = options
  }

  /** Stops the turn under way, if there is one. */
  cancel(): Promise<void> {
    return this.#engine.cancel()
  }

  /**
   * Resolves when everything so far is on disk and survives a power cut, as it is at the end of every turn; rejects with
   * `HistoryError` where it cannot be written. Does nothing where the conversation is not kept.
   */
  async save(): Promise<void> {
    this.#noteContext()
    await this.#engine.save()
  }

  /** Ends the conversation: stops the turn under way and lets the agent's process go. */
  async end(): Promise<void> {
    this.#noteContext()
    await this.#engine.end()
  }

  /**
   * The messages of the conversation so far, as {@link HistoryStore.read} gives them: what was said of an answer that
   * failed, was cancelled or is under way is there, marked by its `metadata`. Only secrets are as they were said.
   */
  getHistory(): ConversationMessage[] {
    return structuredClone([...this.#conversation.messages])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
  }

  #observe(chunk: StreamChunk): void {
    switch (chunk.type) {
      case 'tool_use':
      case 'tool_parameters':
      case 'tool_result':
        this.context.observe(chunk)
        break
      case 'result':
        this.#last = { provider: providerOf(this.#options), resume: chunk.agentSessionId }
        this.#conversation.answered(chunk)
        break
      default:
    }
  }

  /** The agent's own id of the conversation, if that agent had the last word in it. */
  #resumeOf(options: SessionOptions): string | undefined {
    return this.#last?.provider === providerOf(options) ? this.#last.resume : undefined
  }

  /** The prompt for an agent that does not know the conversation. */
  #retold(request: string): string | undefined {
    const messages = withoutRequest(this.#conversation.messages, request)
    if (messages.length === 0) {
      return undefined
    }
    const { maxContextMessages: maxMessages } = historyOptions(this.#options)
    const summary = this.context.buildContextSummary()
    return buildContextPrompt({ summary, messages, request, maxMessages })
  }

  /** Has the context written down if it has changed. */
  #noteContext(): void {
    const context = JSON.stringify(this.context)
    if (this.#saves && context !== this.#noted) {
      this.#noted = context
      this.#engine.noteContext(context)
    }
  }
}

/** The messages without the last turns that failed of this very request: it is not to be told what it is asked. */
function withoutRequest(
  messages: readonly ConversationMessage[],
  request: string,
): readonly ConversationMessage[] {
  let told = messages
  for (;;) {
    const last = told.findLastIndex(({ role }) => role === 'user')
    const failed = told.slice(last + 1).every(({ metadata }) => metadata?.errorCode !== undefined)
    if (told[last]?.content !== request || !failed) {
      return told
    }
    told = told.slice(0, last)
  }
}

/**
 * The agent of the last turn, with its own id of the conversation. An id that it had before another agent's turns is of
 * no use: that conversation has a gap.
 */
function lastAgentOf({ summary, records }: StoredSession): LastAgent {
  let last: LastAgent = { provider: summary.provider, resume: undefined }
  for (const record of records) {
    if (record.type === 'prompt' && record.provider !== last.provider) {
      last = { provider: record.provider, resume: undefined }
    } else if (record.type === 'turn' || (record.type === 'state' && isOf(last.provider, record))) {
      last.resume = record.agentSessionId ?? last.resume
    }
  }
  return last
}

/** What the turns of a stored conversation used. */
function usageOf({ records }: StoredSession): Usage {
  const turns = records.flatMap((record) => (record.type === 'turn' && record.usage ? [record.usage] : []))
  return turns.reduce(addUsage, NO_USAGE)
}

/** What is always allowed in a stored conversation, as its file says. */
function rulesOf({ records }: StoredSession): StoredRule[] {
  const said = records.findLast((record) => record.type === 'state' && record.rules !== undefined)
  const rules: unknown = (said as StateRecord | undefined)?.rules
  return Array.isArray(rules) ? rules : []
}

/** Whether what a record says is about this agent, and not about one that has not had a turn yet. */
function isOf(provider: string, record: StateRecord): boolean {
  return record.provider === undefined || record.provider === provider
}

/** Options without those that are there but undefined. */
function defined(options: SessionOptions): SessionOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
