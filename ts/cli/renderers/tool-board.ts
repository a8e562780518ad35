import type { ChalkInstance } from 'chalk'
import stringWidth from 'fast-string-width'

import type { ToolParametersChunk, ToolResultChunk, ToolUseChunk } from '../../chunks.js'
import type { Symbols } from '../display/symbols.js'
import { formatCount, formatDuration } from '../format.js'
import { type DiffStyle, diffCounts, diffRows, USUAL_ROWS } from './diff-rows.js'
import { editDiffs } from './edit-diff.js'
import type { Activity } from './indicator.js'
import { toolOutcome, toolTitle } from './tool-display.js'

/** So many of the tools that a subagent has used are shown below it. */
const MAX_USES = 10
/** Deeper than agents nest. */
const MAX_DEPTH = 8

export interface ToolBoardOptions {
  chalk: ChalkInstance
  symbols: Symbols
  verbose: boolean
  /** Whether what a subagent did is told together, when it is done; else at once. */
  grouped: boolean
  /** Cuts a row to the room there is, less some columns. */
  shorten(row: string, reserved?: number): string
}

interface OpenTool {
  id: string
  title: string
  parameters: Record<string, unknown>
  since: number
  /** The tool by which the subagent was started that uses it. */
  parent: string | undefined
  /** What a subagent that it started has done, as rows. */
  done: string[][]
}

/** The tools that are used right now, and the rows that those leave that are done. */
export class ToolBoard {
  readonly #options: ToolBoardOptions
  readonly #style: DiffStyle
  readonly #open = new Map<string, OpenTool>()

  constructor(options: ToolBoardOptions) {
    this.#options = options
    this.#style = {
      chalk: options.chalk,
      symbols: options.symbols,
      maxRows: options.verbose ? Number.POSITIVE_INFINITY : USUAL_ROWS,
    }
  }

  /** A tool is asked for, or what it is given is known. */
  begin({ id, tool, parameters = {}, parentToolUseId }: ToolUseChunk | ToolParametersChunk): void {
    const { since = performance.now(), done = [] } = this.#open.get(id) ?? {}
    const title = this.#titleOf(tool, parameters)
    this.#open.set(id, { id, title, parameters, since, parent: parentToolUseId, done })
  }

  /** A tool is done: the rows to be printed, if it is time for them. */
  end(chunk: ToolResultChunk): string[] {
    const open = this.#open.get(chunk.id)
    this.#open.delete(chunk.id)
    const rows = this.#rowsOf(chunk, open)
    const parent = this.#open.get(chunk.parentToolUseId ?? '')
    if (parent && this.#options.grouped) {
      parent.done.push(rows)
      return []
    }
    return rows
  }

  /** What goes on, each tool below the one that started it. */
  activities(): Activity[] {
    const tools = [...this.#open.values()]
    const below = (parent: string | undefined, depth: number): Activity[] =>
      depth > MAX_DEPTH
        ? []
        : tools
            .filter((tool) => this.#parentOf(tool) === parent)
            .flatMap((tool) => [
              { title: `${tool.title}${this.#countOf(tool)}`, since: tool.since, depth },
              ...below(tool.id, depth + 1),
            ])
    return below(undefined, 0)
  }

  /** The turn is over: no tool is used any more. */
  clear(): void {
    this.#open.clear()
  }

  #parentOf({ parent }: OpenTool): string | undefined {
    return parent !== undefined && this.#open.has(parent) ? parent : undefined
  }

  #titleOf(tool: string, parameters: Record<string, unknown>): string {
    const { icon, message, detail } = toolTitle(tool, parameters)
    const words = `${this.#options.symbols.icons[icon]}${message}`
    return detail === '' ? words : `${words} ${this.#options.chalk.dim(detail)}`
  }

  /** How many tools a subagent has used. */
  #countOf({ done }: OpenTool): string {
    const { chalk, symbols } = this.#options
    return done.length === 0 ? '' : chalk.dim(` ${symbols.dot} ${formatCount(done.length, 'tool')}`)
  }

  #rowsOf(chunk: ToolResultChunk, open: OpenTool | undefined): string[] {
    const { chalk, symbols, shorten, grouped } = this.#options
    const { dim } = chalk
    const depth = grouped ? this.#depthOf(chunk.parentToolUseId) : Number(chunk.parentToolUseId !== undefined)
    const indent = '  '.repeat(depth)
    const diffs = chunk.success ? editDiffs(chunk.tool, open?.parameters ?? {}, chunk.data) : []
    const colour = chunk.success ? chalk.green : chalk.red
    const mark = colour(chunk.success ? symbols.ok : symbols.failed)
    const counts = diffCounts(diffs, this.#style)
    const behind = [
      open ? this.#countOf(open) : '',
      counts === '' ? '' : ` ${counts}`,
      dim(` (${formatDuration(chunk.duration)})`),
    ].join('')
    const title = open?.title ?? this.#titleOf(chunk.tool, {})
    const bar = chunk.success ? dim(symbols.bar) : colour(symbols.bar)
    const outcome = diffs.some(({ lines }) => lines.length > 0)
      ? diffRows(diffs, this.#style)
      : toolOutcome(chunk, symbols).map((row) => (chunk.success ? dim(row) : colour(row)))
    // What a subagent read and wrote is told in short.
    const told = grouped && depth > 0 && chunk.success && !this.#options.verbose ? [] : outcome
    return [
      `${shorten(`${indent}${mark} ${title}`, stringWidth(behind))}${behind}`,
      ...(open ? this.#doneRows(open, indent) : []),
      ...told.map((row) => shorten(`${indent}  ${bar} ${row}`)),
    ]
  }

  #doneRows({ done }: OpenTool, indent: string): string[] {
    const { chalk, symbols, verbose } = this.#options
    const shown = verbose || done.length <= MAX_USES ? done : done.slice(1 - MAX_USES)
    const before = done.length - shown.length
    const row = chalk.dim(`${indent}  ${symbols.ellipsis} ${formatCount(before, 'tool')} before`)
    return [...(before > 0 ? [row] : []), ...shown.flat()]
  }

  #depthOf(parent: string | undefined): number {
    let depth = 0
    for (let id = parent; id !== undefined && depth < MAX_DEPTH; id = this.#open.get(id)?.parent) {
      depth++
    }
    return depth
  }
}
