import type { Artifact, Task } from '../context/artifacts.js'
import { buildContextPrompt } from '../context/context-prompt.js'
import { ContextTracker } from '../context/context-tracker.js'
import { execError } from '../errors.js'
import type { AiRunner, RunOptions } from './ai-runner.js'
import { Checkpoint } from './checkpoint.js'
import { ChunkGenerator } from './chunk-generator.js'
import type { StreamChunk } from './chunks.js'
import { EngineChunks } from './engine-chunks.js'
import { ExecEventEmitter } from './event-emitter.js'
import { EventSource } from './event-source.js'
import {
  type ConversationMessage,
  type ConversationSession,
  HistoryManager,
  type HistoryManagerOptions,
} from './history-manager.js'
import { errorChunkOf } from './native-runner.js'
import { type ExecResult, Turn } from './turn.js'

/** What a session is made of. */
export interface ExecSessionConfig extends HistoryManagerOptions {
  /** Runs the prompts: a native runner, or any object with these methods. */
  aiRunner: AiRunner
  /** The project whose history it is kept in. */
  projectPath: string
  model: string
  provider: string
  /** The conversation to go on with; one that is not there is begun anew, with an id of its own. */
  sessionId?: string
  /** How many messages the agent is told, the newest (default 10). */
  maxContextMessages?: number
  /** Keep the newest events for `getEventEmitter().getEventLog()`. */
  debug?: boolean
  /**
   * Write the conversation down while it goes on (default): a prompt before the agent gets it, the answer while it is given
   * and when it has ended. `false`: only `save()` does.
   */
  autoSave?: boolean
}

/**
 * A conversation with any AI runner, in the shape of Locus 0.14.x. The runner runs each prompt; the history, the context and
 * its prompt are the engine's ({@link HistoryManager}, {@link ContextTracker}, `buildContextPrompt`), and so are the names
 * and the order of the events.
 *
 * It writes the conversation down while it goes on, so that no Ctrl+C and no crash loses it. A turn that fails gives an
 * `error` chunk; the stream does not throw, but for a session that was not initialized or is busy.
 */
export class ExecSession extends EventSource {
  readonly #runner: AiRunner
  readonly #history: HistoryManager
  readonly #emitter: ExecEventEmitter
  readonly #context = new ContextTracker()
  readonly #config: ExecSessionConfig
  #session: ConversationSession | undefined
  #isBusy = false

  constructor(config: ExecSessionConfig) {
    const { aiRunner, projectPath, maxSessions, historyDir, historyFormat, debug } = config
    const emitter = new ExecEventEmitter({ debug })
    super(emitter)
    this.#emitter = emitter
    this.#config = config
    this.#runner = aiRunner
    this.#history = new HistoryManager(projectPath, { maxSessions, historyDir, historyFormat })
  }

  /** Loads the conversation, or begins one; nothing is written. */
  initialize(): void {
    const { sessionId, model, provider } = this.#config
    const loaded = sessionId === undefined ? null : this.#history.loadSession(sessionId)
    if (loaded?.metadata.contextTracker) {
      this.#context.restore(loaded.metadata.contextTracker)
    }
    this.#begin(loaded ?? this.#history.createNewSession(model, provider))
  }

  /** The conversation, which may be changed; null before `initialize`. */
  getSession(): ConversationSession | null {
    return this.#session ?? null
  }

  getSessionId(): string | null {
    return this.#session?.id ?? null
  }

  getEventEmitter(): ExecEventEmitter {
    return this.#emitter
  }

  getHistoryManager(): HistoryManager {
    return this.#history
  }

  getContextTracker(): ContextTracker {
    return this.#context
  }

  /** The messages so far, which may be changed. */
  getMessages(): ConversationMessage[] {
    return this.#session?.messages ?? []
  }

  /** Adds a message, as if it had been said now. */
  addMessage(message: Omit<ConversationMessage, 'timestamp'>): void {
    this.#initialized().messages.push({ ...message, timestamp: Date.now() })
  }

  createArtifact(params: Omit<Artifact, 'id' | 'createdAt' | 'updatedAt'>): Artifact {
    return this.#context.createArtifact(params)
  }

  createTask(params: Omit<Task, 'id' | 'createdAt' | 'updatedAt'>): Task {
    return this.#context.createTask(params)
  }

  /** The artifact that words such as "the plan" mean; null where none is meant. */
  resolveArtifactReference(reference: string): Artifact | null {
    return this.#context.getReferencedArtifact(reference)
  }

  /** The task that words such as "the auth task" mean; null where none is meant. */
  resolveTaskReference(reference: string): Task | null {
    return this.#context.getReferencedTask(reference)
  }

  /** Writes the conversation down with its artifacts and tasks, and removes the oldest conversations beyond `maxSessions`. */
  save(): void {
    this.#write()
    this.#history.pruneSessions()
  }

  /** Forgets what was said; the conversation keeps its id. */
  reset(): void {
    const session = this.#initialized()
    session.messages = []
    session.updatedAt = Date.now()
    this.#context.clear()
  }

  /** Begins another conversation. */
  startNewSession(): void {
    const { model, provider } = this.#config
    this.#context.clear()
    this.#begin(this.#history.createNewSession(model, provider))
  }

  /** Tells that the session has ended. */
  end(success = true): void {
    this.#emitter.emitSessionEnded(success)
  }

  /**
   * Runs a prompt, with what was said before, and gives the chunks as they come. `break`, `return()` and the signal stop the
   * runner; what was said until then stays in the conversation.
   */
  executeStreaming(prompt: string, options: RunOptions = {}): AsyncGenerator<StreamChunk, void, unknown> {
    return this.#stream(prompt, options, new Turn())
  }

  /** Runs a prompt to its end; resolves also where it failed. */
  async execute(prompt: string, options: RunOptions = {}): Promise<ExecResult> {
    const turn = new Turn()
    const stream = this.#stream(prompt, options, turn)
    // The turn is gathered on the way.
    for await (const _ of stream);
    return turn.result()
  }

  #stream(prompt: string, { signal }: RunOptions, turn: Turn): ChunkGenerator {
    const stop = () => this.#runner.abort()
    const engineChunks = new EngineChunks()
    let session: ConversationSession | undefined
    let checkpoint: Checkpoint | undefined
    const observe = (chunk: StreamChunk) => {
      turn.observe(chunk)
      this.#emitter.relayUntold(chunk)
      if (chunk.type === 'text_delta') {
        checkpoint?.grown()
      } else {
        this.#context.observe(engineChunks.of(chunk))
        checkpoint?.pause()
      }
    }
    return new ChunkGenerator({
      open: () => {
        const claimed = this.#claim()
        session = claimed
        signal?.throwIfAborted()
        const fullPrompt = this.#submit(claimed, prompt)
        if (this.#saves) {
          checkpoint = new Checkpoint(() => this.#autoSave(() => this.#writeWith(claimed, turn)))
        }
        signal?.addEventListener('abort', stop, { once: true })
        return this.#runner.runStream(fullPrompt, { signal })
      },
      pass: (chunk) => {
        observe(chunk)
        return true
      },
      failed: (error) => {
        if (!session) {
          // There was no turn that could fail.
          throw error
        }
        const chunk = errorChunkOf(error)
        observe(chunk)
        return chunk
      },
      interrupt: stop,
      closed: (wasStopped) => {
        signal?.removeEventListener('abort', stop)
        if (wasStopped) {
          turn.stopped()
        }
        if (session) {
          this.#finish(session, turn)
        }
      },
    })
  }

  #claim(): ConversationSession {
    const session = this.#initialized()
    if (this.#isBusy) {
      throw execError(
        'SESSION_BUSY',
        'a turn of this session is still running; end its loop or await it first',
      )
    }
    this.#isBusy = true
    return session
  }

  /** Takes a prompt into the conversation; the prompt for the runner, which knows nothing of what was said. */
  #submit(session: ConversationSession, prompt: string): string {
    const fullPrompt = this.#promptWith(session.messages, prompt)
    this.#emitter.emitPromptSubmitted(prompt)
    session.messages.push({ role: 'user', content: prompt, timestamp: Date.now() })
    if (this.#saves) {
      this.#write()
    }
    return fullPrompt
  }

  #finish(session: ConversationSession, turn: Turn): void {
    this.#isBusy = false
    const message = turn.message(Date.now(), { ended: true })
    if (message.content !== '') {
      session.messages.push(message)
    }
    session.updatedAt = Date.now()
    if (this.#saves) {
      this.#autoSave(() => this.#write(session))
    }
  }

  /** Writes something down. A turn does not fail of it: it is told, kept in memory, and written with what comes next. */
  #autoSave(write: () => void): void {
    try {
      write()
    } catch (error) {
      const { error: message, code } = errorChunkOf(error)
      this.#emitter.relay({ type: 'status', status: 'not_saved', detail: { code, message } })
    }
  }

  #promptWith(messages: ConversationMessage[], request: string): string {
    const summary = this.#context.buildContextSummary()
    const { maxContextMessages: maxMessages } = this.#config
    return buildContextPrompt({ summary, messages, request, maxMessages })
  }

  get #saves(): boolean {
    return this.#config.autoSave ?? true
  }

  #begin(session: ConversationSession): void {
    const { model, provider } = this.#config
    this.#session = session
    this.#emitter.emitSessionStarted({ model, provider, sessionId: session.id })
  }

  #initialized(): ConversationSession {
    if (!this.#session) {
      throw execError('INVALID_INPUT', 'the session is not initialized; call initialize() first')
    }
    return this.#session
  }

  #write(session = this.#initialized()): void {
    if (session === this.#session && this.#context.hasContent()) {
      session.metadata.contextTracker = this.#context.toJSON()
    }
    this.#history.saveSession(session)
  }

  /** Writes the conversation down with the answer so far, which the conversation itself gets when it has ended. */
  #writeWith(session: ConversationSession, turn: Turn): void {
    const messages = [...session.messages, turn.message(Date.now(), { ended: false })]
    this.#history.saveSession({ ...session, messages })
  }
}
