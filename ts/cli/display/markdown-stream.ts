import type { ChalkInstance } from 'chalk'
import { inlineMarkdown } from './inline.js'
import { tableRows } from './markdown-table.js'
import { symbols } from './symbols.js'
import { wrapped } from './wrapped.js'

/** Colours lines of code; all of them are given, those from `from` on are wanted. */
export type Highlighter = (language: string, lines: string[], from: number) => string[] | undefined

export interface MarkdownOptions {
  chalk: ChalkInstance
  /** Absent until it is loaded: then code has no colours. */
  highlighter: () => Highlighter | undefined
}

const FENCE = /^(\s{0,12})(`{3,}|~{3,})\s*([^\s`{]*)[^`]*$/
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*$/
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(?:\[([ xX])\]\s+)?(.*)$/
const QUOTE = /^ {0,3}((?:>\s?)+)(.*)$/
/** What a line may begin with that is more than text. */
const SPECIAL = /^[\s#>*+_\d-]/
const TABLE_MARKS = /^ {0,3}\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/

/** A longer line is broken: what is pending is drawn again in every frame. */
const MAX_LINE = 2000
/** A longer table is shown in parts. */
const MAX_TABLE_ROWS = 100
/** Code is coloured together with so many lines before it. */
const CODE_CONTEXT = 100

interface Code {
  fence: string
  indent: number
  language: string
  lines: string[]
  /** How many of the lines were given. */
  given: number
}

/**
 * Markdown as rows for a terminal, while it comes. A line that is complete is laid out once and given for good; only what
 * may still change (the line under way, a table) is given again and again. It works line by line, as models write: a line
 * break of the text is one on the screen.
 */
export class MarkdownStream {
  readonly #chalk: ChalkInstance
  readonly #highlighter: MarkdownOptions['highlighter']
  #text = ''
  #table: string[] = []
  #code: Code | undefined
  /** Whether the line under way is the rest of one that was broken. */
  #continued = false
  #blank = true
  /** Whether a line was ended before its end came, which then ends nothing more. */
  #broken = false

  constructor({ chalk, highlighter }: MarkdownOptions) {
    this.#chalk = chalk
    this.#highlighter = highlighter
  }

  /** The next piece of the text, without anything that a terminal would obey. */
  push(text: string): void {
    const ends = this.#broken && text.startsWith('\n')
    this.#broken = false
    this.#text += ends ? text.slice(1) : text
  }

  /** How much has come since it was last looked at. */
  get pending(): number {
    return this.#text.length
  }

  /** The rows that are complete. */
  take(columns: number): string[] {
    const rows: string[] = []
    const end = this.#text.lastIndexOf('\n') + 1
    if (end > 0) {
      const lines = this.#text.slice(0, end - 1).split('\n')
      this.#text = this.#text.slice(end)
      for (const line of lines) {
        rows.push(...this.#line(line, columns))
      }
    }
    while (this.#text.length > MAX_LINE) {
      const at = this.#text.lastIndexOf(' ', MAX_LINE) + 1 || MAX_LINE
      rows.push(...this.#line(this.#text.slice(0, at), columns))
      this.#text = this.#text.slice(at)
      this.#continued = true
    }
    rows.push(...this.#codeRows())
    return rows
  }

  /** The rows that may still change, as they look now. */
  tail(columns: number): string[] {
    const rows = this.#table.length > 1 ? tableRows(this.#table, columns, this.#chalk) : [...this.#table]
    if (this.#text === '') {
      return rows
    }
    if (this.#code) {
      const { indent, fence } = this.#code
      const line = this.#text.slice(Math.min(indent, leadingBlanks(this.#text)))
      return line.trim() !== '' && fence.startsWith(line.trim())
        ? rows
        : [...rows, ...wrapped(`  ${line}`, columns)]
    }
    const unclear =
      this.#table.length > 0 || this.#text.startsWith('|') || /^\s*(`{2,}|~{2,})/.test(this.#text)
    return [
      ...rows,
      ...(unclear ? wrapped(this.#chalk.dim(this.#text), columns) : this.#block(this.#text, columns)),
    ]
  }

  /** Ends the line under way, and a table: something else is shown next. All rows that are left. */
  break(columns: number): string[] {
    const rows = this.take(columns)
    if (this.#text !== '') {
      rows.push(...this.#line(this.#text, columns))
      this.#text = ''
      this.#broken = true
    }
    this.#continued = false
    rows.push(...this.#codeRows(), ...this.#tableEnd(columns))
    return rows
  }

  #line(line: string, columns: number): string[] {
    if (this.#continued) {
      this.#continued = false
      return this.#code ? [`  ${line}`] : wrapped(inlineMarkdown(line, this.#chalk), columns)
    }
    if (this.#code) {
      return this.#codeLine(this.#code, line)
    }
    if (this.#table.length > 0) {
      return this.#tableLine(line, columns)
    }
    if (/^ {0,3}\|/.test(line)) {
      this.#table.push(line)
      return []
    }
    const fence = FENCE.exec(line)
    if (fence) {
      const [, indent = '', marks = '', language = ''] = fence
      this.#code = { fence: marks, indent: indent.length, language, lines: [], given: 0 }
      this.#blank = false
      return language === '' ? [] : [this.#chalk.dim(`  ${language}`)]
    }
    // Several blank lines are as good as one.
    const blank = line.trim() === ''
    if (blank && this.#blank) {
      return []
    }
    this.#blank = blank
    return this.#block(line, columns)
  }

  #codeLine(code: Code, line: string): string[] {
    const trimmed = line.trim()
    const closes = trimmed.startsWith(code.fence) && [...trimmed].every((mark) => mark === code.fence[0])
    if (!closes) {
      code.lines.push(line.slice(Math.min(code.indent, leadingBlanks(line))))
      return []
    }
    const rows = this.#codeRows()
    this.#code = undefined
    return rows
  }

  /** The lines of code that came since the last time, coloured. They are not broken: so they can be copied. */
  #codeRows(): string[] {
    const code = this.#code
    if (!code || code.given === code.lines.length) {
      return []
    }
    const { language, lines, given } = code
    const coloured = language === '' ? undefined : this.#highlighter()?.(language, lines, given)
    const rows = (coloured ?? lines.slice(given)).map((line) => (line === '' ? '' : `  ${line}`))
    code.lines = lines.slice(-CODE_CONTEXT)
    code.given = code.lines.length
    return rows
  }

  #tableLine(line: string, columns: number): string[] {
    const goesOn = this.#table.length === 1 ? TABLE_MARKS.test(line) : line.includes('|')
    if (!goesOn) {
      return [...this.#tableEnd(columns), ...this.#line(line, columns)]
    }
    this.#table.push(line)
    if (this.#table.length < MAX_TABLE_ROWS) {
      return []
    }
    const titles = this.#table.slice(0, 2)
    const rows = this.#tableEnd(columns)
    this.#table = titles
    return rows
  }

  #tableEnd(columns: number): string[] {
    const lines = this.#table
    this.#table = []
    this.#blank = this.#blank && lines.length === 0
    // A line with a bar at its beginning and no table below it is a line.
    return lines.length > 1
      ? tableRows(lines, columns, this.#chalk)
      : lines.flatMap((line) => this.#block(line, columns))
  }

  /** A line of text that stands for itself. */
  #block(line: string, columns: number): string[] {
    if (!SPECIAL.test(line)) {
      return wrapped(inlineMarkdown(line, this.#chalk), columns)
    }
    const { bold, underline, dim, cyan } = this.#chalk
    const heading = HEADING.exec(line)
    if (heading) {
      const [, marks = '', title = ''] = heading
      const style = marks.length === 1 ? bold.underline : marks.length === 2 ? bold : underline
      return wrapped(style(inlineMarkdown(title, this.#chalk)), columns)
    }
    if (RULE.test(line)) {
      return [dim(symbols().rule.repeat(Math.min(40, columns - 1)))]
    }
    const item = ITEM.exec(line)
    if (item) {
      const [, indent = '', mark = '', check, text = ''] = item
      const box = check === undefined ? undefined : check === ' ' ? symbols().unchecked : symbols().checked
      const bullet = box ?? (/\d/.test(mark) ? mark : symbols().bullet)
      return hanging(`${indent}${cyan(bullet)} `, inlineMarkdown(text, this.#chalk), columns, {
        width: indent.length + bullet.length + 1,
      })
    }
    const quote = QUOTE.exec(line)
    if (quote) {
      const [, marks = '', text = ''] = quote
      const depth = marks.replace(/\s/g, '').length
      const bars = dim(`${symbols().bar} `.repeat(depth))
      return hanging(bars, dim(inlineMarkdown(text, this.#chalk)), columns, {
        width: 2 * depth,
        repeat: true,
      })
    }
    const indent = line.slice(0, Math.min(leadingBlanks(line), 12))
    return hanging(indent, inlineMarkdown(line.trim(), this.#chalk), columns, { width: indent.length })
  }
}

function leadingBlanks(line: string): number {
  return line.length - line.trimStart().length
}

/** A text broken into rows, with something in front of the first of them, or of all. */
function hanging(
  prefix: string,
  text: string,
  columns: number,
  { width, repeat = false }: { width: number; repeat?: boolean },
): string[] {
  const other = repeat ? prefix : ' '.repeat(width)
  return wrapped(text, Math.max(10, columns - width)).map(
    (row, index) => (index === 0 ? prefix : other) + row,
  )
}
