import type { ChalkInstance } from 'chalk'

import { formatElapsed } from '../format.js'
import type { Activity, Indicator } from '../renderers/indicator.js'
import { lastThoughtRows, type Thoughts } from '../renderers/thoughts.js'
import { cutTo } from './cut-to.js'
import { type Highlighter, MarkdownStream } from './markdown-stream.js'
import type { Screen } from './screen.js'
import { ScreenSink } from './screen-sink.js'
import type { Symbols } from './symbols.js'
import { SPINNER_MS } from './ticker.js'

/** So much of an answer may wait for a frame. A key that is typed meanwhile waits until the terminal has taken it. */
const MAX_PENDING_TEXT = 16 * 1024
/** An activity that is younger does not say how old it is. */
const MIN_ELAPSED_MS = 1000

/** So many rows of a thought are seen while it goes on. */
const THOUGHT_ROWS = 6

/** So many rows are left to the end of the answer, however much goes on. */
const TAIL_ROWS = 3

export interface TurnViewParts {
  screen: Screen
  chalk: ChalkInstance
  symbols: Symbols
  thoughts: Thoughts
  highlighter: () => Highlighter | undefined
}

/**
 * What is seen of a turn where a screen is drawn over: the answer laid out as Markdown, printed line by line, and below it
 * what goes on. It gives rows and draws nothing.
 */
export class TurnView implements Indicator {
  readonly apart = true
  /** Takes the answer. */
  readonly out: ScreenSink
  /** Takes lines about the answer. */
  readonly err: ScreenSink
  readonly #screen: Screen
  readonly #chalk: ChalkInstance
  readonly #symbols: Symbols
  readonly #thoughts: Thoughts
  readonly #answer: MarkdownStream
  #activities: readonly Activity[] = []
  #quietSince = performance.now()

  constructor({ screen, chalk, symbols, thoughts, highlighter }: TurnViewParts) {
    this.#screen = screen
    this.#chalk = chalk
    this.#symbols = symbols
    this.#thoughts = thoughts
    this.#answer = new MarkdownStream({ chalk, highlighter })
    this.out = new ScreenSink(
      screen,
      (text) => this.#text(text),
      () => this.end(),
    )
    this.err = new ScreenSink(screen, (text) => screen.print(text))
  }

  show(activities: readonly Activity[]): void {
    this.#activities = activities
    this.#screen.changed()
  }

  hide(): void {
    if (this.#activities.length > 0) {
      this.rest()
    }
  }

  /** Nothing is known to go on from now on. */
  rest(): void {
    this.#activities = []
    this.#quietSince = performance.now()
    this.#screen.changed()
  }

  /** Ends the line of the answer that is under way: something else is printed next. */
  end(): void {
    this.#screen.print(joined(this.#answer.break(this.#screen.columns)))
  }

  /** The lines of the answer that are complete, to be printed. */
  take(columns: number): string {
    return joined(this.#answer.take(columns))
  }

  /**
   * The rows of the turn, no more than `height`: of what of the answer may still change the last ones, a blank one, and what
   * goes on (`activities` in its place).
   */
  rows(columns: number, height: number, activities?: readonly Activity[]): string[] {
    const tail = this.#answer.tail(columns)
    const below = this.#activityRows(columns, height - 1 - Math.min(TAIL_ROWS, tail.length), activities)
    const room = height - 1 - below.length
    return [...(room > 0 ? tail.slice(-room) : []), '', ...below]
  }

  /** Each on a row; of more than `height` the last ones, and how many there are before them. */
  #activityRows(columns: number, height: number, activities = this.#activities): string[] {
    const all =
      activities.length > 0 ? activities : [{ title: 'Answering', since: this.#quietSince, depth: 0 }]
    const room = Math.max(1, height)
    const shown = all.length > room ? all.slice(all.length - room + 1) : all
    const more = all.length - shown.length
    const rows = shown.map((activity) => cutTo(columns, this.#activityRow(activity), this.#symbols))
    const before = more > 0 ? [this.#chalk.dim(`${this.#symbols.ellipsis} and ${more} more`)] : []
    return [...before, ...rows, ...this.#thoughtRows(columns, room - before.length - rows.length)]
  }

  /** The end of the thought under way, where it is to be seen. */
  #thoughtRows(columns: number, height: number): string[] {
    const { shown, current } = this.#thoughts
    const style = { chalk: this.#chalk, symbols: this.#symbols, columns }
    return shown ? lastThoughtRows(current, Math.min(THOUGHT_ROWS, height), style) : []
  }

  #activityRow({ title, since, depth }: Activity): string {
    const { cyan, dim } = this.#chalk
    const { spinner } = this.#symbols
    const now = performance.now()
    const mark = cyan(spinner[Math.floor(now / SPINNER_MS) % spinner.length] ?? '')
    const elapsed = now - since
    const took = elapsed < MIN_ELAPSED_MS ? '' : dim(` ${formatElapsed(elapsed)}`)
    return `${'  '.repeat(depth)}${mark} ${title}${took}`
  }

  #text(text: string): void {
    this.#answer.push(text)
    if (this.#answer.pending > MAX_PENDING_TEXT) {
      this.#screen.draw()
    } else {
      this.#screen.changed()
    }
  }
}

function joined(rows: string[]): string {
  return rows.map((row) => `${row}\n`).join('')
}
