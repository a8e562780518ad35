import { Chalk, type ChalkInstance } from 'chalk'

import type { PermissionAnswer } from './permission-desk.js'
import type { PermissionQuestion } from './permission-question.js'

const NO_CHALK = new Chalk({ level: 0 })

/** Asks until a line answers: `y`, `a`, or `n` and a reason. Where no line comes any more the answer is no. */
export async function answerByLine(
  question: PermissionQuestion,
  ask: (words: string) => Promise<string | undefined>,
  chalk: ChalkInstance = NO_CHALK,
): Promise<PermissionAnswer> {
  for (;;) {
    const line = await ask(`${question.choices(chalk)}: `)
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
      default:
    }
  }
}
