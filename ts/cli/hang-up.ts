import { stdinIsTerminal } from './stdin.js'

const hadTerminal = stdinIsTerminal()

/** Whether there was a terminal and it has gone. */
export function terminalIsGone(): boolean {
  return hadTerminal && !stdinIsTerminal()
}

/**
 * Ends the program as SIGHUP does, where its terminal has gone: on its usual way out Node would give the terminal's modes
 * back, and abort because it cannot.
 */
export function endIfTerminalIsGone(): void {
  if (terminalIsGone()) {
    process.removeAllListeners('SIGHUP')
    process.kill(process.pid, 'SIGHUP')
  }
}
