import { isatty } from 'node:tty'

const STDIN = 0

/** Whether stdin is a terminal. Whoever asks `process.stdin` opens it. */
export function stdinIsTerminal(): boolean {
  return isatty(STDIN)
}
