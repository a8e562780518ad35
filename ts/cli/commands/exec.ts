import { resolve } from 'node:path'

import { listAgents } from '../../agents.js'
import { ErrorHandler, type Fallback } from '../../error-handler.js'
import { ExecError, execError } from '../../errors.js'
import { ExecEventType } from '../../events.js'
import { HistoryStore } from '../../history.js'
import { JSON_LINES } from '../../json-lines.js'
import { providerOf, type SessionOptions, type TurnOptions } from '../../options.js'
import { randomId } from '../../random-id.js'
import type { RetryPolicy } from '../../retry.js'
import { ExecSession } from '../../session.js'
import { parseDuration } from '../duration.js'
import { EXIT_CODES, EXIT_HUNG_UP, EXIT_TERMINATED } from '../exit-codes.js'
import { nameIn } from '../file-names.js'
import { type LimitFlags, limitsOf } from '../limits.js'
import type { Asker, PermissionDesk } from '../permissions/permission-desk.js'
import { readPrompt } from '../prompt.js'
import { askRecovery, canAsk, parseOnError } from '../recovery.js'
import type { Renderer } from '../renderers/renderer.js'
import { loadSettings, type Settings, settingsPath } from '../settings.js'
import { showTurn } from '../show-turn.js'

/** The flags of `locus exec` that say what is run. */
export interface ExecFlags extends LimitFlags {
  provider?: string
  model?: string
  dir?: string
  image?: string[]
  executable?: string
  agentCommand?: string
  trustProject?: boolean
  yes?: boolean
  allow?: string[]
  deny?: string[]
  permissionMode?: string
  session?: string
  continue?: boolean
  save?: boolean
  verbose?: boolean
  retries?: string
  maxWait?: string
  onError?: string
  /** `false`: nobody, whatever the settings say. */
  fallback?: string | false
  fallbackAfterChanges?: boolean
}

/** How often `--on-error` is followed in one run. */
const MAX_RECOVERIES = 1

/** What a run is made of, before it begins. */
export interface Plan {
  settings: Settings
  options: SessionOptions
  turn: TurnOptions
  projectPath: string
  provider: string
}

/** The options of the run, from the flags, the environment and the settings, in this order. */
export function planOf(flags: ExecFlags): Plan {
  if (flags.dir === '') {
    throw execError('INVALID_DIRECTORY', '--dir is empty; name a folder, or leave it out to use this one')
  }
  const projectPath = resolve(flags.dir ?? '.')
  const settings = loadSettings(projectPath, process.env)
  // A command on the command line is stronger than a provider in the settings.
  const named = flags.provider ?? (flags.agentCommand === undefined ? settings.provider : undefined)
  const provider = providerOf({ provider: named, agentCommand: flags.agentCommand })
  const options: SessionOptions = {
    projectPath,
    provider,
    model: flags.model ?? settings.model,
    executable: flags.executable,
    agentCommand: flags.agentCommand,
    trustProject: flags.trustProject,
    allowAll: flags.yes ?? false,
    allowedTools: flags.allow,
    deniedTools: flags.deny,
    permissionMode: flags.permissionMode,
    save: flags.save,
    log: flags.verbose && !process.env.LOCUS_LOG ? 'debug' : undefined,
    retry: retryOf(flags, settings.retry),
    budget: settings.budget?.session,
  }
  // A path is given from here, and kept as it is seen from the project.
  const images = flags.image?.map((path) => nameIn(projectPath, resolve(path)))
  const turn = { ...limitsOf(flags, settings), ...(images && { images }) }
  return { options, turn, projectPath, provider, settings }
}

function retryOf({ retries, maxWait }: ExecFlags, settings: RetryPolicy | undefined): RetryPolicy {
  if (retries !== undefined && !/^\d{1,3}$/.test(retries)) {
    throw execError('INVALID_INPUT', `--retries needs a whole number from 0, not '${retries}'`)
  }
  const maxWaitMs = maxWait === undefined ? undefined : parseDuration(maxWait, '--max-wait')
  return {
    ...settings,
    ...(retries !== undefined && { tries: Number(retries) + 1 }),
    // Whoever waits for hours for a limit means it to be waited for.
    ...(maxWaitMs !== undefined && { maxWaitMs, maxTotalMs: Math.max(maxWaitMs * 2, 900_000) }),
  }
}

/** Who takes over where an agent cannot do a turn, as `--fallback` or the settings say. */
export function fallbackOf(flags: ExecFlags, { projectPath, options, settings }: Plan): Fallback | undefined {
  const named = flags.fallback === false ? [] : flags.fallback?.split(',').map((name) => name.trim())
  const agents = named ?? settings.fallback ?? []
  if (agents.length === 0) {
    return undefined
  }
  const known = listAgents({ projectPath, trustProject: options.trustProject }).agents.map(({ name }) => name)
  const unknown = agents.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    throw execError(
      'UNKNOWN_PROVIDER',
      `${named ? '--fallback' : `the setting 'fallback' in '${settingsPath(projectPath)}'`} names the unknown provider '${unknown}'; known providers: ${known.join(', ')}`,
    )
  }
  return { agents, afterChanges: flags.fallbackAfterChanges ?? settings.fallbackAfterChanges }
}

/**
 * Runs one prompt and shows it; resolves to the exit code. Never throws: what goes wrong is shown by the renderer. `ask`:
 * asks a person for permission, where there is one.
 */
export async function runExec(
  words: string[],
  flags: ExecFlags,
  renderer: Renderer,
  ask?: Asker,
): Promise<number> {
  const started = performance.now()
  let plan: Plan | undefined
  let session: ExecSession | undefined
  let signals: Signals | undefined
  let begun = false
  let prompt: string | undefined
  const begin = () => {
    begun = true
    renderer.start({
      sessionId: session?.id ?? randomId(),
      saved: session !== undefined && flags.save !== false,
      cwd: plan?.projectPath ?? resolve(flags.dir ?? '.'),
      provider: session?.provider ?? plan?.provider ?? flags.provider ?? providerOf({}),
      model: plan?.options.model ?? flags.model,
      prompt,
    })
  }
  let ended = false
  const end = (exitCode: number, error?: ExecError) => {
    if (!ended) {
      ended = true
      renderer.end({ exitCode, durationMs: Math.round(performance.now() - started), error })
    }
  }
  let exitCode = 0
  let error: ExecError | undefined
  try {
    plan = planOf(flags)
    plan.options[JSON_LINES] = renderer.takesJsonLines
    const onError = flags.onError === undefined ? undefined : parseOnError(flags.onError)
    prompt = await readPrompt(words, () => process.stdin)
    const opening = plan
    const open = () => openSession(flags, opening)
    session = await (ask ? openWithConsent(plan.projectPath, open) : open())
    const desk = await makeDesk(session, plan, ask)
    session.on(ExecEventType.PERMISSION_RESOLVED, ({ data }) => desk?.resolved(data.id))
    begin()
    signals = new Signals(session, (exitCode) => {
      end(exitCode, execError('CANCELLED', 'the turn was abandoned; the guard ends what is left of it'))
      process.exit(exitCode)
    })
    const choose = onError ? () => onError : canAsk() ? askRecovery(signals.signal) : undefined
    const fallback = fallbackOf(flags, plan)
    const handler =
      (choose || fallback) &&
      new ErrorHandler({
        ...{ choose, fallback, signal: signals.signal },
        ...(onError && { maxRecoveries: MAX_RECOVERIES }),
      })
    await runTurns(session, prompt, { ...plan.turn, onPermission: desk?.decide }, renderer, handler)
  } catch (thrown) {
    error = errorOrDefect(thrown)
    exitCode = (error.code === 'CANCELLED' ? signals?.exitCode : undefined) ?? EXIT_CODES[error.code]
    if (!begun) {
      begin()
    }
  }
  end(exitCode, error)
  await session?.end()
  signals?.release()
  if (plan && exitCode === 0 && flags.save !== false) {
    await prune(plan)
  }
  return exitCode
}

async function openWithConsent<T>(projectPath: string, open: () => Promise<T>): Promise<T> {
  const { withConsent } = await import('../agents/consent.js')
  return await withConsent(projectPath, open)
}

/**
 * Who answers the questions of a run: the person, and what was always allowed in the conversation. Undefined where there is
 * neither, so that the agent is told so.
 */
async function makeDesk(
  session: ExecSession,
  { projectPath }: Plan,
  ask: Asker | undefined,
): Promise<PermissionDesk | undefined> {
  if (!ask && session.storedRules.length === 0) {
    return undefined
  }
  const { PermissionDesk } = await import('../permissions/permission-desk.js')
  const { RuleBook } = await import('../permissions/rule-book.js')
  const rules = new RuleBook(projectPath, (problem) => process.emitWarning(problem))
  rules.open(session)
  if (!ask && rules.rules.length === 0) {
    return undefined
  }
  return new PermissionDesk(ask, rules)
}

/** Keeps the history within its limits. The run is over and has told its end; what fails here is told beside it. */
export async function prune({ projectPath, settings }: Plan): Promise<void> {
  try {
    await new HistoryStore({ projectPath }).prune(settings.history)
  } catch (error) {
    process.emitWarning(`old conversations cannot be cleaned up: ${(error as Error).message}`)
  }
}

/** A new session, or the one that the flags name. */
export async function openSession(flags: ExecFlags, { options, projectPath }: Plan): Promise<ExecSession> {
  if (flags.session !== undefined && flags.continue) {
    throw execError('INVALID_INPUT', 'give either --session or --continue, not both')
  }
  if (flags.session === undefined && !flags.continue) {
    return await ExecSession.create(options)
  }
  const { findSession, latestSession } = await import('../sessions/find-session.js')
  const store = new HistoryStore({ projectPath })
  const id =
    flags.session === undefined ? await latestSession(store) : await findSession(store, flags.session)
  // The provider and the model of the settings are for new sessions.
  const { provider, model } = flags
  return await ExecSession.load(id, { ...options, provider, model })
}

/** Runs the turn of a prompt, and those that are chosen to follow where one fails. */
async function runTurns(
  session: ExecSession,
  prompt: string,
  options: TurnOptions,
  renderer: Renderer,
  handler: ErrorHandler | undefined,
): Promise<void> {
  session.on(ExecEventType.PERMISSION_RESOLVED, ({ data }) => renderer.permissionResolved(data))
  session.on(ExecEventType.TURN_COMPLETED, ({ data }) => renderer.turnCompleted(data))
  for (let next = prompt; ; ) {
    try {
      return await showTurn(session.executeStreaming(next, options), renderer)
    } catch (thrown) {
      const error = errorOrDefect(thrown)
      if (handler === undefined || error.code === 'CANCELLED') {
        throw error
      }
      renderer.failed(error)
      const outcome = await handler.handle(error, session, next)
      if (outcome.action === 'abort') {
        throw error
      }
      renderer.recovering(outcome.action, outcome.provider)
      next = outcome.prompt
    }
  }
}

/** Turns the signals of a terminal into a cancelled turn; the second one abandons it. */
class Signals {
  readonly #session: ExecSession
  readonly #abandon: (exitCode: number) => void
  readonly #listeners: Array<[NodeJS.Signals, () => void]>
  /** The exit code that the signal asks for, where it is not that of a cancelled turn. */
  exitCode: number | undefined
  readonly #cancelled = new AbortController()

  constructor(session: ExecSession, abandon: (exitCode: number) => void) {
    this.#session = session
    this.#abandon = abandon
    this.#listeners = [
      ['SIGINT', () => this.#cancel(undefined)],
      ['SIGTERM', () => this.#cancel(EXIT_TERMINATED)],
      ['SIGHUP', () => this.#cancel(EXIT_HUNG_UP)],
    ]
    for (const [signal, listener] of this.#listeners) {
      process.on(signal, listener)
    }
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#cancelled.signal
  }

  #cancel(exitCode: number | undefined): void {
    if (this.signal.aborted) {
      this.#abandon(exitCode ?? EXIT_CODES.CANCELLED)
    }
    this.#cancelled.abort()
    this.exitCode = exitCode
    void this.#session.cancel()
  }

  release(): void {
    for (const [signal, listener] of this.#listeners) {
      process.off(signal, listener)
    }
  }
}

/** What was thrown, as an error with a code. */
export function errorOrDefect(thrown: unknown): ExecError {
  if (thrown instanceof ExecError) {
    return thrown
  }
  const message = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  return execError('INTERNAL', message, { cause: thrown })
}
