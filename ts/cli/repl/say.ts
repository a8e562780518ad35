import { wrapped } from '../display/wrapped.js'
import type { ReplView } from './view.js'

/** Prints sentences, broken between their words. Not for what is to be copied: a command, a path, a difference. */
export function say(view: Pick<ReplView, 'note' | 'columns'>, words: string): void {
  view.note(
    words
      .split('\n')
      .flatMap((line) => wrapped(line, view.columns))
      .join('\n'),
  )
}
