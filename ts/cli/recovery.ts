import type { Recovery, RecoveryAction, RecoveryChooser, RecoveryRequest } from '../error-handler.js'
import { execError } from '../errors.js'
import { stdinIsTerminal } from './stdin.js'

const ACTIONS: readonly RecoveryAction[] = ['retry', 'continue', 'skip', 'switch', 'abort']

/** What `--on-error` asks for: `retry`, `continue`, `skip`, `abort` or `switch:<model>`. */
export function parseOnError(text: string): Recovery {
  const [action, model] = text.split(/:(.*)/s, 2)
  const known = ACTIONS.find((known) => known === action)
  if (known === undefined || (known === 'switch') !== Boolean(model)) {
    throw execError(
      'INVALID_INPUT',
      `--on-error needs retry, continue, skip, abort or switch:<model>, not '${text}'`,
    )
  }
  return { action: known, ...(model && { model }) }
}

/** Whether somebody is there to be asked. */
export function canAsk(): boolean {
  return stdinIsTerminal() && process.stderr.isTTY
}

/** Asks a person what is to be done; the question is over when `signal` is aborted. */
export function askRecovery(signal: AbortSignal): RecoveryChooser {
  return async ({ choices }: RecoveryRequest) => {
    const offered = choices.filter(({ action }) => action !== 'abort')
    const list = offered.map(({ label }, index) => `  ${index + 1}  ${label}\n`).join('')
    process.stderr.write(`\n${list}`)
    const answer = await ask('What now? A number, or Enter to leave it: ', signal)
    const choice = offered[Number(answer) - 1]
    if (choice === undefined) {
      return { action: 'abort' }
    }
    if (choice.action !== 'switch') {
      return { action: choice.action }
    }
    const model = await ask('Which model? ', signal)
    return model === '' ? { action: 'abort' } : { action: 'switch', model }
  }
}

/** An answer typed by a person; empty where there is none. */
async function ask(question: string, signal: AbortSignal): Promise<string> {
  const { createInterface } = await import('node:readline')
  const readline = createInterface({ input: process.stdin, output: process.stderr })
  const close = () => readline.close()
  signal.addEventListener('abort', close, { once: true })
  try {
    return await new Promise<string>((resolve) => {
      // Ctrl+C and Ctrl+D close it without an answer.
      readline.once('close', () => resolve(''))
      readline.question(question, (answer) => resolve(answer.trim()))
    })
  } finally {
    signal.removeEventListener('abort', close)
    readline.close()
  }
}
