import { dirname } from 'node:path'

import pty from '@lydell/node-pty'
import xterm from '@xterm/headless'
import { onTestFinished } from 'vitest'

import { CLI, MEASURED, pathWith } from './cli.js'
import { temporaryFolder } from './folder.js'

const COLUMNS = 80
const ROWS = 60

/** A run of the command line in a terminal. */
export interface TerminalRun {
  exitCode: number
  /** Everything that was written, escape sequences included. */
  bytes: string
  /** What is seen at the end. */
  screen: string
}

/** A run of the command line in a terminal under way. */
export interface StartedTerminal {
  /** Types keys. */
  type(keys: string): void
  /** Resolves when this has been written. */
  written(text: string): Promise<void>
  finished: Promise<TerminalRun>
}

/** Starts the built command line in a pseudo-terminal, with a fake agent as `claude`. */
export function startInTerminal(
  args: string[],
  agent: string,
  env: Record<string, string> = {},
): StartedTerminal {
  const home = temporaryFolder()
  const PATH = [pathWith(agent), dirname(process.execPath), '/usr/bin', '/bin'].join(':')
  const screen = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true })
  const child = pty.spawn(process.execPath, [CLI, ...args], {
    ...{ cols: COLUMNS, rows: ROWS, cwd: home },
    env: { HOME: home, TERM: 'xterm-256color', PATH, ...MEASURED, ...env },
  })
  let over = false
  onTestFinished(() => {
    if (!over) {
      child.kill('SIGKILL')
    }
  })
  let bytes = ''
  let drawn: Promise<void> = Promise.resolve()
  const watchers = new Set<() => void>()
  child.onData((data) => {
    bytes += data
    drawn = new Promise((resolve) => screen.write(data, resolve))
    for (const watcher of watchers) {
      watcher()
    }
  })
  const finished = new Promise<TerminalRun>((resolve) => {
    child.onExit(async ({ exitCode }) => {
      over = true
      await drawn
      resolve({ exitCode, bytes, screen: textOn(screen) })
    })
  })
  const written = (text: string) =>
    new Promise<void>((resolve) => {
      const watcher = () => {
        if (bytes.includes(text)) {
          watchers.delete(watcher)
          resolve()
        }
      }
      watchers.add(watcher)
      watcher()
    })
  return { type: (keys) => child.write(keys), written, finished }
}

function textOn(terminal: xterm.Terminal): string {
  const buffer = terminal.buffer.active
  const lines = Array.from(
    { length: buffer.length },
    (_, y) => buffer.getLine(y)?.translateToString(true) ?? '',
  )
  return lines.join('\n').trimEnd()
}
