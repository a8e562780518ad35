import { dirname } from 'node:path'

import pty from '@lydell/node-pty'
import xterm from '@xterm/headless'
import { onTestFinished } from 'vitest'

import { CLI, MEASURED, pathWith } from './cli.js'
import { temporaryFolder } from './folder.js'

const COLUMNS = 80
const ROWS = 60
/** When a screen is not waited for any more; it is told then. */
const GIVE_UP_MS = 20_000

/** What the shell says when it waits for a command. */
const SHELL_PROMPT = 'shell$ '

/** A run of the command line in a terminal. */
export interface TerminalRun {
  exitCode: number
  /** The number of the signal that ended it. */
  signal: number | undefined
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
  /** Resolves when this is on the screen, or has scrolled away from it. */
  shown(text: string): Promise<void>
  /** Resolves when this is not on the screen any more. */
  hidden(text: string): Promise<void>
  /** What is on the screen, and above it what has scrolled away. */
  screen(): string
  /** Everything that was written so far, escape sequences included. */
  bytes(): string
  /** What is on the screen alone. */
  visible(): string[]
  resize(columns: number, rows: number): void
  pid: number
  kill(signal: NodeJS.Signals): void
  /** Closes the terminal, as when its window is closed. */
  close(): void
  finished: Promise<TerminalRun>
}

/** How a terminal is, where it is not as usual. */
export interface TerminalSetup {
  columns?: number
  rows?: number
  /** How many lines that have scrolled away are kept. */
  scrollback?: number
  /** The folder to run in (default: a new one, which is also the home). */
  cwd?: string
  /** Whether it is started from a shell, which can stop it and bring it back. */
  shell?: boolean
}

/** Starts the built command line in a pseudo-terminal, with a fake agent as `claude`. */
export function startInTerminal(
  args: string[],
  agent: string,
  env: Record<string, string> = {},
  setup: TerminalSetup = {},
): StartedTerminal {
  const { columns: cols = COLUMNS, rows = ROWS, scrollback = 1000 } = setup
  const home = temporaryFolder()
  const PATH = [pathWith(agent), dirname(process.execPath), '/usr/bin', '/bin'].join(':')
  const screen = new xterm.Terminal({ cols, rows, scrollback, allowProposedApi: true })
  const [program = '', ...rest] = setup.shell
    ? ['/bin/bash', '--norc', '--noprofile', '--noediting', '-i']
    : [process.execPath, CLI, ...args]
  const child = pty.spawn(program, rest, {
    ...{ cols, rows, cwd: setup.cwd ?? home },
    env: { HOME: home, TERM: 'xterm-256color', PATH, PS1: SHELL_PROMPT, ...MEASURED, ...env },
  })
  if (setup.shell) {
    child.write(`${[process.execPath, CLI, ...args].join(' ')}\r`)
  }
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
    child.onExit(async ({ exitCode, signal }) => {
      over = true
      await drawn
      for (const watcher of watchers) {
        watcher()
      }
      resolve({ exitCode, signal, bytes, screen: textOn(screen) })
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
  const until = async (text: string, isThere: () => boolean) => {
    const deadline = AbortSignal.timeout(GIVE_UP_MS)
    for (;;) {
      await drawn
      if (isThere()) {
        return
      }
      if (deadline.aborted || over) {
        throw new Error(
          `waited in vain for ${JSON.stringify(text)}; on the screen:\n${trimmed(textOn(screen))}`,
        )
      }
      await new Promise<void>((resolve) => {
        const watcher = () => {
          watchers.delete(watcher)
          deadline.removeEventListener('abort', watcher)
          resolve()
        }
        watchers.add(watcher)
        deadline.addEventListener('abort', watcher)
      })
    }
  }
  return {
    type: (keys) => child.write(keys),
    written,
    shown: (text) => until(text, () => trimmed(textOn(screen)).includes(text)),
    hidden: (text) => until(`no ${text}`, () => !visibleOn(screen).join('\n').includes(text)),
    screen: () => trimmed(textOn(screen)),
    bytes: () => bytes,
    visible: () => visibleOn(screen),
    resize: (cols, rows) => {
      screen.resize(cols, rows)
      child.resize(cols, rows)
    },
    pid: child.pid,
    kill: (signal) => process.kill(child.pid, signal),
    // Not among its types.
    close: () => (child as unknown as { destroy(): void }).destroy(),
    finished,
  }
}

function textOn(terminal: xterm.Terminal): string {
  const buffer = terminal.buffer.active
  const lines = Array.from(
    { length: buffer.length },
    (_, y) => buffer.getLine(y)?.translateToString(true) ?? '',
  )
  return lines.join('\n').trimEnd()
}

function visibleOn({ buffer: { active }, rows }: xterm.Terminal): string[] {
  return Array.from(
    { length: rows },
    (_, y) =>
      active
        .getLine(active.baseY + y)
        ?.translateToString(true)
        .trimEnd() ?? '',
  )
}

/** Without the blanks at the ends of lines. */
function trimmed(text: string): string {
  return text.replaceAll(/ +$/gm, '')
}
