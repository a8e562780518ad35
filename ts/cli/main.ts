import { CommanderError } from 'commander'

import { commandLine } from './command-line.js'
import { EXIT_CODES } from './exit-codes.js'

/** Runs the command line; sets the exit code. */
export async function main(args: string[]): Promise<void> {
  process.stdout.on('error', onOutputError)
  process.stderr.on('error', onOutputError)
  try {
    await commandLine().parseAsync(args, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) {
      return
    }
    // Without a command the help is shown, on stderr.
    if (error instanceof CommanderError && error.code === 'commander.help') {
      process.exitCode = EXIT_CODES.INVALID_INPUT
      return
    }
    const { tellFailure } = await import('./failure.js')
    process.exitCode = tellFailure(error, args.includes('--json-stream'))
  }
}

function onOutputError(error: NodeJS.ErrnoException): void {
  // The terminal has gone; the signal says so too, and what it asks for is under way.
  if (error.code === 'EIO') {
    return
  }
  // `locus exec … | head`: when the reader has gone there is nobody to write for.
  process.exit(error.code === 'EPIPE' ? 0 : EXIT_CODES.INTERNAL)
}
