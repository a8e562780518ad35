import type { Key } from 'node:readline'

import type { ChalkInstance } from 'chalk'
import stringWidth from 'fast-string-width'

import type { PermissionRequestChunk } from '../../chunks.js'
import type { Symbols } from '../display/symbols.js'
import { truncate } from '../display/truncate.js'
import { wrapped } from '../display/wrapped.js'
import { cleanValue } from '../renderers/clean-text.js'
import { diffCounts, diffRows, nameOf } from '../renderers/diff-rows.js'
import { editDiffs, type FileDiff, SHOWN_BY_DIFFS } from '../renderers/edit-diff.js'
import { toolTitle } from '../renderers/tool-display.js'
import { applyKey } from '../repl/keys.js'
import { LineEditor } from '../repl/line-editor.js'
import { contentOf } from './file-content.js'
import type { PermissionAnswer } from './permission-desk.js'
import { alwaysMeans } from './rule.js'

const MAX_LINES = 60
/** So many rows of the screen are for what is around a difference: the question, the choices, the status line. */
const AROUND_DIFF = 7
const MIN_DIFF_ROWS = 3
/** Narrower than this no row is cut. */
const MIN_COLUMNS = 20

/** The screen that a question has to fit into; what is missing has no limit. */
export interface QuestionRoom {
  columns?: number | undefined
  rows?: number | undefined
}

/** A question for permission while it is answered by keys: `y`, `a`, or `n` and a reason; `d` shows what was cut off. */
export class PermissionQuestion {
  readonly #request: PermissionRequestChunk
  readonly #diffs: FileDiff[]
  /** The reason, while it is typed. */
  #reason: LineEditor | undefined
  #isCut = false

  constructor(request: PermissionRequestChunk) {
    this.#request = cleanValue(request)
    const { tool, parameters } = request
    // Files have control characters, too; and they are looked for by their own names.
    this.#diffs = cleanValue(editDiffs(tool, parameters, undefined, contentOf)).filter(
      ({ lines, movedTo }) => lines.length > 0 || movedTo !== undefined,
    )
  }

  /** The reason for a denial while it is typed. */
  get reason(): LineEditor | undefined {
    return this.#reason
  }

  /** What is asked, cut to the room there is; `chalk` colours it. */
  lines(chalk: ChalkInstance, symbols: Symbols, room: QuestionRoom = {}): string[] {
    const { tool, parameters } = this.#request
    const { icon, message } = toolTitle(tool, parameters)
    const asked = chalk.yellow(`${symbols.icons[icon]}${chalk.bold(tool)} asks for permission: ${message}`)
    const { columns = Number.POSITIVE_INFINITY, rows = Number.POSITIVE_INFINITY } = room
    const bar = chalk.dim(`  ${symbols.bar} `)
    const [diff] = this.#diffs
    if (diff === undefined) {
      return [...wrapped(asked, columns), ...parameterLines(parameters, symbols).map((line) => bar + line)]
    }
    const name = this.#diffs.length === 1 ? ` ${nameOf(diff, { symbols })}` : ''
    const others = Object.entries(parameters).filter(([key]) => !SHOWN_BY_DIFFS.has(key))
    const beside = parameterLines(Object.fromEntries(others), symbols)
    const maxRows = Math.max(MIN_DIFF_ROWS, rows - AROUND_DIFF - beside.length)
    const style = { chalk, symbols, maxRows }
    const whole = diffRows(this.#diffs, style).map((row) => bar + row)
    const cut = whole.map((row) => cutRow(row, columns, symbols))
    const total = this.#diffs.reduce((sum, { lines }) => sum + lines.length, 0)
    this.#isCut = total > maxRows || cut.some((row, index) => row !== whole[index])
    const title = wrapped(`${asked}${name} ${diffCounts(this.#diffs, style)}`, columns)
    return [...title, ...beside.map((line) => bar + line), ...cut]
  }

  /** How it can be answered; in few words where there is no room for all. */
  choices({ bold }: ChalkInstance, columns = Number.POSITIVE_INFINITY): string {
    const row = (words: string[], gap: string) =>
      ['y', 'a', 'n', 'd']
        .flatMap((key, index) => (words[index] ? `${bold(key)} ${words[index]}` : []))
        .join(gap)
    const full = ['allow once', alwaysMeans(this.#request), 'deny', this.#isCut ? 'show all of it' : '']
    const short = ['once', 'always', 'deny', this.#isCut ? 'all' : '']
    const width = stringWidth(row(full, '   '))
    // Behind it stands a colon, or the caret.
    return width + 2 < columns ? row(full, '   ') : row(short, '  ')
  }

  /** A key; the answer, if it is one, or that the whole of it is to be shown. */
  key(character: string | undefined, key: Key): PermissionAnswer | 'show' | undefined {
    if (!this.#reason) {
      return this.#choice(character)
    }
    switch (applyKey(this.#reason, character, key)) {
      case 'submit':
        return { kind: 'deny', reason: this.#reason.text.trim() }
      case 'escape':
        this.#reason = undefined
        return undefined
      default:
        return undefined
    }
  }

  #choice(character: string | undefined): PermissionAnswer | 'show' | undefined {
    switch (character?.toLowerCase()) {
      case 'y':
        return { kind: 'once' }
      case 'a':
        return { kind: 'always' }
      case 'n':
        this.#reason = new LineEditor()
        return undefined
      case 'd':
        return this.#isCut ? 'show' : undefined
      default:
        return undefined
    }
  }
}

/** What the tool would be given. */
function parameterLines(parameters: Record<string, unknown>, { ellipsis }: Symbols): string[] {
  const lines = Object.entries(parameters).flatMap(([name, value]) => {
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
    return `${name}: ${text}`.trimEnd().split('\n')
  })
  const more = lines.length - MAX_LINES
  return more > 0 ? [...lines.slice(0, MAX_LINES), `${ellipsis} ${more} more lines`] : lines
}

function cutRow(row: string, columns: number, { ellipsis }: Symbols): string {
  return Number.isFinite(columns) ? truncate(row, Math.max(MIN_COLUMNS, columns - 1), ellipsis) : row
}
