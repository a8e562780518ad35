import type { Usage } from '../../chunks.js'
import { ExecEventType } from '../../events.js'
import type { ImageInput, PermissionHandler, SessionOptions, TurnOptions } from '../../options.js'
import type { ExecSession } from '../../session.js'
import type { TurnStream } from '../../stream.js'
import { addUsage, NO_USAGE } from '../../usage.js'
import { type ContextUse, contextOf } from '../display/status-line.js'
import { SHORT_ID } from '../short-id.js'

/** Opens a session: the one with this id, or a new one. */
export type OpenSession = (id: string | undefined, changes: Changes) => Promise<ExecSession>

/** What commands change. */
export type Changes = Pick<SessionOptions, 'model' | 'provider' | 'onPermission'>

/** How the interactive mode begins. */
export interface Beginning {
  /** Whether the first session was there before. */
  resumed: boolean
  model: string | undefined
  /** What each turn may use. */
  limits: TurnOptions
  onPermission: PermissionHandler
}

/** The conversation of the interactive mode: one session at a time, whose agent is held open between its turns. */
export class Conversation {
  readonly #open: OpenSession
  /** What each turn may use. */
  readonly #limits: TurnOptions
  /** What was changed by commands; it holds for the conversations that follow. */
  #changes: Changes
  #session: ExecSession
  #used: Usage = NO_USAGE
  /** Of the turn under way. */
  #running: Usage = NO_USAGE
  #context: ContextUse | undefined
  #model: string | undefined
  /** Whether it was there before the program began. */
  #resumed: boolean
  #turns = 0

  private constructor(
    session: ExecSession,
    open: OpenSession,
    { resumed, model, limits, onPermission }: Beginning,
  ) {
    this.#session = session
    this.#open = open
    this.#resumed = resumed
    this.#model = model
    this.#limits = limits
    this.#changes = { onPermission }
    this.#watch()
  }

  /** Opens the first one: `session`, which may have been there before. */
  static of(session: ExecSession, open: OpenSession, beginning: Beginning): Conversation {
    return new Conversation(session, open, beginning)
  }

  get session(): ExecSession {
    return this.#session
  }

  get shortId(): string {
    return this.#session.id.slice(0, SHORT_ID)
  }

  get provider(): string {
    return this.#session.provider
  }

  /** The model as the agent calls it, or as it was asked for. */
  get model(): string | undefined {
    return this.#model
  }

  /** Tokens and cost since the program began, of this conversation. */
  get used(): Readonly<Usage> {
    return addUsage(this.#used, this.#running)
  }

  /** The same at a glance: what the turn under way costs is mostly told at its end, and left out until then. */
  get usedAtAGlance(): Readonly<Usage> {
    const { costUsd, costSource, costPartial } = this.#used
    return this.#running.costUsd === undefined
      ? { ...this.used, costUsd, costSource, costPartial }
      : this.used
  }

  /** What is in the model's window, where the agent tells it. */
  get context(): ContextUse | undefined {
    return this.#context
  }

  /** The turns since the program began, of this conversation. */
  get turns(): number {
    return this.#turns
  }

  get resumed(): boolean {
    return this.#resumed
  }

  /** What was asked last, with the paths of its images. */
  get lastPrompt(): { prompt: string; images: string[] } | undefined {
    const last = this.#session.getHistory().findLast(({ role }) => role === 'user')
    return last && { prompt: last.content, images: (last.metadata?.images ?? []).map(({ name }) => name) }
  }

  run(prompt: string, images: readonly ImageInput[]): TurnStream {
    this.#turns++
    return this.#session.executeStreaming(prompt, { ...this.#limits, images })
  }

  /** Goes on with another model or agent from the next turn on. */
  async use(changes: Pick<SessionOptions, 'model' | 'provider'>): Promise<void> {
    await this.#session.use(changes)
    const { model: _, ...kept } = this.#changes
    this.#changes = { ...(changes.provider === undefined ? this.#changes : kept), ...changes }
    this.#model = changes.model
    this.#context = undefined
  }

  /** Has what was said so far written down. */
  async save(): Promise<void> {
    await this.#session.save()
  }

  /** Ends this conversation and begins another one, or goes on with the one with this id. */
  async switchTo(id: string | undefined): Promise<void> {
    // Opened first: where that fails, this one goes on.
    const next = await this.#open(id, this.#changes)
    await this.#session.end()
    this.#session = next
    this.#resumed = id !== undefined
    this.#model = this.#changes.model ?? (id === undefined ? this.#model : undefined)
    this.#turns = 0
    this.#used = NO_USAGE
    this.#running = NO_USAGE
    this.#context = undefined
    this.#watch()
  }

  #watch(): void {
    this.#session.on(ExecEventType.STATUS_CHANGED, ({ data: { status, detail } }) => {
      if (status === 'initialized' && typeof detail?.model === 'string') {
        this.#model = detail.model
      } else if (status === 'context') {
        this.#context = contextOf(detail)
      }
    })
    this.#session.on(ExecEventType.USAGE_UPDATED, ({ data }) => {
      this.#running = data
    })
    this.#session.on(ExecEventType.TURN_COMPLETED, ({ data: { usage } }) => {
      this.#used = addUsage(this.#used, usage)
      this.#running = NO_USAGE
    })
  }
}
