import type { Key } from 'node:readline'
import type { ReadStream } from 'node:tty'

import { Chalk, type ChalkInstance } from 'chalk'
import truncate from 'cli-truncate'

import type { PermissionRequestChunk } from '../../chunks.js'
import { oneLine } from '../../context/text.js'
import { type Highlighter, MarkdownStream } from '../display/markdown-stream.js'
import { type Live, RESTORE, Screen, type ScreenStream } from '../display/screen.js'
import { ScreenSink } from '../display/screen-sink.js'
import { formatDuration } from '../format.js'
import type { PermissionAnswer } from '../permissions/permission-desk.js'
import { PermissionQuestion } from '../permissions/permission-question.js'
import { CleanText, cleanValue } from '../renderers/clean-text.js'
import type { Indicator } from '../renderers/indicator.js'
import type { Renderer } from '../renderers/renderer.js'
import { TerminalRenderer } from '../renderers/terminal.js'
import type { Completer } from './completion.js'
import { inputRows } from './input-box.js'
import type { InputHistory } from './input-history.js'
import { applyKey } from './keys.js'
import { LineEditor } from './line-editor.js'
import { statusLine } from './status-line.js'
import { RESTORE_INPUT, TerminalInput } from './terminal-input.js'
import type { ReplListener, ReplState, ReplView } from './view.js'

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const SPINNER_MS = 80
const MAX_ACTIVITIES = 5
const MAX_QUEUE_ROWS = 4
/** So much of an answer may wait for a frame. A key that is typed meanwhile waits until the terminal has taken it. */
const MAX_PENDING_TEXT = 16 * 1024

/** What the live view is made of. */
export interface LiveViewParts {
  stdin: ReadStream
  stdout: ScreenStream
  /** What was typed before. */
  history: InputHistory
  /** Told what is sent. */
  remember(text: string): void
  complete: Completer
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
  #answer: MarkdownStream | undefined
  #activities: readonly string[] = []
  #activeSince = 0
  #spinner: NodeJS.Timeout | undefined
  #options: readonly string[] = []
  #question: OpenQuestion | undefined
  #confirmation: OpenConfirmation | undefined
  #highlighter: Highlighter | undefined

  constructor(parts: LiveViewParts) {
    this.#parts = parts
    this.#screen = new Screen(parts.stdout, (columns, rows) => this.#compose(columns, rows))
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
    void this.#loadHighlighter()
  }

  note(lines: string): void {
    this.#screen.print(`${this.#answerRows()}${lines}\n`)
  }

  echo(text: string): void {
    const line = cleanValue(text)
    const { cyan, bold } = this.#chalk
    const { columns } = this.#screen
    const { rows } = inputRows(line.trimEnd(), -1, {
      mark: `${cyan(bold('❯'))} `,
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
    if (this.#state?.busy && !this.#spinner) {
      this.#activeSince = performance.now()
      this.#spinner = setInterval(() => this.#screen.changed(), SPINNER_MS)
    } else if (!this.#state?.busy) {
      clearInterval(this.#spinner)
      this.#spinner = undefined
      this.#activities = []
    }
    this.#screen.changed()
  }

  clear(): void {
    this.#screen.clear()
  }

  renderer(verbose: boolean): Renderer {
    const answer = new MarkdownStream({ chalk: this.#chalk, highlighter: () => this.#highlighter })
    this.#answer = answer
    const screen = this.#screen
    const out = new ScreenSink(
      screen,
      (text) => {
        answer.push(text)
        if (answer.pending > MAX_PENDING_TEXT) {
          screen.draw()
        } else {
          screen.changed()
        }
      },
      () => screen.print(this.#answerRows()),
    )
    const err = new ScreenSink(screen, (text) => screen.print(text))
    const indicator: Indicator = {
      apart: true,
      show: (activities) => this.#showActivities(activities),
      hide: () => this.#showActivities([]),
    }
    return new TerminalRenderer({ out, err, stream: true, indicator, colors: true, verbose, summary: 'line' })
  }

  askPermission(request: PermissionRequestChunk, signal: AbortSignal): Promise<PermissionAnswer> {
    const question = new PermissionQuestion(request)
    this.note(question.lines(this.#chalk).join('\n'))
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
    clearInterval(this.#spinner)
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

  async #loadHighlighter(): Promise<void> {
    // After the first frame: nobody waits for colours to begin typing.
    await new Promise((resolve) => setImmediate(resolve))
    const { createHighlighter } = await import('../display/highlight.js')
    this.#highlighter = createHighlighter(this.#chalk)
  }

  #verdict(answer: PermissionAnswer): string {
    const { green, red } = this.#chalk
    switch (answer.kind) {
      case 'once':
        return green('  ✓ allowed')
      case 'always':
        return green('  ✓ allowed, and always in this conversation')
      case 'deny':
        return red(answer.reason === '' ? '  ✗ denied' : `  ✗ denied: ${answer.reason}`)
    }
  }

  #showActivities(activities: readonly string[]): void {
    if (activities.join('\n') !== this.#activities.join('\n')) {
      this.#activeSince = performance.now()
      this.#activities = activities
      this.#screen.changed()
    }
  }

  #key(character: string | undefined, key: Key): void {
    if (key.ctrl && key.name === 'c') {
      this.#interrupted()
    } else if (this.#confirmation) {
      this.#confirmed(this.#confirmation, character, key)
    } else if (this.#question?.armed) {
      const answer = this.#question.question.key(character, key)
      if (answer) {
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
      case 'escape':
        this.#armQuestion()
        break
      default:
    }
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
    this.#parts.stdout.write(RESTORE)
    process.once('SIGCONT', () => {
      this.#input?.resume()
      this.#screen.forget()
      this.#screen.draw()
    })
    process.kill(process.pid, 'SIGTSTP')
  }

  /** What is left of the answer, before something else is printed. */
  #answerRows(): string {
    return joined(this.#answer?.break(this.#screen.columns) ?? [])
  }

  #compose(columns: number, height: number): Live {
    const printed = joined(this.#answer?.take(columns) ?? [])
    const cut = (row: string) => truncate(row, Math.max(4, columns - 1))
    const input = this.#inputRows(columns, height)
    const below = [...this.#optionRows(cut), ...this.#lastRows(columns, cut)]
    const above = [...this.#activityRows(cut), ...this.#queueRows(cut)]
    const room = Math.max(0, height - 3 - input.rows.length - below.length - above.length)
    const tail = this.#answer?.tail(columns).slice(-room || Number.POSITIVE_INFINITY) ?? []
    // A blank row keeps what goes on apart from what was said.
    const before = [...(room > 0 ? tail : []), '', ...above]
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
      return inputRows('', 0, { ...layout, mark: `${this.#question.question.choices(this.#chalk)} ` })
    }
    return inputRows(this.#editor.text, this.#editor.caret, { ...layout, mark: `${cyan(bold('❯'))} ` })
  }

  #activityRows(cut: (row: string) => string): string[] {
    if (this.#question) {
      return this.#question.armed
        ? []
        : [cut(this.#chalk.yellow('⚡ press Esc to answer the question above'))]
    }
    if (!this.#state?.busy) {
      return []
    }
    const { cyan, dim } = this.#chalk
    const elapsed = performance.now() - this.#activeSince
    const mark = cyan(SPINNER[Math.floor(performance.now() / SPINNER_MS) % SPINNER.length] ?? '')
    const took = elapsed >= 1000 ? dim(` ${formatDuration(Math.floor(elapsed / 1000) * 1000)}`) : ''
    const activities = this.#state.interrupting
      ? ['Interrupting']
      : this.#activities.length > 0
        ? this.#activities.slice(-MAX_ACTIVITIES)
        : ['Answering']
    return activities.map((activity) => cut(`${mark} ${activity}${took}`))
  }

  #queueRows(cut: (row: string) => string): string[] {
    const { dim } = this.#chalk
    const queue = this.#state?.queue ?? []
    const rows = queue
      .slice(0, MAX_QUEUE_ROWS)
      .map((line) => cut(dim(`  then: ${oneLine(cleanValue(line))}`)))
    const more = queue.length - rows.length
    return more > 0 ? [...rows, dim(`  … and ${more} more`)] : rows
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
    return this.#parts.status ? [statusLine(this.#state.status, columns, this.#chalk)] : []
  }
}

function joined(rows: string[]): string {
  return rows.map((row) => `${row}\n`).join('')
}
