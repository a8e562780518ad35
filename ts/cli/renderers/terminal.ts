import { Chalk, type ChalkInstance } from 'chalk'

import type { StatusChunk, StreamChunk, Usage } from '../../chunks.js'
import { type RecoveryAction, recoveryChoices } from '../../error-handler.js'
import type { ErrorCode, ExecError } from '../../errors.js'
import type { ExecEventData } from '../../events.js'
import { type Symbols, UNICODE } from '../display/symbols.js'
import { truncate } from '../display/truncate.js'
import { costMark, costText, formatDuration, formatTokens } from '../format.js'
import type { TextSink } from '../output.js'
import { SHORT_ID } from '../short-id.js'
import { CleanText, cleanValue } from './clean-text.js'
import { Countdown } from './countdown.js'
import { type Activity, type Indicator, NO_INDICATOR } from './indicator.js'
import type { Renderer, RunEnd, RunStart } from './renderer.js'
import { Thoughts, thoughtRows } from './thoughts.js'
import { ToolBoard } from './tool-board.js'

/** How the terminal is written to. */
export interface TerminalOptions {
  /** The answer. */
  out: TextSink
  /** All that is about the answer: indicators, tools, the summary, errors. */
  err: TextSink
  /** Show the answer while it is made, or at its end. */
  stream: boolean
  /** Shows what goes on, where lines may be drawn over. */
  indicator?: Indicator
  colors: boolean
  /** Default: those of a terminal with Unicode. */
  symbols?: Symbols
  verbose: boolean
  /** What the model thinks; whoever gives it may show it as well (default: shown where `verbose`). */
  thoughts?: Thoughts
  /** Whether each tool leaves its lines (default: yes). */
  tools?: boolean
  /** Whether what a subagent did is told together, when it is done (default: at once). */
  grouped?: boolean
  /** What is told at the end: all, one line for each turn of many, or nothing (default: all). */
  summary?: 'full' | 'line' | 'none'
}

const RECOVERING: Record<RecoveryAction, string> = {
  retry: 'trying again',
  continue: 'going on where it stopped',
  skip: 'going on without what failed',
  switch: 'going on with another model',
  abort: 'leaving it',
}

/** Failures that nothing here gets further with, and whose messages do not say what does. */
const NEEDS_REMEDY: ReadonlySet<ErrorCode> = new Set([
  'SPAWN_FAILED',
  'BROKEN_INSTALLATION',
  'PROTOCOL',
  'INTERNAL',
])

/** Narrower than this no line is cut. */
const MIN_COLUMNS = 20

/**
 * Shows a run to a person: the answer on stdout, everything about it on stderr, so that a pipe gets the answer alone.
 * Both may be the same terminal: one cursor, which is kept track of.
 */
export class TerminalRenderer implements Renderer {
  readonly #options: TerminalOptions
  readonly #chalk: ChalkInstance
  readonly #symbols: Symbols
  readonly #tools: ToolBoard
  readonly #thoughts: Thoughts
  readonly #answer = new CleanText()
  readonly #indicator: Indicator
  /** The questions for permission that somebody is thinking about. */
  readonly #asked = new Set<string>()
  /** What goes on while no tool is used. */
  #activity: Activity = { title: '', since: 0, depth: 0 }
  #midLine = false
  /** Whether the last thing shown was a line about the answer. */
  #afterLine = false
  #answered = false
  #unparsed = 0
  /** Whether the agent got as far as to do anything. */
  #initialized = false
  #model: string | undefined
  /** What the conversation is named by, if it is kept. */
  #session: string | undefined
  #summary: ExecEventData['turn:completed'] | undefined
  #countdown: Countdown | undefined
  /** The failure that was shown already. */
  #shown: ExecError | undefined

  constructor(options: TerminalOptions) {
    this.#options = options
    this.#chalk = new Chalk({ level: options.colors ? 1 : 0 })
    this.#symbols = options.symbols ?? UNICODE
    this.#thoughts = options.thoughts ?? new Thoughts(options.verbose)
    this.#tools = new ToolBoard({
      ...{ chalk: this.#chalk, symbols: this.#symbols, verbose: options.verbose },
      grouped: options.grouped ?? false,
      shorten: (row, reserved) => this.#fit(row, reserved),
    })
    this.#indicator = options.indicator ?? NO_INDICATOR
  }

  start({ model, sessionId, saved }: RunStart): void {
    this.#model = model
    this.#session = saved ? sessionId.slice(0, SHORT_ID) : undefined
    this.#show('Starting')
  }

  chunk(chunk: StreamChunk): void {
    switch (chunk.type) {
      case 'text_delta':
        // A subagent talks to the main agent, not to the user.
        if (this.#options.stream && chunk.parentToolUseId === undefined) {
          this.#text(this.#answer.push(chunk.content))
        }
        return
      case 'thinking':
        // It thinks for the main agent, too.
        if (chunk.parentToolUseId === undefined) {
          this.#thoughts.push(chunk.content)
        }
        this.#countdown?.stop()
        this.#show('Thinking')
        return
      default:
    }
    this.#aboutTheAnswer(cleanValue(chunk))
  }

  /** Shows a chunk whose texts are clean. */
  #aboutTheAnswer(chunk: Exclude<StreamChunk, { type: 'text_delta' | 'thinking' }>): void {
    this.#countdown?.stop()
    switch (chunk.type) {
      case 'tool_use':
      case 'tool_parameters':
        this.#thoughtEnded(chunk.parentToolUseId)
        this.#tools.begin(chunk)
        this.#show('Working')
        break
      case 'tool_result':
        this.#toolEnded(this.#tools.end(chunk))
        this.#show('Working')
        break
      case 'status':
        this.#status(chunk)
        break
      case 'permission_request':
        this.#thoughtEnded()
        this.#asked.add(chunk.id)
        this.#stop()
        this.#endLine()
        break
      case 'unparsed':
        this.#unparsed++
        if (this.#options.verbose) {
          this.#line(this.#chalk.dim(`not understood (${chunk.reason}): ${chunk.line}`))
        }
        break
      case 'result':
        this.#thoughtEnded()
        this.#tools.clear()
        // Not streamed: by the user's wish, or because there were no words of a model, as for a slash command.
        if (!this.#answered) {
          this.#text(chunk.content)
        }
        break
      default:
    }
  }

  permissionResolved(resolution: ExecEventData['permission:resolved']): void {
    const { id, tool, behavior, decidedBy } = cleanValue(resolution)
    this.#asked.delete(id)
    if (behavior === 'deny' && decidedBy === 'default') {
      const { yellow, bold } = this.#chalk
      this.#line(
        yellow(
          `${this.#symbols.warning} ${tool} was denied: nobody could be asked. Allow it with ${bold(`--allow ${tool}`)}, or everything with ${bold('--yes')}`,
        ),
      )
    }
  }

  turnCompleted(summary: ExecEventData['turn:completed']): void {
    this.#summary = cleanValue(summary)
  }

  failed(error: ExecError): void {
    this.#stopAll()
    this.#error(error)
    this.#shown = error
    this.#options.out.flush()
    this.#options.err.flush()
  }

  recovering(action: RecoveryAction, provider?: string): void {
    this.#answered = false
    const how = provider === undefined ? RECOVERING[action] : `going on with ${provider}`
    this.#line(this.#chalk.yellow(`${this.#symbols.again} ${how}`))
    this.#show('Starting')
  }

  end({ durationMs, error }: RunEnd): void {
    this.#stopAll()
    if (error && error !== this.#shown) {
      this.#error(error)
    }
    if (this.#summary && (!error || this.#initialized)) {
      this.#summarize(this.#summary, durationMs)
    }
    this.#options.out.flush()
    this.#options.err.flush()
  }

  /** Prints a line about the answer, as it is. */
  tell(line: string): void {
    this.#line(this.#fit(line))
  }

  ready(): Promise<void> | undefined {
    return this.#options.out.ready() ?? this.#options.err.ready()
  }

  #text(content: string): void {
    const { out } = this.#options
    const visible = this.#answered ? content : content.trimStart()
    if (visible === '') {
      return
    }
    this.#thoughtEnded()
    this.#stop()
    if (this.#afterLine) {
      this.#afterLine = false
      this.#options.err.write('\n')
      this.#options.err.flush()
    }
    this.#answered = true
    out.write(visible)
    this.#midLine = !visible.endsWith('\n')
  }

  #toolEnded(rows: readonly string[]): void {
    if (this.#options.tools ?? true) {
      this.#lines(rows)
    }
  }

  /** The model does something else, unless it is a subagent's. */
  #thoughtEnded(parent?: string): void {
    if (this.#thoughts.current === '' || parent !== undefined) {
      return
    }
    const { err } = this.#options
    const columns = err.isTerminal ? err.columns : Number.POSITIVE_INFINITY
    this.#lines(thoughtRows(this.#thoughts.end(), { chalk: this.#chalk, symbols: this.#symbols, columns }))
  }

  #status({ status, detail = {} }: StatusChunk): void {
    switch (status) {
      case 'initialized':
        this.#initialized = true
        this.#model = typeof detail.model === 'string' ? detail.model : this.#model
        break
      case 'requesting':
        this.#show('Waiting for the model')
        break
      case 'compacting':
        this.#show('Compacting the conversation')
        break
      case 'retrying': {
        const { attempt, maxRetries, delayMs, errorStatus, error, code } = detail
        if (typeof code === 'string') {
          this.#tryingAgain(detail)
          break
        }
        const failed =
          errorStatus === undefined ? `failed (${error ?? 'no reason given'})` : `answered ${errorStatus}`
        const wait = typeof delayMs === 'number' ? ` in ${formatDuration(delayMs)}` : ''
        this.#line(
          this.#chalk.yellow(
            `${this.#symbols.again} the model's API ${failed}; retrying${wait} (${attempt}/${maxRetries})`,
          ),
        )
        break
      }
      case 'context':
        break
      case 'resumed':
        if (detail.via === 'context') {
          this.#line(
            this.#chalk.dim('the agent does not know this conversation; it was told what was said last'),
          )
        }
        break
      case 'fallback':
        this.#line(
          this.#chalk.yellow(
            `${this.#symbols.warning} this version of the agent is too old to be spoken to as usual; words come late`,
          ),
        )
        break
      case 'cost_unknown':
        this.#line(this.#chalk.yellow(`${this.#symbols.warning} ${detail.message}`))
        break
      case 'not_saved':
        this.#line(
          this.#chalk.yellow(`${this.#symbols.warning} the conversation cannot be saved: ${detail.message}`),
        )
        break
      case 'abandoned':
        // The detail of an interrupted message says the same, but nothing comes again; the blocks before it are kept then.
        if (!this.#answered || detail.from_block_index !== 0) {
          break
        }
        this.#line(this.#chalk.yellow(`${this.#symbols.again} the stream broke; the answer begins again`))
        break
      default:
        if (this.#options.verbose) {
          this.#line(this.#chalk.dim(`status: ${status}`))
        }
    }
  }

  /** The engine tries the turn again. */
  #tryingAgain({ attempt, maxRetries, delayMs, error, code, how }: Record<string, unknown>): void {
    const wait = typeof delayMs === 'number' ? delayMs : 0
    const goesOn = how === 'continue' ? 'the agent is told to go on' : 'trying again'
    this.#line(
      this.#chalk.yellow(
        `${this.#symbols.again} ${code} ${error}; ${goesOn} in ${formatDuration(wait)} (${attempt}/${maxRetries})`,
      ),
    )
    if (how === 'repeat') {
      this.#answered = false
    }
    this.#countdown = new Countdown(Date.now() + wait, (seconds) => this.#show(`Trying again in ${seconds}s`))
  }

  /** A line cut to the terminal's width, with some columns left over. */
  #fit(line: string, reserved = 0): string {
    const { err } = this.#options
    return err.isTerminal
      ? truncate(line, Math.max(MIN_COLUMNS, err.columns - reserved - 1), this.#symbols.ellipsis)
      : line
  }

  /** Prints a line about the answer. */
  #line(line: string): void {
    this.#stop()
    this.#endLine()
    this.#afterLine = true
    // Two streams, one screen: what was written before must be there before.
    this.#options.out.flush()
    this.#options.err.write(`${line}\n`)
  }

  #lines(rows: readonly string[]): void {
    for (const row of rows) {
      this.#line(row)
    }
  }

  #endLine(): void {
    if (this.#midLine) {
      this.#midLine = false
      this.#options.out.write('\n')
    }
  }

  /** Shows what goes on: the tools at work, or this. */
  #show(activity: string): void {
    const asking = this.#asked.size > 0
    if (this.#indicator === NO_INDICATOR || (!this.#indicator.apart && (this.#midLine || asking))) {
      return
    }
    if (!this.#indicator.apart) {
      this.#options.out.flush()
      this.#options.err.flush()
    }
    if (activity !== this.#activity.title) {
      this.#activity = { title: activity, since: performance.now(), depth: 0 }
    }
    const tools = this.#tools.activities()
    this.#indicator.show(tools.length > 0 ? tools : [this.#activity])
  }

  #stop(): void {
    this.#activity = { title: '', since: 0, depth: 0 }
    this.#countdown?.stop()
    this.#countdown = undefined
    this.#indicator.hide()
  }

  /** Nothing goes on any more. */
  #stopAll(): void {
    this.#thoughtEnded()
    this.#tools.clear()
    this.#stop()
    this.#endLine()
  }

  #error(error: ExecError): void {
    const { red, dim, bold } = this.#chalk
    const { code, message, stderrTail, remedy } = cleanValue({
      code: error.code,
      message: error.message,
      stderrTail: error.stderrTail,
      remedy: error.remedy,
    })
    this.#line(`${red(`${this.#symbols.failed} ${bold(code)}`)} ${message}`)
    if (stderrTail) {
      for (const line of stderrTail.split('\n').slice(-10)) {
        this.#line(dim(`  ${this.#symbols.bar} ${line}`))
      }
    }
    // The messages of the others say what to do.
    if (recoveryChoices(error).length > 1 || NEEDS_REMEDY.has(error.code)) {
      this.#line(dim(`  ${this.#symbols.arrow} ${remedy}`))
    }
  }

  #summarize({ toolsUsed, usage }: ExecEventData['turn:completed'], durationMs: number): void {
    const { summary = 'full' } = this.#options
    if (summary !== 'full') {
      this.#summarizeShortly(summary, usage, durationMs)
      return
    }
    const { dim, blue } = this.#chalk
    const rule = dim(this.#symbols.rule.repeat(Math.min(50, this.#options.err.columns)))
    const rows: Array<[string, string]> = [
      ['Duration', formatDuration(durationMs)],
      ['Tools used', toolsUsed.length > 0 ? toolsUsed.join(', ') : 'none'],
      ['Tokens', tokensText(usage)],
      ['Cost', costText(usage)],
    ]
    if (this.#model) {
      rows.push(['Model', this.#model])
    }
    if (this.#session) {
      rows.push([
        'Session',
        `${this.#session}; go on with locus exec -s ${this.#session} "${this.#symbols.ellipsis}"`,
      ])
    }
    if (this.#unparsed > 0 && this.#options.verbose) {
      rows.push(['Not understood', `${this.#unparsed} lines`])
    }
    this.#line(`\n${rule}`)
    this.#line(blue('Execution Summary'))
    for (const [name, value] of rows) {
      this.#line(dim(`  ${`${name}:`.padEnd(12)}${value}`))
    }
    this.#line(rule)
  }

  #summarizeShortly(summary: 'line' | 'none', usage: Usage, durationMs: number): void {
    if (summary === 'line') {
      const tokens = `${formatTokens(usage.input)} in, ${formatTokens(usage.output)} out`
      const cost = usage.costUsd === undefined ? '' : ` ${this.#symbols.dot} ${costMark(usage)}`
      this.#line(this.#chalk.dim(`${formatDuration(durationMs)} ${this.#symbols.dot} ${tokens}${cost}`))
    }
  }
}

function tokensText({ input, output, cacheRead, cacheWrite, thinking }: Usage): string {
  const thought = thinking ? ` (${formatTokens(thinking)} thinking)` : ''
  const cached = formatTokens(cacheRead + cacheWrite)
  return `${formatTokens(input)} in, ${formatTokens(output)} out${thought}, ${cached} cached`
}
