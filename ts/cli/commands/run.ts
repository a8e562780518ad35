import { execError } from '../../errors.js'
import { endIfTerminalIsGone } from '../hang-up.js'
import type { Asker } from '../permissions/permission-desk.js'
import { canAsk } from '../recovery.js'
import { type DisplayFlags, makeRenderer } from '../renderers/make-renderer.js'
import type { Renderer } from '../renderers/renderer.js'
import { stdinIsTerminal } from '../stdin.js'
import type { ExecFlags } from './exec.js'

/** The flags of `locus exec`. */
export interface RunFlags extends ExecFlags, DisplayFlags {
  interactive?: boolean
  saveOnExit?: string
  ascii?: boolean
  legacy?: boolean
}

/**
 * `locus exec`: a run without the engine, a conversation, or a single run, as the flags and the terminal say. Sets the exit
 * code; throws an `ExecError` where the flags do not go together.
 */
export async function run(words: string[], flags: RunFlags): Promise<void> {
  if (flags.ascii) {
    process.env.LOCUS_ASCII = '1'
  }
  if (flags.legacy) {
    const { runLegacy } = await import('./legacy.js')
    process.exitCode = await runLegacy(words, flags)
    return
  }
  if (isInteractive(words, flags)) {
    const { runRepl } = await import('../repl/run.js')
    process.exitCode = await runRepl(words, flags)
  } else {
    const { runExec } = await import('./exec.js')
    const renderer = await makeRenderer(flags)
    process.exitCode = await runExec(words, flags, renderer, makeAsker(flags, renderer))
  }
  endIfTerminalIsGone()
}

/** Whether somebody wants to talk: by the flag, or by giving no prompt in a terminal. */
function isInteractive(words: string[], { interactive, jsonStream, stream }: RunFlags): boolean {
  if (interactive && jsonStream) {
    throw execError('INVALID_INPUT', '--json-stream is for programs; leave out --interactive')
  }
  const talks = words.length === 0 && stdinIsTerminal() && process.stdout.isTTY && !jsonStream
  const isInteractive = interactive ?? talks
  if (isInteractive && stream) {
    throw execError('INVALID_INPUT', '--stream is for a single prompt; give one, or leave it out')
  }
  return isInteractive
}

/** Who is asked for permission: the person at the terminal, if there is one. */
function makeAsker({ jsonStream }: RunFlags, { lend = (ask) => ask() }: Renderer): Asker | undefined {
  if (jsonStream || !canAsk()) {
    return undefined
  }
  return async (request, signal) => {
    const { askInTerminal } = await import('../permissions/terminal-asker.js')
    return await lend(() => askInTerminal(request, signal))
  }
}
