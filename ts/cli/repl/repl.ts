import { basename } from 'node:path'

import { ErrorHandler, type Fallback } from '../../error-handler.js'
import type { ExecError } from '../../errors.js'
import { type ExecEventData, ExecEventType } from '../../events.js'
import type { ImageInput } from '../../options.js'
import type { ImageInfo } from '../../records.js'
import { errorOrDefect } from '../commands/exec.js'
import type { StatusFacts } from '../display/status-line.js'
import { symbols } from '../display/symbols.js'
import { EXIT_CODES, EXIT_HUNG_UP } from '../exit-codes.js'
import { nameIn } from '../file-names.js'
import { formatBytes } from '../format.js'
import { endIfTerminalIsGone } from '../hang-up.js'
import type { PermissionDesk } from '../permissions/permission-desk.js'
import { cleanValue } from '../renderers/clean-text.js'
import { showTurn } from '../show-turn.js'
import { parseLine } from './command-line.js'
import { type CommandName, findCommand } from './command-table.js'
import type { Conversation } from './conversation.js'
import type { Farewell } from './farewell.js'
import type { FileChanges } from './file-changes.js'
import { withImages } from './image-paths.js'
import { say } from './say.js'
import type { ReplListener, ReplState, ReplView } from './view.js'

/** After this time the program ends, whatever still goes on; what is left of the agent is ended by its guard. */
const LEAVE_MS = 5000
/** For how long a second Ctrl+C means "leave". */
const ARMED_MS = 3000

/** Something to be done when what goes on now is over. */
type Job = { line: string } & (Prompt | { command: CommandName; args: string })

/** What is sent to the agent. */
export interface Prompt {
  prompt: string
  /** Beside those that it names. */
  images: readonly ImageInput[]
}

/** Does what a command says; what it resolves to is sent to the agent. */
export type RunCommand = (name: CommandName, args: string) => Promise<Prompt | undefined>

export interface ReplParts {
  conversation: Conversation
  view: ReplView
  desk: PermissionDesk
  farewell: Farewell
  changes: FileChanges
  /** Who takes over where an agent cannot do a turn. */
  fallback?: Fallback | undefined
  projectPath: string
  runCommand(repl: Repl): RunCommand
}

/**
 * The interactive mode: takes lines one after the other, each a prompt or a command, and does what keys and signals ask
 * for meanwhile. It knows nothing of keys and of screens.
 */
export class Repl implements ReplState, ReplListener {
  readonly #conversation: Conversation
  readonly #fallback: Fallback | undefined
  readonly #view: ReplView
  readonly #desk: PermissionDesk
  readonly #farewell: Farewell
  readonly #changes: FileChanges
  readonly #projectPath: string
  readonly #runCommand: RunCommand
  readonly #queue: Job[] = []
  readonly #ended: Promise<number>
  #resolveEnded: (exitCode: number) => void = () => {}
  #working: Promise<void> | undefined
  #turnSince: number | undefined
  #interrupting = false
  #armed: NodeJS.Timeout | undefined
  #leaving: number | undefined
  #inputEnded = false
  /** The exit code of what failed last. */
  #failed = 0
  verbose: boolean

  constructor(parts: ReplParts, verbose: boolean) {
    const { conversation, view, desk, farewell, changes, projectPath, runCommand, fallback } = parts
    this.#fallback = fallback
    this.#conversation = conversation
    this.#view = view
    this.#desk = desk
    this.#farewell = farewell
    this.#changes = changes
    this.#projectPath = projectPath
    this.#runCommand = runCommand(this)
    this.verbose = verbose
    this.#ended = new Promise((resolve) => {
      this.#resolveEnded = resolve
    })
  }

  get busy(): boolean {
    return this.#working !== undefined
  }

  get turning(): boolean {
    return this.#turnSince !== undefined
  }

  get interrupting(): boolean {
    return this.#interrupting
  }

  get queue(): readonly string[] {
    return this.#queue.map(({ line }) => line)
  }

  get notice(): string | undefined {
    if (this.#leaving !== undefined && this.#working) {
      return 'Leaving; Ctrl+C does not wait for the agent'
    }
    if (this.#interrupting) {
      return 'Interrupting; Ctrl+C again leaves at once'
    }
    if (this.#inputEnded && this.#working) {
      return 'Leaving when this is done; Ctrl+C interrupts it'
    }
    return this.#armed ? 'Press Ctrl+C again to leave' : undefined
  }

  get status(): StatusFacts {
    const { provider, model, shortId, usedAtAGlance: used, context } = this.#conversation
    return {
      ...{ provider, model, session: shortId, used, context },
      elapsedMs: this.#turnSince === undefined ? undefined : performance.now() - this.#turnSince,
    }
  }

  /** Resolves to the exit code when the person has left. */
  async run(): Promise<number> {
    this.#view.start(this, this)
    return await this.#ended
  }

  submit(line: string, images: readonly ImageInput[] = []): void {
    const parsed = parseLine(line)
    switch (parsed.kind) {
      case 'empty':
        break
      case 'prompt':
        this.#later({ line, prompt: parsed.text, images })
        break
      case 'command':
        if (findCommand(parsed.name)?.anytime) {
          this.#echo(line)
          void this.#command(parsed.name, parsed.args)
        } else {
          this.#later({ line, command: parsed.name, args: parsed.args })
        }
        break
      case 'misused':
        this.#echo(line)
        this.#view.note(`usage: ${parsed.usage}`)
        break
      case 'unknown': {
        this.#echo(line)
        const hint = parsed.nearest === undefined ? '' : `; do you mean ${parsed.nearest}?`
        say(
          this.#view,
          `there is no command ${cleanValue(parsed.word)}${hint} A blank before it sends it to the agent as it is`,
        )
        break
      }
    }
    this.#view.changed()
  }

  takeBack(): string | undefined {
    return this.#queue.pop()?.line
  }

  interrupt(): void {
    if (this.#leaving !== undefined) {
      this.#force(EXIT_CODES.CANCELLED)
    } else if (this.turning) {
      this.#interruptTurn()
    } else if (this.#armed) {
      void this.leave(0)
    } else {
      this.#armed = setTimeout(() => this.otherKey(), ARMED_MS)
    }
    this.#view.changed()
  }

  otherKey(): void {
    if (this.#armed) {
      clearTimeout(this.#armed)
      this.#armed = undefined
      this.#view.changed()
    }
  }

  /** Nothing will be typed any more: leaves when everything is done. */
  end(): void {
    this.#inputEnded = true
    this.#view.changed()
    if (!this.#working) {
      // Nobody but a program asks how it went.
      void this.leave(this.#view.attended ? 0 : this.#failed)
    }
  }

  hungUp(): void {
    void this.leave(EXIT_HUNG_UP, { ask: false })
  }

  /**
   * Ends the conversation and the program. `ask`: whether somebody is there to be asked. After 5 seconds it ends whatever
   * still goes on.
   */
  async leave(exitCode: number, { ask = true } = {}): Promise<void> {
    if (this.#leaving !== undefined) {
      return
    }
    this.#leaving = exitCode
    clearTimeout(this.#armed)
    this.#queue.length = 0
    const keep = ask ? await this.#farewell.question(this.#conversation, this.#view) : true
    setTimeout(() => this.#force(exitCode), LEAVE_MS).unref()
    this.#view.changed()
    try {
      await this.#conversation.session.end()
      await this.#working
      this.#changes.close()
      this.#view.note(await this.#farewell.words(this.#conversation, keep))
    } catch (error) {
      this.#tell(errorOrDefect(error))
    }
    this.#view.close()
    this.#resolveEnded(exitCode)
  }

  #interruptTurn(): void {
    if (this.#interrupting) {
      this.#force(EXIT_CODES.CANCELLED)
      return
    }
    this.#interrupting = true
    // What was to follow was meant for an answer that will not come.
    const lines = this.#queue.splice(0).map(({ line }) => line)
    if (lines.length > 0) {
      this.#view.giveBack(lines.join('\n'))
    }
    void this.#conversation.session.cancel()
  }

  #force(exitCode: number): never {
    this.#view.close()
    this.#changes.close()
    endIfTerminalIsGone()
    process.exit(exitCode)
  }

  #later(job: Job): void {
    this.#queue.push(job)
    this.#work()
  }

  /** Does what is queued, one after the other. */
  #work(): void {
    if (this.#working) {
      return
    }
    const job = this.#leaving === undefined ? this.#queue.shift() : undefined
    if (!job) {
      this.#view.changed()
      if (this.#inputEnded) {
        this.end()
      }
      return
    }
    this.#echo(job.line)
    this.#working = this.#do(job).finally(() => {
      this.#working = undefined
      this.#work()
    })
    this.#view.changed()
  }

  async #do(job: Job): Promise<void> {
    if ('prompt' in job) {
      await this.#turn(job)
    } else {
      await this.#command(job.command, job.args)
    }
  }

  async #command(name: CommandName, args: string): Promise<void> {
    try {
      const prompt = await this.#runCommand(name, args)
      if (prompt !== undefined) {
        await this.#turn(prompt)
      }
    } catch (error) {
      this.#tell(errorOrDefect(error))
    }
    this.#view.changed()
  }

  async #turn(asked: Prompt, handler = this.#handler()): Promise<void> {
    const { prompt: typed, images } = asked
    const { prompt, paths, missing } = withImages(typed, this.#projectPath)
    for (const name of missing) {
      this.#view.note(
        cleanValue(`${symbols().warning} there is no image ${name}; the agent gets its name alone`),
      )
    }
    const named = paths.map((path) => nameIn(this.#projectPath, path))
    const renderer = await this.#view.renderer(this.verbose)
    const { session, provider, model } = this.#conversation
    const started = performance.now()
    this.#turnSince = started
    const onPermission = ({ data }: { data: Parameters<typeof renderer.permissionResolved>[0] }) => {
      this.#desk.resolved(data.id)
      renderer.permissionResolved(data)
    }
    const onCompleted = ({ data }: { data: Parameters<typeof renderer.turnCompleted>[0] }) =>
      renderer.turnCompleted(data)
    const onPrompt = ({ data }: { data: ExecEventData['prompt:submitted'] }) => this.#attached(data.images)
    session.once(ExecEventType.PROMPT_SUBMITTED, onPrompt)
    session.on(ExecEventType.PERMISSION_RESOLVED, onPermission)
    session.on(ExecEventType.TURN_COMPLETED, onCompleted)
    renderer.start({ sessionId: session.id, saved: true, cwd: '', provider, model })
    let error: ExecError | undefined
    try {
      await this.#changes.turnBegins()
      await showTurn(this.#conversation.run(prompt, [...new Set([...images, ...named])]), renderer)
    } catch (thrown) {
      error = errorOrDefect(thrown)
    } finally {
      session.off(ExecEventType.PROMPT_SUBMITTED, onPrompt)
      session.off(ExecEventType.PERMISSION_RESOLVED, onPermission)
      session.off(ExecEventType.TURN_COMPLETED, onCompleted)
    }
    await this.#changes.turnEnded()
    const interrupted = error?.code === 'CANCELLED' && (this.#interrupting || this.#leaving !== undefined)
    this.#failed = error ? EXIT_CODES[error.code] : 0
    this.#turnSince = undefined
    this.#interrupting = false
    renderer.end({
      exitCode: error ? EXIT_CODES[error.code] : 0,
      durationMs: Math.round(performance.now() - started),
      error: interrupted ? undefined : error,
    })
    if (interrupted) {
      say(this.#view, `${symbols().stopped} interrupted; the conversation goes on with the next prompt`)
    } else if (error && handler) {
      const outcome = await handler.handle(error, this.#conversation, prompt)
      if (outcome.action !== 'abort') {
        this.#view.note(`${symbols().again} going on with ${outcome.provider}`)
        await this.#turn(outcome.prompt === prompt ? asked : { ...asked, prompt: outcome.prompt }, handler)
      }
    }
  }

  #attached(images: readonly ImageInfo[] = []): void {
    const lines = images.map(
      ({ name, bytes }, index) =>
        `[image ${index + 1}: ${cleanValue(basename(name))}, ${formatBytes(bytes)}]`,
    )
    if (lines.length > 0) {
      this.#view.note(lines.join('\n'))
    }
  }

  /** Who decides how a prompt goes on whose turn failed. */
  #handler(): ErrorHandler | undefined {
    return this.#fallback && new ErrorHandler({ fallback: this.#fallback })
  }

  #echo(line: string): void {
    this.#view.echo(line)
  }

  #tell(error: ExecError): void {
    this.#failed = EXIT_CODES[error.code]
    const { code, message } = cleanValue({ code: error.code, message: error.message })
    this.#view.note(`${symbols().failed} ${code} ${message}`)
  }
}
