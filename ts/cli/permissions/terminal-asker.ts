import { createInterface } from 'node:readline'

import { Chalk } from 'chalk'

import type { PermissionRequestChunk } from '../../chunks.js'
import { symbols } from '../display/symbols.js'
import { answerByLine } from './by-line.js'
import type { PermissionAnswer } from './permission-desk.js'
import { PermissionQuestion } from './permission-question.js'

/** Asks for permission in the terminal of a single run: on stderr, answered by a line. */
export async function askInTerminal(
  request: PermissionRequestChunk,
  signal: AbortSignal,
): Promise<PermissionAnswer> {
  // The renderer sees the question in the same turn of the event loop, and makes room for it.
  await new Promise((resolve) => setImmediate(resolve))
  signal.throwIfAborted()
  const { env, stdin, stderr } = process
  const chalk = new Chalk({ level: env.NO_COLOR || env.TERM === 'dumb' ? 0 : 1 })
  const question = new PermissionQuestion(request)
  const readline = createInterface({ input: stdin, output: stderr })
  // In raw mode Ctrl+C is a key; what it means is decided where signals are.
  readline.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  const close = () => readline.close()
  signal.addEventListener('abort', close, { once: true })
  try {
    const ask = (words: string) =>
      new Promise<string | undefined>((resolve, reject) => {
        readline.once('close', () => (signal.aborted ? reject(signal.reason) : resolve(undefined)))
        readline.question(words, resolve)
      })
    return await answerByLine(question, {
      ...{ chalk, symbols: symbols(), room: stderr, ask },
      print: (lines) => stderr.write(`${lines.join('\n')}\n`),
    })
  } finally {
    signal.removeEventListener('abort', close)
    readline.close()
  }
}
