import { readFileSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'

import { type ErrorCode, type ExecError, execError } from '../../errors.js'
import { ExecEventType } from '../../events.js'
import { type ReplaySource, replayTranscript } from '../../replay.js'
import { EXIT_CODES } from '../exit-codes.js'
import { cleanValue } from '../renderers/clean-text.js'
import { JsonStreamRenderer } from '../renderers/json-stream.js'
import type { Renderer, RunStart } from '../renderers/renderer.js'
import { SpinnerIndicator } from '../renderers/spinner.js'
import { TerminalRenderer } from '../renderers/terminal.js'
import type { CommonFlags, SessionsCommand } from './command.js'
import { findSession } from './find-session.js'
import type { Screen } from './screen.js'

export interface ReplayFlags extends CommonFlags {
  speed?: string
  maxPause?: string
  provider?: string
}

/** What is played, and how its turns are introduced. */
interface Recording {
  source: ReplaySource
  head: Omit<RunStart, 'saved'>
}

/** `sessions replay`: every turn as it was seen when it ran; of a stored session, or of a file that an agent printed. */
export async function replaySession(
  command: SessionsCommand,
  what: string,
  flags: ReplayFlags,
): Promise<void> {
  const { screen, json } = command
  const speed = speedOf(flags.speed)
  const maxPauseMs = flags.maxPause === undefined ? undefined : secondsOf(flags.maxPause) * 1000
  const recording = isFile(what)
    ? transcriptIn(what, flags.provider)
    : await storedSession(command, what, flags)
  const { head } = recording
  const stopped = new AbortController()
  const stop = () => stopped.abort()
  // Not `once`: the guard of the cursor ends the program where nobody else listens any more.
  process.on('SIGINT', stop)
  const replay = replayTranscript(recording.source, { speed, maxPauseMs, signal: stopped.signal })
  let turns = 0
  let turn: Renderer | undefined
  let failure: ExecError | undefined
  replay.on(ExecEventType.PROMPT_SUBMITTED, ({ data }) => {
    if (!json) {
      showPrompt(screen, data.prompt)
    }
  })
  replay.on(ExecEventType.SESSION_STARTED, ({ data }) => {
    head.provider ||= data.provider
  })
  replay.on(ExecEventType.TURN_STARTED, () => {
    failure = undefined
    turns++
    turn = json ? new JsonStreamRenderer(screen.out) : terminal(screen)
    turn.start({ ...head, saved: false, model: cleanValue(head.model) })
  })
  replay.on(ExecEventType.ERROR_OCCURRED, ({ data }) => {
    failure = execError(codeOf(data.code), data.message)
  })
  replay.on(ExecEventType.TURN_COMPLETED, ({ data }) => {
    turn?.turnCompleted(data)
    turn?.end({
      exitCode: failure ? EXIT_CODES[failure.code] : 0,
      durationMs: data.durationMs,
      error: failure,
    })
    turn = undefined
  })
  try {
    for await (const chunk of replay) {
      turn?.chunk(chunk)
      await turn?.ready()
    }
  } catch (error) {
    // The line that was being drawn over is left whole; what stopped it is told by whoever called.
    turn?.end({ exitCode: EXIT_CODES.CANCELLED, durationMs: 0, error: undefined })
    throw error
  } finally {
    process.off('SIGINT', stop)
  }
  if (turns === 0 && 'transcript' in recording.source) {
    const printer = recording.source.provider ?? 'an agent that is known'
    throw execError('INVALID_INPUT', `nothing in '${what}' was printed by ${printer}; see --provider`)
  }
}

/** Whether this is a file, and cannot be meant as the id of a session. */
function isFile(what: string): boolean {
  try {
    return !/^[\w-]*$/.test(what) && statSync(what).isFile()
  } catch {
    return false
  }
}

function transcriptIn(path: string, provider?: string): Recording {
  try {
    const transcript = readFileSync(path)
    // The agent that printed it is told with its first event.
    const head = { sessionId: basename(path), cwd: dirname(resolve(path)), provider: '', model: undefined }
    return { source: { transcript, provider }, head }
  } catch (cause) {
    throw execError('INVALID_INPUT', `cannot read '${path}': ${(cause as Error).message}`, { cause })
  }
}

async function storedSession(
  { store }: SessionsCommand,
  prefix: string,
  { provider }: ReplayFlags,
): Promise<Recording> {
  if (provider !== undefined) {
    throw execError(
      'INVALID_INPUT',
      '--provider is for a file that an agent printed; a session knows its own',
    )
  }
  const session = await store.read(await findSession(store, prefix))
  const { id: sessionId, projectPath: cwd, summary } = session
  return { source: session, head: { sessionId, cwd, provider: summary.provider, model: summary.model } }
}

function terminal({ out, err, animate, remarks }: Screen): Renderer {
  const indicator = animate ? new SpinnerIndicator() : undefined
  return new TerminalRenderer({
    out,
    err,
    stream: true,
    indicator,
    colors: remarks.level > 0,
    verbose: false,
  })
}

function showPrompt(screen: Screen, prompt: string): void {
  const { cyan, bold } = screen.remarks
  screen.remark(`\n${cyan(bold('>'))} ${cleanValue(prompt).trim()}`)
}

function codeOf(code: string): ErrorCode {
  return Object.hasOwn(EXIT_CODES, code) ? (code as ErrorCode) : 'INTERNAL'
}

function speedOf(value = '1'): number {
  const speed = value === 'max' ? Number.POSITIVE_INFINITY : decimal(value)
  if (!(speed > 0)) {
    throw execError('INVALID_INPUT', '--speed must be a number above 0, or max')
  }
  return speed
}

function secondsOf(value: string): number {
  const seconds = decimal(value)
  if (!(seconds >= 0)) {
    throw execError('INVALID_INPUT', '--max-pause must be a number of seconds')
  }
  return seconds
}

function decimal(value: string): number {
  return /^\d{1,6}(\.\d{1,6})?$/.test(value) ? Number(value) : Number.NaN
}
