import type { StreamChunk } from '../../chunks.js'
import type { RecoveryAction } from '../../error-handler.js'
import type { ExecError } from '../../errors.js'
import type { ExecEventData } from '../../events.js'
import { Checklist, type ChecklistItem } from '../display/checklist.js'
import { percentOf } from '../display/checklist-box.js'
import type { Symbols } from '../display/symbols.js'
import type { Renderer, RunEnd, RunStart } from './renderer.js'
import type { TerminalRenderer } from './terminal.js'

/** Shows a run as another renderer does, and a line for each item of the agent's list whose state has changed. */
export class ChecklistLines implements Renderer {
  readonly #inner: TerminalRenderer
  readonly #symbols: Symbols
  readonly #checklist = new Checklist()
  #told = new Map<string, ChecklistItem['state']>()

  constructor(inner: TerminalRenderer, symbols: Symbols) {
    this.#inner = inner
    this.#symbols = symbols
  }

  start(run: RunStart): void {
    this.#inner.start(run)
  }

  chunk(chunk: StreamChunk): void {
    this.#inner.chunk(chunk)
    if (this.#checklist.observe(chunk, performance.now())) {
      this.#tell()
    }
  }

  permissionResolved(resolution: ExecEventData['permission:resolved']): void {
    this.#inner.permissionResolved(resolution)
  }

  turnCompleted(summary: ExecEventData['turn:completed']): void {
    this.#inner.turnCompleted(summary)
  }

  failed(error: ExecError): void {
    this.#inner.failed(error)
  }

  recovering(action: RecoveryAction): void {
    this.#inner.recovering(action)
  }

  end(run: RunEnd): void {
    this.#inner.end(run)
  }

  ready(): Promise<void> | undefined {
    return this.#inner.ready()
  }

  #tell(): void {
    const { items, done } = this.#checklist
    const before = this.#told
    this.#told = new Map(items.map(({ title, state }) => [title, state]))
    const progress = `[${done}/${items.length} ${percentOf(done / Math.max(1, items.length))}]`
    for (const { title, state } of items) {
      if (before.get(title) !== state) {
        this.#inner.tell(`${progress} ${this.#symbols[state]} ${title}`)
      }
    }
  }
}
