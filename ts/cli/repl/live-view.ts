import type { Key } from 'node:readline'
import type { ReadStream } from 'node:tty'

import { Chalk, type ChalkInstance } from 'chalk'

import type { PermissionRequestChunk } from '../../chunks.js'
import { oneLine } from '../../context/text.js'
import { cutTo } from '../display/cut-to.js'
import { LazyHighlighter } from '../display/lazy-highlighter.js'
import { type Live, RESTORE, Screen, type ScreenStream } from '../display/screen.js'
import { statusLine } from '../display/status-line.js'
import type { Symbols } from '../display/symbols.js'
import { Ticker } from '../display/ticker.js'
import type { TurnView } from '../display/turn-view.js'
import type { PermissionAnswer } from '../permissions/permission-desk.js'
import { PermissionQuestion } from '../permissions/permission-question.js'
import { CleanText, cleanValue } from '../renderers/clean-text.js'
import type { Renderer } from '../renderers/renderer.js'
import { Thoughts, thoughtRows } from '../renderers/thoughts.js'
import type { Completer } from './completion.js'
import { inputRows } from './input-box.js'
import type { InputHistory } from './input-history.js'
import { applyKey } from './keys.js'
import { LineEditor } from './line-editor.js'
import { RESTORE_INPUT, TerminalInput } from './terminal-input.js'
import type { ReplListener, ReplState, ReplView } from './view.js'

/** Any time that is long. */
const SUSPENDED_MS = 86_400_000
const MAX_QUEUE_ROWS = 4

/** What the live view is made of. */
export interface LiveViewParts {
  stdin: ReadStream
  stdout: ScreenStream
  /** What was typed before. */
  history: InputHistory
  /** Told what is sent. */
  remember(text: string): void
  complete: Completer
  symbols: Symbols
  /** Whether there is a status line. */
  status: boolean
}

interface OpenQuestion {
  question: PermissionQuestion
  /** Whether keys answer it: not while somebody is typing something else, who would answer without having read it. */
  armed: boolean
  answer(answer: PermissionAnswer): void
}

interface OpenConfirmation {
  question: string
  answer(yes: boolean): void
}

/** What shows a turn: most of the code of the display, which the prompt does not wait for. */
async function loadTurn() {
  const { TurnView } = await import('../display/turn-view.js')
  const { TerminalRenderer } = await import('../renderers/terminal.js')
  return { TurnView, TerminalRenderer }
}

/**
 * The interactive mode in a terminal: what was said above, below it what goes on, what is queued, what is typed, and the
 * status. It owns the terminal's keys and its screen.
 */
export class LiveView implements ReplView {
  readonly colors = true
  readonly attended = true
  readonly #parts: LiveViewParts
  readonly #chalk: ChalkInstance = new Chalk({ level: 1 })
  readonly #screen: Screen
  readonly #editor = new LineEditor()
  readonly #onExit = () => this.#restore()
  #input: TerminalInput | undefined
  #state: ReplState | undefined
  #listener: ReplListener | undefined
  #turn: TurnView | undefined
  #ticker: Ticker | undefined
  readonly #thoughts = new Thoughts(false)
  #verbose = false
  #options: readonly string[] = []
  #question: OpenQuestion | undefined
  #confirmation: OpenConfirmation | undefined
  readonly #highlighter = new LazyHighlighter(this.#chalk)

  constructor(parts: LiveViewParts) {
    this.#parts = parts
    this.#screen = new Screen(parts.stdout, (columns, rows) => this.#compose(columns, rows))
  }

  get columns(): number {
    return this.#screen.columns
  }

  start(state: ReplState, listener: ReplListener): void {
    this.#state = state
    this.#listener = listener
    process.once('exit', this.#onExit)
    this.#input = new TerminalInput(this.#parts.stdin, (text) => this.#parts.stdout.write(text), {
      key: (character, key) => this.#key(character, key),
      pasted: (text) => this.#pasted(text),
      closed: () => listener.hungUp(),
    })
    this.#screen.draw()
    // While nothing is typed yet; who types first waits for no more than a turn would.
    setImmediate(loadTurn)
    this.#highlighter.load()
  }

  note(lines: string): void {
    this.#turn?.end()
    this.#screen.print(`${lines}\n`)
  }

  echo(text: string): void {
    const line = cleanValue(text)
    const { cyan, bold } = this.#chalk
    const { columns } = this.#screen
    const { rows } = inputRows(line.trimEnd(), -1, {
      mark: `${cyan(bold(this.#parts.symbols.prompt))} `,
      columns,
      height: Number.MAX_SAFE_INTEGER,
    })
    this.note(`\n${rows.join('\n')}`)
  }

  giveBack(text: string): void {
    const typed = this.#editor.text
    this.#editor.set(typed === '' ? text : `${text}\n${typed}`)
    this.changed()
  }

  changed(): void {
    const busy = this.#state?.busy ?? false
    if (busy !== (this.#ticker !== undefined)) {
      this.#turn?.rest()
      this.#ticker?.stop()
      this.#ticker = busy ? new Ticker(this.#screen) : undefined
    }
    this.#screen.changed()
  }

  clear(): void {
    this.#screen.clear()
  }

  async renderer(verbose: boolean): Promise<Renderer> {
    const { TurnView, TerminalRenderer } = await loadTurn()
    if (verbose !== this.#verbose) {
      this.#verbose = verbose
      this.#thoughts.shown = verbose
    }
    const thoughts = this.#thoughts
    const turn = new TurnView({
      ...{ screen: this.#screen, chalk: this.#chalk, symbols: this.#parts.symbols, thoughts },
      highlighter: () => this.#highlighter.ready,
    })
    this.#turn = turn
    return new TerminalRenderer({
      ...{ out: turn.out, err: turn.err, indicator: turn, stream: true, colors: true, verbose },
      ...{ symbols: this.#parts.symbols, summary: 'line', thoughts, grouped: true },
    })
  }

  askPermission(request: PermissionRequestChunk, signal: AbortSignal): Promise<PermissionAnswer> {
    const question = new PermissionQuestion(request)
    const { columns, rows } = this.#screen
    this.note(question.lines(this.#chalk, this.#parts.symbols, { columns, rows }).join('\n'))
    return new Promise((resolve, reject) => {
      const settle = () => {
        this.#question = undefined
        this.#screen.changed()
      }
      this.#question = {
        question,
        armed: this.#editor.text === '',
        answer: (answer) => {
          settle()
          this.note(this.#verdict(answer))
          resolve(answer)
        },
      }
      signal.addEventListener('abort', () => {
        settle()
        reject(signal.reason)
      })
      this.#screen.changed()
    })
  }

  confirm(question: string): Promise<boolean> {
    return new Promise((resolve) => {
      this.#confirmation = {
        question,
        answer: (yes) => {
          this.#confirmation = undefined
          this.#screen.changed()
          resolve(yes)
        },
      }
      this.#screen.draw()
    })
  }

  close(): void {
    this.#ticker?.stop()
    this.#confirmation?.answer(true)
    this.#input?.close()
    this.#screen.close()
    process.off('exit', this.#onExit)
  }

  /** For an end that nobody has announced. */
  #restore(): void {
    this.#input?.close()
    this.#parts.stdout.write(`${RESTORE_INPUT}${RESTORE}\n`)
  }

  #verdict(answer: PermissionAnswer): string {
    const { green, red } = this.#chalk
    const { ok, failed } = this.#parts.symbols
    switch (answer.kind) {
      case 'once':
        return green(`  ${ok} allowed`)
      case 'always':
        return green(`  ${ok} allowed, and always in this conversation`)
      case 'deny':
        return red(answer.reason === '' ? `  ${failed} denied` : `  ${failed} denied: ${answer.reason}`)
    }
  }

  #key(character: string | undefined, key: Key): void {
    if (key.ctrl && key.name === 'c') {
      this.#interrupted()
    } else if (this.#confirmation) {
      this.#confirmed(this.#confirmation, character, key)
    } else if (this.#question?.armed) {
      const { question } = this.#question
      const answer = question.key(character, key)
      if (answer === 'show') {
        this.note(question.lines(this.#chalk, this.#parts.symbols).join('\n'))
      } else if (answer) {
        this.#question.answer(answer)
      }
    } else {
      this.#listener?.otherKey()
      this.#typed(character, key)
    }
    this.#screen.draw()
  }

  #interrupted(): void {
    this.#options = []
    if (this.#confirmation) {
      this.#confirmation.answer(true)
    } else if (this.#editor.text !== '' && !this.#state?.turning) {
      this.#editor.take()
    } else {
      this.#listener?.interrupt()
    }
  }

  #confirmed(confirmation: OpenConfirmation, character: string | undefined, key: Key): void {
    const answer = character?.toLowerCase()
    if (answer === 'y' || key.name === 'return' || (key.ctrl && key.name === 'd')) {
      confirmation.answer(true)
    } else if (answer === 'n') {
      confirmation.answer(false)
    }
  }

  #typed(character: string | undefined, key: Key): void {
    this.#options = []
    const request = applyKey(this.#editor, character, key)
    switch (request) {
      case 'submit':
        this.#submit()
        break
      case 'end':
        this.#listener?.end()
        break
      case 'older':
        this.#older()
        break
      case 'newer': {
        const entry = this.#parts.history.newer()
        if (entry !== undefined) {
          this.#editor.set(entry)
        }
        break
      }
      case 'complete':
        this.#complete()
        break
      case 'clear':
        this.clear()
        break
      case 'suspend':
        this.#suspend()
        break
      case 'thoughts':
        this.#toggleThoughts()
        break
      case 'escape':
        this.#armQuestion()
        break
      default:
    }
  }

  #toggleThoughts(): void {
    const missed = this.#thoughts.toggle()
    const { columns } = this.#screen
    const rows = thoughtRows(missed, { chalk: this.#chalk, symbols: this.#parts.symbols, columns })
    if (rows.length > 0) {
      this.note(rows.join('\n'))
    }
    this.#options = [this.#thoughts.shown ? 'thoughts are shown; Ctrl+O hides them' : 'thoughts are hidden']
  }

  #armQuestion(): void {
    if (this.#question) {
      this.#question.armed = true
    }
  }

  #submit(): void {
    this.#armQuestion()
    const text = this.#editor.take()
    if (text.trim() !== '' && this.#parts.history.add(text)) {
      this.#parts.remember(text)
    }
    this.#listener?.submit(text)
  }

  #older(): void {
    const queued = this.#editor.text === '' ? this.#listener?.takeBack() : undefined
    const entry = queued ?? this.#parts.history.older(this.#editor.text)
    if (entry !== undefined) {
      this.#editor.set(entry)
    }
  }

  #complete(): void {
    const { text, caret } = this.#editor
    const completion = this.#parts.complete(text.slice(0, caret))
    if (completion) {
      this.#editor.replaceBack(completion.from, completion.text)
      this.#options = completion.options
    }
  }

  #pasted(text: string): void {
    const clean = new CleanText().push(text.replace(/\r\n?/g, '\n'))
    const editor = this.#question?.armed ? this.#question.question.reason : this.#editor
    editor?.insert(clean)
    this.#screen.draw()
  }

  /** Ctrl+Z: gives the terminal back to the shell until it says to go on. */
  #suspend(): void {
    if (process.platform === 'win32') {
      return
    }
    this.#input?.pause()
    this.#screen.pause()
    // With its keys let go, nothing else may hold the program when it goes on, and it would end before it hears of that.
    const held = setInterval(() => {}, SUSPENDED_MS)
    process.once('SIGCONT', () => {
      clearInterval(held)
      this.#input?.resume()
      this.#screen.resume()
    })
    process.kill(process.pid, 'SIGTSTP')
  }

  #compose(columns: number, height: number): Live {
    const printed = this.#turn?.take(columns) ?? ''
    const cut = (row: string) => cutTo(columns, row, this.#parts.symbols)
    const input = this.#inputRows(columns, height)
    const below = [...this.#optionRows(cut), ...this.#lastRows(columns, cut)]
    const queue = this.#queueRows(cut)
    const left = height - 2 - input.rows.length - below.length - queue.length
    const before = [...this.#turnRows(columns, left, cut), ...queue]
    return {
      printed,
      rows: [...before, ...input.rows, ...below],
      caret: { row: before.length + input.caret.row, column: input.caret.column },
    }
  }

  #inputRows(columns: number, height: number) {
    const { cyan, red, bold } = this.#chalk
    const reason = this.#question?.question.reason
    const layout = { columns, height: Math.max(1, Math.floor(height / 2)) }
    if (this.#confirmation) {
      return inputRows('', 0, { ...layout, mark: `${this.#confirmation.question} [Y/n] ` })
    }
    if (reason) {
      return inputRows(reason.text, reason.caret, { ...layout, mark: `${red('why?')} ` })
    }
    if (this.#question?.armed) {
      return inputRows('', 0, {
        ...layout,
        mark: `${this.#question.question.choices(this.#chalk, columns)} `,
      })
    }
    return inputRows(this.#editor.text, this.#editor.caret, {
      ...layout,
      mark: `${cyan(bold(this.#parts.symbols.prompt))} `,
    })
  }

  /** What is seen of the turn, with a blank row between what was said and all that is below it. */
  #turnRows(columns: number, height: number, cut: (row: string) => string): string[] {
    if (this.#question) {
      const { question } = this.#parts.symbols
      return this.#question.armed
        ? ['']
        : ['', cut(this.#chalk.yellow(`${question} press Esc to answer the question above`))]
    }
    if (!this.#state?.busy || !this.#turn) {
      return ['']
    }
    const interrupting = [{ title: 'Interrupting', since: performance.now(), depth: 0 }]
    return this.#turn.rows(columns, height, this.#state.interrupting ? interrupting : undefined)
  }

  #queueRows(cut: (row: string) => string): string[] {
    const { dim } = this.#chalk
    const queue = this.#state?.queue ?? []
    const rows = queue
      .slice(0, MAX_QUEUE_ROWS)
      .map((line) => cut(dim(`  then: ${oneLine(cleanValue(line))}`)))
    const more = queue.length - rows.length
    return more > 0 ? [...rows, dim(`  ${this.#parts.symbols.ellipsis} and ${more} more`)] : rows
  }

  #optionRows(cut: (row: string) => string): string[] {
    return this.#options.length > 0 ? [cut(this.#chalk.dim(`  ${this.#options.join('  ')}`))] : []
  }

  #lastRows(columns: number, cut: (row: string) => string): string[] {
    if (!this.#state) {
      return []
    }
    if (this.#state.notice !== undefined) {
      return [cut(this.#chalk.yellow(this.#state.notice))]
    }
    return this.#parts.status
      ? [statusLine(this.#state.status, columns, this.#chalk, this.#parts.symbols)]
      : []
  }
}
