import { isatty } from 'node:tty'

const STDIN = 0

/** Whether there was a terminal and it has gone. */
export function terminalIsGone(): boolean {
  return process.stdin.isTTY && !isatty(STDIN)
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
