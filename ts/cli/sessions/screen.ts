import { Chalk, type ChalkInstance } from 'chalk'

import { wrapped } from '../display/wrapped.js'
import { Output } from '../output.js'
import { terminalJson } from '../terminal-json.js'

/** Where a command about sessions writes: what was asked for to stdout, remarks about it to stderr. */
export class Screen {
  readonly out = new Output(process.stdout)
  readonly err = new Output(process.stderr)
  /** For what goes to stdout. */
  readonly chalk: ChalkInstance
  /** For what goes to stderr. */
  readonly remarks: ChalkInstance
  /** Whether lines of stderr may be drawn over. */
  readonly animate: boolean

  constructor(env: NodeJS.ProcessEnv = process.env) {
    const plain = Boolean(env.NO_COLOR) || env.TERM === 'dumb'
    this.chalk = new Chalk({ level: plain || !this.out.isTerminal ? 0 : 1 })
    this.remarks = new Chalk({ level: plain || !this.err.isTerminal ? 0 : 1 })
    this.animate = !plain && this.err.isTerminal && !env.CI
  }

  /** The width of the terminal; undefined where stdout is none: then nothing is cut. */
  get columns(): number | undefined {
    return this.out.isTerminal ? this.out.columns : undefined
  }

  /** Prints a line of what was asked for. */
  print(line = ''): void {
    this.out.write(`${line}\n`)
  }

  /** Prints words, broken between them where the terminal ends, below what stands before them. */
  paragraph(words: string, { before = '', style = (row: string) => row } = {}): void {
    const { columns } = this
    const rows = columns === undefined ? [words] : wrapped(words, columns - before.length)
    for (const [index, row] of rows.entries()) {
      this.print(style(`${index === 0 ? before : ' '.repeat(before.length)}${row}`))
    }
  }

  /** Prints what was asked for as JSON. */
  json(value: unknown): void {
    this.print(terminalJson(value, 2))
  }

  /** Prints a line about what was asked for. */
  remark(line: string): void {
    // Two streams, one screen: what was printed before must be there before.
    this.out.flush()
    const rows = this.err.isTerminal ? wrapped(line, this.err.columns) : [line]
    this.err.write(`${rows.join('\n')}\n`)
    this.err.flush()
  }

  flush(): void {
    this.out.flush()
    this.err.flush()
  }
}
