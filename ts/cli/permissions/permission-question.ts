import type { Key } from 'node:readline'

import type { ChalkInstance } from 'chalk'

import type { PermissionRequestChunk } from '../../chunks.js'
import type { Symbols } from '../display/symbols.js'
import { cleanValue } from '../renderers/clean-text.js'
import { toolTitle } from '../renderers/tool-display.js'
import { applyKey } from '../repl/keys.js'
import { LineEditor } from '../repl/line-editor.js'
import type { PermissionAnswer } from './permission-desk.js'
import { alwaysMeans } from './rule.js'

const MAX_LINES = 60

/** A question for permission while it is answered by keys: `y`, `a`, or `n` and a reason. */
export class PermissionQuestion {
  readonly #request: PermissionRequestChunk
  /** The reason, while it is typed. */
  #reason: LineEditor | undefined

  constructor(request: PermissionRequestChunk) {
    this.#request = cleanValue(request)
  }

  /** The reason for a denial while it is typed. */
  get reason(): LineEditor | undefined {
    return this.#reason
  }

  /** What is asked; `chalk` colours it. */
  lines(chalk: ChalkInstance, symbols: Symbols): string[] {
    const { tool, parameters } = this.#request
    const { icon, message } = toolTitle(tool, parameters)
    return [
      chalk.yellow(`${symbols.icons[icon]}${chalk.bold(tool)} asks for permission: ${message}`),
      ...parameterLines(parameters, symbols).map((line) => chalk.dim(`  ${symbols.bar} `) + line),
    ]
  }

  /** How it can be answered. */
  choices({ bold }: ChalkInstance): string {
    const always = alwaysMeans(this.#request)
    return `${bold('y')} allow once   ${bold('a')} ${always}   ${bold('n')} deny`
  }

  /** A key; the answer, if it is one. */
  key(character: string | undefined, key: Key): PermissionAnswer | undefined {
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

  #choice(character: string | undefined): PermissionAnswer | undefined {
    switch (character?.toLowerCase()) {
      case 'y':
        return { kind: 'once' }
      case 'a':
        return { kind: 'always' }
      case 'n':
        this.#reason = new LineEditor()
        return undefined
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
