import { fstatSync } from 'node:fs'

import { Output } from '../output.js'
import type { Renderer } from './renderer.js'

/** The flags that say how a single run is shown. */
export interface DisplayFlags {
  jsonStream?: boolean
  simple?: boolean
  status?: boolean
  stream?: boolean
  verbose?: boolean
}

/** The renderer that fits the flags and what stdout and stderr are; only that one is loaded. */
export async function makeRenderer(flags: DisplayFlags): Promise<Renderer> {
  const out = new Output(process.stdout)
  if (flags.jsonStream) {
    const { JsonStreamRenderer } = await import('./json-stream.js')
    return new JsonStreamRenderer(out)
  }
  const { symbols } = await import('../display/symbols.js')
  const err = new Output(process.stderr)
  const plain =
    flags.simple || err.isTerminal === false || process.env.NO_COLOR || process.env.TERM === 'dumb'
  const box = flags.stream === true
  const options = { stream: flags.stream !== false, verbose: flags.verbose ?? false, symbols: symbols() }
  if (!plain && !process.env.CI && isOneTerminal()) {
    const { LiveRun } = await import('../display/live-run.js')
    return new LiveRun({ ...options, stdout: process.stdout, status: flags.status !== false, box })
  }
  const { TerminalRenderer } = await import('./terminal.js')
  const renderer = new TerminalRenderer({
    ...{ ...options, out, err, colors: !plain },
    ...(!plain && !process.env.CI && { indicator: await makeSpinner() }),
  })
  if (!box) {
    return renderer
  }
  const { ChecklistLines } = await import('./checklist-lines.js')
  return new ChecklistLines(renderer, options.symbols)
}

async function makeSpinner() {
  const { SpinnerIndicator } = await import('./spinner.js')
  return new SpinnerIndicator()
}

/** Whether stdout and stderr are the same terminal: one screen, with one cursor. */
function isOneTerminal(): boolean {
  const { stdout, stderr } = process
  return stdout.isTTY && stderr.isTTY && fstatSync(stdout.fd).rdev === fstatSync(stderr.fd).rdev
}
