import { Chalk, type ChalkInstance } from 'chalk'
import truncate from 'cli-truncate'

import type { StatusChunk, StreamChunk, ToolResultChunk, Usage } from '../../chunks.js'
import { type RecoveryAction, recoveryChoices } from '../../error-handler.js'
import type { ExecError } from '../../errors.js'
import type { ExecEventData } from '../../events.js'
import { costMark, costText, formatDuration, formatTokens } from '../format.js'
import type { TextSink } from '../output.js'
import { SHORT_ID } from '../short-id.js'
import { CleanText, cleanValue } from './clean-text.js'
import { Countdown } from './countdown.js'
import { type Indicator, NO_INDICATOR } from './indicator.js'
import type { Renderer, RunEnd, RunStart } from './renderer.js'
import { toolOutcome, toolTitle } from './tool-display.js'

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
  verbose: boolean
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

interface RunningTool {
  title: string
  id: string
}

/**
 * Shows a run to a person: the answer on stdout, everything about it on stderr, so that a pipe gets the answer alone.
 * Both may be the same terminal: one cursor, which is kept track of.
 */
export class TerminalRenderer implements Renderer {
  readonly #options: TerminalOptions
  readonly #chalk: ChalkInstance
  readonly #tools = new Map<string, RunningTool>()
  readonly #answer = new CleanText()
  readonly #indicator: Indicator
  /** The questions for permission that somebody is thinking about. */
  readonly #asked = new Set<string>()
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
    this.#indicator = options.indicator ?? NO_INDICATOR
  }

  start({ model, sessionId, saved }: RunStart): void {
    this.#model = model
    this.#session = saved ? sessionId.slice(0, SHORT_ID) : undefined
    this.#show('Starting')
  }

  chunk(chunk: StreamChunk): void {
    if (chunk.type === 'text_delta') {
      // A subagent talks to the main agent, not to the user.
      if (this.#options.stream && chunk.parentToolUseId === undefined) {
        this.#text(this.#answer.push(chunk.content))
      }
      return
    }
    this.#aboutTheAnswer(cleanValue(chunk))
  }

  /** Shows a chunk whose texts are clean. */
  #aboutTheAnswer(chunk: Exclude<StreamChunk, { type: 'text_delta' }>): void {
    this.#countdown?.stop()
    switch (chunk.type) {
      case 'thinking':
        this.#show('Thinking')
        break
      case 'tool_use':
        this.#show(this.#titleOf(chunk.tool))
        break
      case 'tool_parameters': {
        const title = this.#titleOf(chunk.tool, chunk.parameters)
        this.#tools.set(chunk.id, { id: chunk.id, title })
        this.#show(title)
        break
      }
      case 'tool_result':
        this.#toolResult(chunk)
        break
      case 'status':
        this.#status(chunk)
        break
      case 'permission_request':
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
          `⚠ ${tool} was denied: nobody could be asked. Allow it with ${bold(`--allow ${tool}`)}, or everything with ${bold('--yes')}`,
        ),
      )
    }
  }

  turnCompleted(summary: ExecEventData['turn:completed']): void {
    this.#summary = cleanValue(summary)
  }

  failed(error: ExecError): void {
    this.#stop()
    this.#endLine()
    this.#error(error)
    this.#shown = error
    this.#options.out.flush()
    this.#options.err.flush()
  }

  recovering(action: RecoveryAction, provider?: string): void {
    this.#answered = false
    const how = provider === undefined ? RECOVERING[action] : `going on with ${provider}`
    this.#line(this.#chalk.yellow(`↻ ${how}`))
    this.#show('Starting')
  }

  end({ durationMs, error }: RunEnd): void {
    this.#stop()
    this.#endLine()
    if (error && error !== this.#shown) {
      this.#error(error)
    }
    if (this.#summary && (!error || this.#initialized)) {
      this.#summarize(this.#summary, durationMs)
    }
    this.#options.out.flush()
    this.#options.err.flush()
  }

  ready(): Promise<void> | undefined {
    return this.#options.out.ready() ?? this.#options.err.ready()
  }

  #titleOf(tool: string, parameters?: Record<string, unknown>): string {
    const { icon, message, detail } = toolTitle(tool, parameters)
    return detail === '' ? `${icon} ${message}` : `${icon} ${message} ${this.#chalk.dim(detail)}`
  }

  #text(content: string): void {
    const { out } = this.#options
    const visible = this.#answered ? content : content.trimStart()
    if (visible === '') {
      return
    }
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

  #toolResult(chunk: ToolResultChunk): void {
    const title = this.#tools.get(chunk.id)?.title ?? this.#titleOf(chunk.tool)
    this.#tools.delete(chunk.id)
    const { green, red, dim } = this.#chalk
    const mark = chunk.success ? green('✓') : red('✗')
    const indent = chunk.parentToolUseId === undefined ? '' : '  '
    const duration = dim(` (${formatDuration(chunk.duration)})`)
    this.#line(
      `${this.#fit(`${indent}${mark} ${title}`, 2 + formatDuration(chunk.duration).length)}${duration}`,
    )
    for (const line of toolOutcome(chunk)) {
      this.#line(this.#fit(`${indent}  ${chunk.success ? dim(`│ ${line}`) : red(`│ ${line}`)}`))
    }
    this.#show('Working')
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
          this.#chalk.yellow(`↻ the model's API ${failed}; retrying${wait} (${attempt}/${maxRetries})`),
        )
        break
      }
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
            '⚠ this version of the agent is too old to be spoken to as usual; words come late',
          ),
        )
        break
      case 'cost_unknown':
        this.#line(this.#chalk.yellow(`⚠ ${detail.message}`))
        break
      case 'not_saved':
        this.#line(this.#chalk.yellow(`⚠ the conversation cannot be saved: ${detail.message}`))
        break
      case 'abandoned':
        // The detail of an interrupted message says the same, but nothing comes again; the blocks before it are kept then.
        if (!this.#answered || detail.from_block_index !== 0) {
          break
        }
        this.#line(this.#chalk.yellow('↻ the stream broke; the answer begins again'))
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
        `↻ ${code} ${error}; ${goesOn} in ${formatDuration(wait)} (${attempt}/${maxRetries})`,
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
    return err.isTerminal ? truncate(line, Math.max(20, err.columns - reserved - 1)) : line
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
    const tools = [...this.#tools.values()].map(({ title }) => title)
    this.#indicator.show(tools.length > 0 ? tools : [activity])
  }

  #stop(): void {
    this.#countdown?.stop()
    this.#countdown = undefined
    this.#indicator.hide()
  }

  #error(error: ExecError): void {
    const { red, dim, bold } = this.#chalk
    const { code, message, stderrTail, remedy } = cleanValue({
      code: error.code,
      message: error.message,
      stderrTail: error.stderrTail,
      remedy: error.remedy,
    })
    this.#line(`${red(`✗ ${bold(code)}`)} ${message}`)
    if (stderrTail) {
      for (const line of stderrTail.split('\n').slice(-10)) {
        this.#line(dim(`  │ ${line}`))
      }
    }
    // The messages of the others say what to do.
    if (recoveryChoices(error).length > 1) {
      this.#line(dim(`  → ${remedy}`))
    }
  }

  #summarize({ toolsUsed, usage }: ExecEventData['turn:completed'], durationMs: number): void {
    const { summary = 'full' } = this.#options
    if (summary !== 'full') {
      this.#summarizeShortly(summary, usage, durationMs)
      return
    }
    const { dim, blue } = this.#chalk
    const rule = dim('─'.repeat(Math.min(50, this.#options.err.columns)))
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
      rows.push(['Session', `${this.#session}; go on with locus exec -s ${this.#session} "…"`])
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
      const cost = usage.costUsd === undefined ? '' : ` · ${costMark(usage)}`
      this.#line(this.#chalk.dim(`${formatDuration(durationMs)} · ${tokens}${cost}`))
    }
  }
}

function tokensText({ input, output, cacheRead, cacheWrite, thinking }: Usage): string {
  const thought = thinking ? ` (${formatTokens(thinking)} thinking)` : ''
  const cached = formatTokens(cacheRead + cacheWrite)
  return `${formatTokens(input)} in, ${formatTokens(output)} out${thought}, ${cached} cached`
}
