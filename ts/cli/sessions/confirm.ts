import { createInterface } from 'node:readline'

import { execError } from '../../errors.js'

/** Asks a person whether something that cannot be undone is to be done; without a terminal it refuses and says so. */
export async function confirm(question: string, yes: boolean | undefined): Promise<boolean> {
  if (yes) {
    return true
  }
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw execError('INVALID_INPUT', `${question} Nobody can be asked without a terminal; add --yes to do it`)
  }
  const readline = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await new Promise<string>((resolve) => {
    // Ctrl+C and Ctrl+D close it without an answer.
    readline.once('close', () => resolve(''))
    readline.question(`${question} [y/N] `, resolve)
  })
  readline.close()
  return /^y(es)?$/i.test(answer.trim())
}
