import type { PermissionRequestChunk } from '../../chunks.js'
import type { StatusFacts } from '../display/status-line.js'
import type { PermissionAnswer } from '../permissions/permission-desk.js'
import type { Renderer } from '../renderers/renderer.js'

/** What a view shows of the interactive mode, beside what is printed. */
export interface ReplState {
  /** Whether a turn or a command is under way. */
  readonly busy: boolean
  /** Whether a turn is under way, which can be interrupted. */
  readonly turning: boolean
  readonly interrupting: boolean
  /** What was typed meanwhile, in the order in which it will be sent. */
  readonly queue: readonly string[]
  /** What is to be known right now. */
  readonly notice: string | undefined
  readonly status: StatusFacts
}

/** Told by a view what the person does. */
export interface ReplListener {
  submit(line: string): void
  /** Ctrl+C, or Ctrl+C with nothing typed. */
  interrupt(): void
  /** Nothing will be typed any more. */
  end(): void
  /** Takes the last of what is queued back, to be edited. */
  takeBack(): string | undefined
  /** Any key but Ctrl+C. */
  otherKey(): void
  /** The terminal has gone. */
  hungUp(): void
}

/** Shows the interactive mode and tells what the person does; it decides nothing. */
export interface ReplView {
  readonly colors: boolean
  /** Whether a person sees it, and not a program or a file. */
  readonly attended: boolean
  /** How wide a line may be. */
  readonly columns: number
  start(state: ReplState, listener: ReplListener): void
  /** Prints lines about the conversation. */
  note(lines: string): void
  /** Repeats what was sent, where it will scroll away; the input is empty again. */
  echo(line: string): void
  /** Puts a text into the input, before what is typed there already. */
  giveBack(text: string): void
  /** What shows a turn; it is loaded for the first one. */
  renderer(verbose: boolean): Promise<Renderer>
  /** Something of the state has changed. */
  changed(): void
  clear(): void
  /** Asks for permission; rejects when the question is taken back. */
  askPermission(request: PermissionRequestChunk, signal: AbortSignal): Promise<PermissionAnswer>
  /** Asks a question that is answered by yes or no; yes where nobody can answer any more. */
  confirm(question: string): Promise<boolean>
  /** Lets the terminal go, as it was found. */
  close(): void
}
