import { type ErrorCode, type ExecError, execError } from '../../errors.js'
import { ExecEventType } from '../../events.js'
import { replayTranscript } from '../../replay.js'
import { EXIT_CODES } from '../exit-codes.js'
import { cleanValue } from '../renderers/clean-text.js'
import { JsonStreamRenderer } from '../renderers/json-stream.js'
import type { Renderer } from '../renderers/renderer.js'
import { SpinnerIndicator } from '../renderers/spinner.js'
import { TerminalRenderer } from '../renderers/terminal.js'
import type { CommonFlags, SessionsCommand } from './command.js'
import { findSession } from './find-session.js'
import type { Screen } from './screen.js'

export interface ReplayFlags extends CommonFlags {
  speed?: string
  maxPause?: string
}

/** `sessions replay`: every turn as it was seen when it ran. */
export async function replaySession(
  { store, screen, json }: SessionsCommand,
  prefix: string,
  flags: ReplayFlags,
): Promise<void> {
  const speed = speedOf(flags.speed)
  const maxPauseMs = flags.maxPause === undefined ? undefined : secondsOf(flags.maxPause) * 1000
  const session = await store.read(await findSession(store, prefix))
  const stopped = new AbortController()
  const stop = () => stopped.abort()
  // Not `once`: the guard of the cursor ends the program where nobody else listens any more.
  process.on('SIGINT', stop)
  const replay = replayTranscript(session, { speed, maxPauseMs, signal: stopped.signal })
  const { provider, model } = session.summary
  let turn: Renderer | undefined
  let failure: ExecError | undefined
  replay.on(ExecEventType.PROMPT_SUBMITTED, ({ data }) => {
    failure = undefined
    if (!json) {
      showPrompt(screen, data.prompt)
    }
    turn = json ? new JsonStreamRenderer(screen.out) : terminal(screen)
    turn.start({
      sessionId: session.id,
      saved: false,
      cwd: session.projectPath,
      provider,
      model: cleanValue(model),
    })
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
