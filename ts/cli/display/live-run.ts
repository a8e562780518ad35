import { Chalk } from 'chalk'

import type { StreamChunk } from '../../chunks.js'
import { oneLine } from '../../context/text.js'
import type { RecoveryAction } from '../../error-handler.js'
import type { ExecError } from '../../errors.js'
import type { ExecEventData } from '../../events.js'
import { addUsage, NO_USAGE } from '../../usage.js'
import { cleanValue } from '../renderers/clean-text.js'
import type { Renderer, RunEnd, RunStart } from '../renderers/renderer.js'
import { TerminalRenderer } from '../renderers/terminal.js'
import { Thoughts } from '../renderers/thoughts.js'
import { SHORT_ID } from '../short-id.js'
import { Checklist } from './checklist.js'
import { boxRows } from './checklist-box.js'
import { cutTo } from './cut-to.js'
import { LazyHighlighter } from './lazy-highlighter.js'
import { type Live, RESTORE, Screen, type ScreenStream } from './screen.js'
import { contextOf, type StatusFacts, statusLine } from './status-line.js'
import type { Symbols } from './symbols.js'
import { Ticker } from './ticker.js'
import { TurnView } from './turn-view.js'

export interface LiveRunOptions {
  stdout: ScreenStream
  /** Show the answer while it is made, or at its end. */
  stream: boolean
  verbose: boolean
  symbols: Symbols
  /** Whether there is a status line. */
  status: boolean
  /** Whether the agent's list of things to do is shown in a box, and the answer below it. */
  box: boolean
}

/**
 * Shows a single run in a terminal that both streams lead to: the answer laid out as Markdown while it comes, below it what
 * goes on. It owns the screen from the start of the run to its end and takes no keys: they are the terminal's.
 */
export class LiveRun implements Renderer {
  readonly #options: LiveRunOptions
  readonly #chalk = new Chalk({ level: 1 })
  readonly #highlighter = new LazyHighlighter(this.#chalk)
  readonly #screen: Screen
  readonly #turn: TurnView
  readonly #inner: TerminalRenderer
  readonly #onExit = () => this.#options.stdout.write(`${RESTORE}\n`)
  readonly #onSuspend = () => this.#suspend()
  #ticker: Ticker | undefined
  #facts: StatusFacts | undefined
  /** What the turns used that are over. */
  #used = NO_USAGE
  #started = 0
  readonly #checklist = new Checklist()
  #task = ''
  /** Whether the box is drawn, and not yet printed. */
  #boxed: boolean

  constructor(options: LiveRunOptions) {
    this.#options = options
    const { stdout, symbols, verbose, box } = options
    this.#boxed = box
    this.#screen = new Screen(stdout, (columns, rows) => this.#compose(columns, rows))
    const thoughts = new Thoughts(verbose)
    this.#turn = new TurnView({
      ...{ screen: this.#screen, chalk: this.#chalk, symbols, thoughts },
      highlighter: () => this.#highlighter.ready,
    })
    const { out, err } = this.#turn
    this.#inner = new TerminalRenderer({
      ...{ out, err, indicator: this.#turn, verbose, symbols, colors: true },
      ...{ thoughts, grouped: true, stream: options.stream && !box, tools: !box || verbose },
    })
  }

  start(run: RunStart): void {
    const { provider, model, saved, sessionId } = run
    this.#started = performance.now()
    this.#task = oneLine(cleanValue(run.prompt ?? ''))
    this.#facts = {
      ...{ provider, model, session: saved ? sessionId.slice(0, SHORT_ID) : undefined },
      ...{ used: NO_USAGE, context: undefined, elapsedMs: 0 },
    }
    process.once('exit', this.#onExit)
    if (process.platform !== 'win32') {
      process.on('SIGTSTP', this.#onSuspend)
    }
    this.#ticker = new Ticker(this.#screen)
    this.#inner.start(run)
    this.#screen.draw()
    this.#highlighter.load()
  }

  chunk(chunk: StreamChunk): void {
    if (this.#facts) {
      this.#learn(chunk, this.#facts)
    }
    if (this.#boxed) {
      this.#list(chunk)
    }
    this.#inner.chunk(chunk)
  }

  permissionResolved(resolution: ExecEventData['permission:resolved']): void {
    this.#inner.permissionResolved(resolution)
  }

  turnCompleted(summary: ExecEventData['turn:completed']): void {
    this.#used = addUsage(this.#used, summary.usage)
    this.#inner.turnCompleted(summary)
  }

  failed(error: ExecError): void {
    this.#inner.failed(error)
    // Somebody is asked how to go on.
    this.#screen.pause()
  }

  recovering(action: RecoveryAction): void {
    this.#screen.resume()
    this.#inner.recovering(action)
  }

  end(run: RunEnd): void {
    this.#printBox()
    this.#inner.end(run)
    this.#ticker?.stop()
    this.#screen.close()
    process.off('exit', this.#onExit)
    process.off('SIGTSTP', this.#onSuspend)
  }

  readonly lend = async <T>(ask: () => Promise<T>): Promise<T> => {
    // What was said before the question is on its way to here.
    await new Promise((resolve) => setImmediate(resolve))
    this.#turn.end()
    this.#screen.pause()
    try {
      return await ask()
    } finally {
      this.#screen.resume()
    }
  }

  ready(): Promise<void> | undefined {
    return this.#inner.ready()
  }

  /** What the box tells; before the answer it is printed. A turn that failed may be tried again. */
  #list(chunk: StreamChunk): void {
    if (this.#checklist.observe(chunk, performance.now())) {
      this.#screen.changed()
    }
    if (chunk.type === 'result' && chunk.success) {
      this.#printBox()
    }
  }

  /** What the status line tells. */
  #learn(chunk: StreamChunk, facts: StatusFacts): void {
    if (chunk.type === 'usage') {
      const { type: _, ...usage } = chunk
      facts.used = addUsage(this.#used, usage)
    } else if (chunk.type === 'status') {
      const { status, detail } = chunk
      facts.model = typeof detail?.model === 'string' ? detail.model : facts.model
      facts.context = status === 'context' ? contextOf(detail) : facts.context
    }
  }

  #compose(columns: number, height: number): Live {
    const { symbols, status } = this.#options
    const printed = this.#turn.take(columns)
    const facts = this.#facts && { ...this.#facts, elapsedMs: performance.now() - this.#started }
    const below =
      status && facts ? [cutTo(columns, statusLine(facts, columns, this.#chalk, symbols), symbols)] : []
    const room = height - below.length - 1
    // A blank row and a tool at work are seen below it, too.
    const box = this.#boxed ? this.#boxRows(columns, room - 2) : []
    return { printed, rows: [...box, ...this.#turn.rows(columns, room - box.length), ...below] }
  }

  #boxRows(columns: number, height: number): string[] {
    const now = performance.now()
    return boxRows(
      this.#checklist,
      { task: this.#task, elapsedMs: now - this.#started, remainingMs: this.#checklist.remainingMs(now) },
      { columns, height },
      { chalk: this.#chalk, symbols: this.#options.symbols },
    )
  }

  /** Leaves the box as it is now: nothing more will be done. */
  #printBox(): void {
    if (this.#boxed && this.#checklist.items.length > 0) {
      const rows = this.#boxRows(this.#screen.columns, Number.POSITIVE_INFINITY)
      this.#screen.print(`${rows.join('\n')}\n\n`)
    }
    this.#boxed = false
  }

  /** Ctrl+Z: gives the terminal back to the shell until it says to go on. */
  #suspend(): void {
    this.#screen.pause()
    process.once('SIGCONT', () => this.#screen.resume())
    process.kill(process.pid, 'SIGSTOP')
  }
}
