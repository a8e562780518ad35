import type { WriteStream } from 'node:tty'

import stringWidth from 'fast-string-width'

/** Where the cursor stands in the live rows. */
export interface Caret {
  row: number
  column: number
}

/** What is drawn over from frame to frame, below everything that was printed. */
export interface Live {
  /** Whole lines to be printed above them first, for good. */
  printed?: string
  /** Each on one line of the terminal; what is too wide is cut by the terminal itself. */
  rows: string[]
  /** Without one the cursor is hidden. */
  caret?: Caret
}

/** The part of a terminal's stream that is needed here. */
export type ScreenStream = Pick<WriteStream, 'columns' | 'rows' | 'write' | 'on' | 'off' | 'once'>

const ESC = '\u001b['
const HIDE_CURSOR = `${ESC}?25l`
const SHOW_CURSOR = `${ESC}?25h`
/** A terminal that knows it shows a frame as a whole; others pass over it. */
const BEGIN_FRAME = `${ESC}?2026h`
const END_FRAME = `${ESC}?2026l`
const NO_WRAP = `${ESC}?7l`
const WRAP = `${ESC}?7h`
const ERASE_BELOW = `${ESC}J`
const ERASE_LINE = `${ESC}2K`

/** What brings a terminal back to where every program expects it, whatever this one has done to it. */
export const RESTORE = `${END_FRAME}${WRAP}${SHOW_CURSOR}`

const FRAME_MS = 1000 / 30
/** More printed text than this does not wait for the next frame. */
const MAX_PENDING = 64 * 1024

/**
 * The one owner of a terminal's screen. Above is what was printed: it is never touched again and scrolls away as in every
 * program. Below are the live rows, drawn over at most 30 times a second. Both are written in one piece, so that nobody
 * sees the one without the other.
 */
export class Screen {
  readonly #stream: ScreenStream
  readonly #compose: (columns: number, rows: number) => Live
  readonly #onResize = () => this.#resized()
  #printed = ''
  /** What is on the terminal. */
  #shown: Live = { rows: [] }
  #columns: number
  #drawnAt = 0
  #timer: NodeJS.Timeout | undefined
  #blocked: Promise<void> | undefined
  #closed = false
  #paused = false

  /** `compose` says what the live rows are; it is asked once a frame. */
  constructor(stream: ScreenStream, compose: (columns: number, rows: number) => Live) {
    this.#stream = stream
    this.#compose = compose
    this.#columns = this.columns
    stream.on('resize', this.#onResize)
  }

  get columns(): number {
    return this.#stream.columns || 80
  }

  get rows(): number {
    return this.#stream.rows || 24
  }

  /** Prints whole lines above the live rows, for good. */
  print(lines: string): void {
    this.#printed += lines
    this.changed()
    if (this.#printed.length > MAX_PENDING) {
      this.draw()
    }
  }

  /** Something has changed: the next frame will show it. */
  changed(): void {
    if (this.#timer || this.#closed || this.#paused) {
      return
    }
    const wait = Math.max(0, this.#drawnAt + FRAME_MS - performance.now())
    this.#timer = setTimeout(() => this.draw(), wait)
  }

  /** Draws now, for what somebody waits for: the echo of a key. */
  draw(): void {
    if (this.#closed || this.#paused || this.#blocked) {
      return
    }
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#drawnAt = performance.now()
    const live = this.#compose(this.columns, this.rows)
    this.#printed += live.printed ?? ''
    this.#write(this.#frame(this.#fitting(live)))
  }

  /** Resolves when the terminal can take more; undefined when it can now. */
  ready(): Promise<void> | undefined {
    return this.#blocked
  }

  /** Empties the terminal, what has scrolled away included. */
  clear(): void {
    this.#shown = { rows: [] }
    this.#write(`${ESC}H${ESC}2J${ESC}3J`)
    this.draw()
  }

  /** What is drawn is not there any more: somebody else has written. */
  forget(): void {
    this.#shown = { rows: [] }
  }

  /** Lets somebody else write: the live rows are taken away, what is printed waits. */
  pause(): void {
    if (this.#paused || this.#closed) {
      return
    }
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#paused = true
    this.#stream.write(this.#frame({ rows: [], caret: { row: 0, column: 0 } }) + RESTORE)
  }

  /** Goes on below what was written meanwhile, which ended its line. */
  resume(): void {
    if (this.#paused) {
      this.#paused = false
      this.forget()
      this.draw()
    }
  }

  /** Takes the live rows away, writes what is left to print, and lets the terminal go. */
  close(): void {
    if (this.#closed) {
      return
    }
    clearTimeout(this.#timer)
    this.#closed = true
    this.#stream.off('resize', this.#onResize)
    this.#stream.write(this.#frame({ rows: [], caret: { row: 0, column: 0 } }) + RESTORE)
  }

  /** Nothing is higher than the terminal: what scrolls away cannot be drawn over. */
  #fitting({ rows, caret }: Live): Live {
    const over = rows.length - Math.max(1, this.rows - 1)
    return over > 0
      ? {
          rows: rows.slice(over),
          caret: caret && { row: Math.max(0, caret.row - over), column: caret.column },
        }
      : { rows, caret }
  }

  #frame(next: Live): string {
    const before = this.#shown
    const printed = this.#printed
    this.#printed = ''
    this.#shown = next
    this.#columns = this.columns
    const home = `\r${up(caretOf(before).row)}`
    const body =
      printed === ''
        ? rowsOver(before.rows, next.rows)
        : `${ERASE_BELOW}${printed.replaceAll('\n', '\r\n')}${NO_WRAP}${next.rows.join('\r\n')}`
    const caret = caretOf(next)
    const last = Math.max(0, next.rows.length - 1)
    const place = `\r${up(last - caret.row)}${caret.column > 0 ? `${ESC}${caret.column}C` : ''}`
    return `${BEGIN_FRAME}${HIDE_CURSOR}${home}${body}${WRAP}${place}${next.caret ? SHOW_CURSOR : ''}${END_FRAME}`
  }

  #write(text: string): void {
    if (this.#stream.write(text)) {
      return
    }
    this.#blocked = new Promise((resolve) => {
      const go = () => {
        this.#stream.off('drain', go).off('close', go)
        this.#blocked = undefined
        this.changed()
        resolve()
      }
      // A terminal that has gone never takes more; what is written to it is dropped.
      this.#stream.once('drain', go).once('close', go)
    })
  }

  /**
   * A terminal that gets narrower breaks what was drawn into more rows; the cursor moves with them. Above it all of it is
   * erased, and drawn anew for the new width.
   */
  #resized(): void {
    const { rows } = this.#shown
    const { row, column } = caretOf(this.#shown)
    if (this.columns < this.#columns) {
      const broken = (width: number) => Math.max(1, Math.ceil(width / this.columns))
      const above = rows.slice(0, row).reduce((sum, it) => sum + broken(stringWidth(it)), 0)
      this.#shown = { rows: [], caret: { row: above + Math.floor(column / this.columns), column: 0 } }
    } else {
      this.#shown = { rows: [], caret: { row, column } }
    }
    this.#columns = this.columns
    this.draw()
  }
}

/** Where the cursor was left. */
function caretOf({ rows, caret }: Live): Caret {
  return caret ?? { row: Math.max(0, rows.length - 1), column: 0 }
}

/** Rows drawn over others, from the first of them on; what has not changed is passed over. */
function rowsOver(before: string[], next: string[]): string {
  if (before.length === 0 || next.length === 0) {
    return `${ERASE_BELOW}${NO_WRAP}${next.join('\r\n')}`
  }
  const lines = next.map((row, index) => (row === before[index] ? '' : `${ERASE_LINE}${row}`))
  const rest = before.length > next.length ? `\r\n${ERASE_BELOW}${up(1)}` : ''
  return `${NO_WRAP}${lines.join('\r\n')}${rest}`
}

function up(rows: number): string {
  return rows > 0 ? `${ESC}${rows}A` : ''
}
