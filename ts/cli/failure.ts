import { CommanderError } from 'commander'

import { type ErrorCode, execError } from '../errors.js'
import { randomId } from '../random-id.js'
import { symbols } from './display/symbols.js'
import { EXIT_CODES } from './exit-codes.js'
import { Output } from './output.js'
import { JsonStreamRenderer } from './renderers/json-stream.js'
import { usageError } from './usage-error.js'

/** Tells what was wrong with the command line itself, in the mode that was asked for; returns the exit code. */
export function tellFailure(thrown: unknown, jsonStream: boolean): number {
  const isUsage = thrown instanceof CommanderError
  const code = isUsage ? 'INVALID_INPUT' : codeOf(thrown)
  const text = () => (thrown instanceof Error ? thrown.message : String(thrown))
  const message = isUsage ? usageError(thrown, 'locus exec --help') : text()
  const exitCode = EXIT_CODES[code]
  if (!jsonStream) {
    process.stderr.write(`${symbols().failed} ${code} ${message}\n`)
    return exitCode
  }
  const renderer = new JsonStreamRenderer(new Output(process.stdout))
  renderer.start({
    sessionId: randomId(),
    saved: false,
    cwd: process.cwd(),
    provider: '',
    model: undefined,
  })
  renderer.end({ exitCode, durationMs: 0, error: execError(code, message) })
  return exitCode
}

function codeOf(thrown: unknown): ErrorCode {
  const code = (thrown as { code?: string }).code ?? ''
  return Object.hasOwn(EXIT_CODES, code) ? (code as ErrorCode) : 'INTERNAL'
}
