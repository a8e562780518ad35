import { onTestFinished } from 'vitest'

import { type StartedTerminal, startInTerminal, type TerminalSetup } from './terminal.js'

export const CTRL_C = '\u0003'
export const CTRL_D = '\u0004'
export const CTRL_Z = '\u001a'
export const ENTER = '\r'
export const UP = '\u001b[A'
export const DOWN = '\u001b[B'
export const TAB = '\t'

export interface ReplSetup extends TerminalSetup {
  flags?: string[]
  env?: Record<string, string>
  /** What is in front of what is typed, where it is not as usual. */
  mark?: string
}

/** Starts the interactive mode in a terminal of 80×24 with a fake agent, and resolves when it can be typed into. */
export async function startRepl(
  agent: string,
  { flags = [], env = {}, mark, ...setup }: ReplSetup = {},
): Promise<StartedTerminal> {
  const terminal = startInTerminal(['exec', '-i', ...flags], agent, env, { columns: 80, rows: 24, ...setup })
  await terminal.shown(mark ?? (flags.includes('--simple') ? '>' : '❯'))
  return terminal
}

/** Types a line and sends it. */
export function send(terminal: StartedTerminal, line: string): void {
  terminal.type(`${line}${ENTER}`)
}

/** Ends a process when the test is over, should it still be there. */
export function endAfterTest(pid: number): void {
  onTestFinished(() => {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') {
        throw error
      }
    }
  })
}

/** A screen without what differs from run to run. */
export const stable = (screen: string) =>
  screen
    .replaceAll(/\b\d+ms\b/g, '…ms')
    .replaceAll(/\b\d+(\.\d)?s\b/g, '…s')
    .replaceAll(/(· |exec -i -s |session )[0-9a-f]{8}(-[0-9a-f-]{27})?/g, '$112345678')
    .replaceAll(/[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/g, '⠋')
