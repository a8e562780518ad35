import { createInterface, type Interface } from 'node:readline'
import { Chalk } from 'chalk'
import type { PermissionRequestChunk } from '../../chunks.js'

import { symbols } from '../display/symbols.js'
import { terminalIsGone } from '../hang-up.js'
import { Output } from '../output.js'
import { answerByLine } from '../permissions/by-line.js'
import type { PermissionAnswer } from '../permissions/permission-desk.js'
import { PermissionQuestion } from '../permissions/permission-question.js'
import type { Renderer } from '../renderers/renderer.js'
import { TerminalRenderer } from '../renderers/terminal.js'
import type { ReplListener, ReplState, ReplView } from './view.js'

const NO_CHALK = new Chalk({ level: 0 })

/**
 * The interactive mode where nothing is drawn over: for `--simple`, terminals that cannot, and prompts that come from a
 * pipe. Lines are edited by the terminal itself; everything is appended.
 */
export class PlainView implements ReplView {
  readonly colors = false
  readonly attended: boolean
  readonly #stdin: NodeJS.ReadStream
  readonly #out: Output
  readonly #err: Output
  readonly #symbols = symbols()
  #lines: Interface | undefined
  #state: ReplState | undefined
  /** Takes the next line in place of the listener. */
  #answer: ((line: string | undefined) => void) | undefined
  #notice: string | undefined
  #prompted = false

  constructor(stdin: NodeJS.ReadStream, stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream) {
    this.#stdin = stdin
    this.attended = Boolean(stdin.isTTY)
    this.#out = new Output(stdout)
    this.#err = new Output(stderr)
  }

  get columns(): number {
    return this.#err.isTerminal ? this.#err.columns : Number.POSITIVE_INFINITY
  }

  start(state: ReplState, listener: ReplListener): void {
    this.#state = state
    this.#lines = createInterface({ input: this.#stdin, terminal: false })
    this.#lines.on('line', (line) => {
      this.#prompted = false
      if (this.#answer) {
        this.#answer(line)
      } else {
        listener.submit(line)
      }
    })
    this.#lines.on('close', () => {
      this.#answer?.(undefined)
      if (terminalIsGone()) {
        listener.hungUp()
      } else {
        listener.end()
      }
    })
    this.#stdin.on('error', () => listener.hungUp())
    this.changed()
  }

  note(lines: string): void {
    this.#out.flush()
    if (this.#prompted) {
      this.#prompted = false
      this.#err.write('\n')
    }
    this.#err.write(`${lines}\n`)
    this.#err.flush()
  }

  /** A terminal has shown it already. */
  echo(): void {}

  giveBack(text: string): void {
    this.note(`not sent: ${text}`)
  }

  async renderer(verbose: boolean): Promise<Renderer> {
    const { out, isTerminal } = { out: this.#out, isTerminal: this.#stdin.isTTY }
    return new TerminalRenderer({
      ...{ out, err: this.#err, stream: true, colors: false, verbose },
      ...{ symbols: this.#symbols },
      summary: isTerminal ? 'line' : 'none',
    })
  }

  changed(): void {
    const { busy = true, notice } = this.#state ?? {}
    if (notice !== undefined && notice !== this.#notice) {
      this.note(notice)
    }
    this.#notice = notice
    if (!busy && !this.#prompted && !this.#answer && this.#stdin.isTTY) {
      this.#prompted = true
      this.#out.flush()
      this.#err.write('> ')
      this.#err.flush()
    }
  }

  clear(): void {}

  async askPermission(request: PermissionRequestChunk, signal: AbortSignal): Promise<PermissionAnswer> {
    const question = new PermissionQuestion(request)
    const print = (lines: string[]) => this.note(lines.join('\n'))
    if (!this.#stdin.isTTY) {
      print(question.lines(NO_CHALK, this.#symbols))
      return { kind: 'deny', reason: 'nobody could be asked' }
    }
    return await answerByLine(question, {
      ...{ symbols: this.#symbols, room: process.stdout, print },
      ask: (words) => this.#ask(words, signal),
    })
  }

  async confirm(question: string): Promise<boolean> {
    if (!this.#stdin.isTTY) {
      return true
    }
    const line = await this.#ask(`${question} [Y/n] `)
    return !/^\s*n/i.test(line ?? '')
  }

  close(): void {
    this.#lines?.removeAllListeners('close')
    this.#lines?.close()
    this.#answer?.(undefined)
    this.#out.flush()
    this.#err.flush()
  }

  #ask(question: string, signal?: AbortSignal): Promise<string | undefined> {
    this.#out.flush()
    this.#err.write(question)
    this.#err.flush()
    return new Promise((resolve, reject) => {
      this.#answer = (line) => {
        this.#answer = undefined
        resolve(line)
      }
      signal?.addEventListener('abort', () => {
        this.#answer = undefined
        this.#err.write('\n')
        reject(signal.reason)
      })
    })
  }
}
