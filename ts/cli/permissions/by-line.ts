import { Chalk, type ChalkInstance } from 'chalk'

import type { Symbols } from '../display/symbols.js'
import type { PermissionAnswer } from './permission-desk.js'
import type { PermissionQuestion, QuestionRoom } from './permission-question.js'

const NO_CHALK = new Chalk({ level: 0 })

/** How a question is shown and asked line by line. */
export interface LineDialogue {
  chalk?: ChalkInstance
  symbols: Symbols
  /** The screen, where there is one. */
  room?: QuestionRoom
  print(lines: string[]): void
  ask(words: string): Promise<string | undefined>
}

/**
 * Shows a question and asks until a line answers: `y`, `a`, or `n` and a reason; `d` shows what was cut off. Where no line
 * comes any more the answer is no.
 */
export async function answerByLine(
  question: PermissionQuestion,
  { chalk = NO_CHALK, symbols, room, print, ask }: LineDialogue,
): Promise<PermissionAnswer> {
  print(question.lines(chalk, symbols, room))
  for (;;) {
    const line = await ask(`${question.choices(chalk, room?.columns)}: `)
    const [, choice = '', reason = ''] = /^\s*(\S*)\s*(.*?)\s*$/.exec(line ?? 'n') ?? []
    switch (choice.toLowerCase()) {
      case 'y':
      case 'yes':
        return { kind: 'once' }
      case 'a':
      case 'always':
        return { kind: 'always' }
      case 'n':
      case 'no':
        return { kind: 'deny', reason }
      case 'd':
        print(question.lines(chalk, symbols))
        break
      default:
    }
  }
}
