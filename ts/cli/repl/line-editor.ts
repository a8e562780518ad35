const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const WORD = /[\p{L}\p{N}\p{M}_]/u
const MAX_UNDO = 200

interface Snapshot {
  text: string
  caret: number
}

/**
 * A text of one or more lines while it is typed. It knows nothing of keys and of screens. The caret is an index in UTF-16
 * units and stands between graphemes.
 */
export class LineEditor {
  #text = ''
  #caret = 0
  #killed = ''
  #undo: Snapshot[] = []
  /** Whether the next character belongs to the word being typed, which is undone as one. */
  #typing = false

  get text(): string {
    return this.#text
  }

  get caret(): number {
    return this.#caret
  }

  /** Puts another text in the place of all, with the caret at its end. */
  set(text: string): void {
    this.#change(0, this.#text.length, text)
  }

  /** Takes the text out, and forgets how it came to be. */
  take(): string {
    const text = this.#text
    this.#text = ''
    this.#caret = 0
    this.#undo = []
    this.#typing = false
    return text
  }

  insert(text: string): void {
    const goesOn = this.#typing && text.length === 1 && WORD.test(text)
    this.#change(this.#caret, this.#caret, text, goesOn)
    this.#typing = WORD.test(text)
  }

  /** Puts a text in the place of what is between `from` and the caret. */
  replaceBack(from: number, text: string): void {
    this.#change(from, this.#caret, text)
  }

  deleteBack(): void {
    this.#change(this.#before(), this.#caret, '')
  }

  deleteForward(): void {
    this.#change(this.#caret, this.#after(), '')
  }

  left(): void {
    this.#move(this.#before())
  }

  right(): void {
    this.#move(this.#after())
  }

  wordLeft(): void {
    this.#move(this.#wordStart())
  }

  wordRight(): void {
    this.#move(this.#wordEnd())
  }

  lineStart(): void {
    this.#move(this.#startOfLine())
  }

  lineEnd(): void {
    this.#move(this.#endOfLine())
  }

  /** Moves to the line above; false where there is none. */
  up(): boolean {
    const start = this.#startOfLine()
    if (start === 0) {
      return false
    }
    const above = this.#text.lastIndexOf('\n', start - 2) + 1
    this.#move(this.#at(above, this.#column()))
    return true
  }

  /** Moves to the line below; false where there is none. */
  down(): boolean {
    const end = this.#endOfLine()
    if (end === this.#text.length) {
      return false
    }
    this.#move(this.#at(end + 1, this.#column()))
    return true
  }

  killToLineEnd(): void {
    const end = this.#endOfLine()
    // At the end of a line it is the line break that goes.
    this.#kill(this.#caret, end === this.#caret ? Math.min(end + 1, this.#text.length) : end)
  }

  killToLineStart(): void {
    this.#kill(this.#startOfLine(), this.#caret)
  }

  /** Kills back to the blank before the word, as shells do. */
  killBlankWordBack(): void {
    const before = this.#text.slice(0, this.#caret)
    this.#kill(before.length - (/\S*\s*$/.exec(before)?.[0].length ?? 0), this.#caret)
  }

  killWordBack(): void {
    this.#kill(this.#wordStart(), this.#caret)
  }

  killWordForward(): void {
    this.#kill(this.#caret, this.#wordEnd())
  }

  /** Brings back what was killed last. */
  yank(): void {
    this.#change(this.#caret, this.#caret, this.#killed)
  }

  /** Takes back the last change. */
  undo(): void {
    const before = this.#undo.pop()
    if (before) {
      this.#text = before.text
      this.#caret = before.caret
    }
    this.#typing = false
  }

  #move(to: number): void {
    this.#caret = to
    this.#typing = false
  }

  #kill(from: number, to: number): void {
    if (from < to) {
      this.#killed = this.#text.slice(from, to)
      this.#change(from, to, '')
    }
  }

  #change(from: number, to: number, text: string, goesOn = false): void {
    if (from === to && text === '') {
      return
    }
    if (!goesOn) {
      this.#undo.push({ text: this.#text, caret: this.#caret })
      if (this.#undo.length > MAX_UNDO) {
        this.#undo.shift()
      }
    }
    this.#text = this.#text.slice(0, from) + text + this.#text.slice(to)
    this.#caret = from + text.length
    this.#typing = false
  }

  #startOfLine(): number {
    return this.#caret === 0 ? 0 : this.#text.lastIndexOf('\n', this.#caret - 1) + 1
  }

  #endOfLine(): number {
    const end = this.#text.indexOf('\n', this.#caret)
    return end < 0 ? this.#text.length : end
  }

  /** How many graphemes are before the caret on its line. */
  #column(): number {
    return graphemes(this.#text.slice(this.#startOfLine(), this.#caret)).length
  }

  /** The index of the grapheme with this number on the line that begins at `start`, or of the line's end. */
  #at(start: number, column: number): number {
    const end = this.#text.indexOf('\n', start)
    const line = this.#text.slice(start, end < 0 ? undefined : end)
    return start + graphemes(line).slice(0, column).join('').length
  }

  #before(): number {
    return this.#caret - (graphemes(this.#around(-1)).at(-1)?.length ?? 0)
  }

  #after(): number {
    return this.#caret + (graphemes(this.#around(1))[0]?.length ?? 0)
  }

  /** What is on the caret's line before or behind it; a line break where there is nothing. */
  #around(direction: 1 | -1): string {
    if (direction < 0) {
      return this.#text.slice(this.#startOfLine(), this.#caret) || this.#text.slice(0, this.#caret).slice(-1)
    }
    return this.#text.slice(this.#caret, this.#endOfLine()) || this.#text.slice(this.#caret, this.#caret + 1)
  }

  #wordStart(): number {
    const before = this.#text.slice(0, this.#caret)
    return before.length - (/[\p{L}\p{N}\p{M}_]*[^\p{L}\p{N}\p{M}_]*$/u.exec(before)?.[0].length ?? 0)
  }

  #wordEnd(): number {
    const behind = this.#text.slice(this.#caret)
    return this.#caret + (/^[^\p{L}\p{N}\p{M}_]*[\p{L}\p{N}\p{M}_]*/u.exec(behind)?.[0].length ?? 0)
  }
}

/** The characters of a text, as people count them. */
export function graphemes(text: string): string[] {
  return Array.from(GRAPHEMES.segment(text), ({ segment }) => segment)
}
